import t from 'tap'
import { parseAccessLogLine, TELLING } from '../../src/formats/envoy-access-log.js'

const BEGAN = '2026-11-22T03:04:05.678Z'
const FROM_MS = Date.parse(BEGAN)
const OUTBOUND = 'outbound|80||cart.shop.svc.cluster.local'
const ADDRESSES = '10.1.1.2:51234 10.96.0.7:80 10.1.1.2:41544'

interface Line {
  readonly asked?: string
  readonly what?: string
  readonly agent?: string
  readonly host?: string
  readonly cluster?: string
  readonly rest?: string
}

const UF = '503 UF,URX upstream_reset_before_response_started{remote_connection_failure,delayed_connect_error:_111} -'

const textLine = ({
  asked = 'GET /cart?id=7 HTTP/1.1',
  what = `${UF} "delayed_connect_error:_111" 0 152 14 -`,
  agent = 'curl/8.5.0',
  host = '10.1.2.2:8080',
  cluster = OUTBOUND,
  rest = `${ADDRESSES} - default`,
}: Line = {}): string =>
  `[${BEGAN}] "${asked}" ${what} "-" "${agent}" "8c5f0c63-3b11-4b5e-9d55-2f1d52b2f0ab" "cart.shop:80" "${host}" ${cluster} ${rest}`

const JSON_FIELDS = {
  authority: 'cart.shop:80',
  bytes_received: 0,
  bytes_sent: 152,
  connection_termination_details: null,
  downstream_local_address: '10.96.0.7:80',
  downstream_remote_address: '10.1.1.2:41544',
  duration: 14,
  method: 'GET',
  path: '/cart?id=7',
  protocol: 'HTTP/1.1',
  request_id: '8c5f0c63-3b11-4b5e-9d55-2f1d52b2f0ab',
  requested_server_name: null,
  response_code: 503,
  response_code_details: 'upstream_reset_before_response_started{remote_connection_failure,delayed_connect_error:_111}',
  response_flags: 'UF,URX',
  route_name: 'default',
  start_time: BEGAN,
  upstream_cluster: OUTBOUND,
  upstream_host: '10.1.2.2:8080',
  upstream_local_address: null,
  upstream_service_time: null,
  upstream_transport_failure_reason: 'delayed_connect_error:_111',
  user_agent: 'curl/8.5.0',
  x_forwarded_for: null,
}

const jsonLine = (fields: object = {}): string => JSON.stringify({ ...JSON_FIELDS, ...fields })

const FAILED = { fromMs: FROM_MS, toMs: FROM_MS + 14, flags: 'UF,URX', address: '10.1.2.2' }
const via = (flags: string, code = 503): string => `${code} ${flags} via_upstream - "-" 0 18 14 13`
const FORGED = '" 503 UF - - "-" 0 0 0 - "-" "x" "x" "x" "10.9.9.9:80" outbound|80||x - 10.9.9.9:80 10.9.9.9:80 - default'

type Wanted = ReturnType<typeof parseAccessLogLine>

t.test('lines of requests', async (t) => {
  const cases: readonly (readonly [name: string, line: string, is: Wanted])[] = [
    ['a failed connection', textLine(), FAILED],
    ['JSON', jsonLine(), FAILED],
    ['JSON with all as text, as Envoy before 1.17 writes it', jsonLine({ duration: '14', response_code: '503' }), FAILED],
    ['a connection that ended', textLine({ what: via('UC') }), { ...FAILED, flags: 'UC' }],
    ['reset, in a stream of gRPC', textLine({ what: via('UR', 200) }), { ...FAILED, flags: 'UR' }],
    ['no answer in time', textLine({ what: '504 UT upstream_response_timeout - "-" 0 24 14 -' }), { ...FAILED, flags: 'UT' }],
    [
      'no host that is healthy',
      textLine({ what: '503 UH no_healthy_upstream - "-" 0 19 14 -', host: '-' }),
      { ...FAILED, flags: 'UH', address: undefined },
    ],
    ['JSON without a host', jsonLine({ response_flags: 'UH', upstream_host: null }), { ...FAILED, flags: 'UH', address: undefined }],
    [
      'a connection without HTTP',
      `[${BEGAN}] "- - -" 0 UF,URX - - "delayed_connect_error:_111" 0 0 14 - "-" "-" "-" "-" "10.1.2.2:5432" outbound|5432||db.shop.svc.cluster.local - 10.96.0.9:5432 10.1.1.2:41544 - -`,
      FAILED,
    ],
    ['IPv6', textLine({ host: '[fd00:10::2]:8080' }), { ...FAILED, address: 'fd00:10::2' }],
    [
      'a waypoint',
      textLine({ host: 'envoy://connect_originate/10.1.2.2:8080', cluster: 'inbound-vip|80|http|cart.shop.svc.cluster.local' }),
      FAILED,
    ],
    ['a socket of the file system', textLine({ host: '/var/run/app.sock' }), { ...FAILED, address: undefined }],
    ['to an address itself', textLine({ cluster: 'PassthroughCluster' }), FAILED],
    ['Istio 1.9', textLine({ cluster: `${OUTBOUND};` }), FAILED],
    ['a TLS error in words', textLine({ what: `${UF} "TLS_error: certificate verify failed" 0 152 14 -` }), FAILED],
    ['a request that was answered', textLine({ what: via('-', 500) }), undefined],
    ['which JSON says as well', jsonLine({ response_flags: '-' }), undefined],
    ['or says not at all', jsonLine({ response_flags: null }), undefined],
    ['a client that left', textLine({ what: '0 DC downstream_remote_disconnect - "-" 0 0 14 -' }), undefined],
    ['at the proxy of who is called', textLine({ cluster: 'inbound|8080||' }), undefined],
    ['the same in JSON', jsonLine({ upstream_cluster: 'InboundPassthroughCluster' }), undefined],
    ['what pilot-agent says', '2026-11-22T03:04:05.678901Z\tinfo\txdsproxy\tconnected UF ', undefined],
    ['what it says in JSON', '{"level":"warn","msg":"UF UC"}', undefined],
    ['what Envoy says', '[2026-11-22 03:04:05.678][18][warning][config] UF ', undefined],
    ['nothing', '', undefined],
  ]
  for (const [name, line, is] of cases) t.same(parseAccessLogLine(line), is, name)
})

t.test('whatever callers write', async (t) => {
  const cases: readonly (readonly [name: string, line: string, is: Wanted])[] = [
    ['quotes in the path', textLine({ asked: 'GET /"x" "y HTTP/1.1' }), FAILED],
    ['quotes in the agent', textLine({ agent: 'a "b" c' }), FAILED],
    ['another host in the agent', textLine({ agent: 'x" "10.9.9.9:80' }), FAILED],
    ['a request that failed, as the agent of one that did not', textLine({ what: via('-', 200), agent: FORGED }), 'malformed'],
    ['as its path', textLine({ what: via('-', 200), asked: `GET /${FORGED} HTTP/1.1` }), 'malformed'],
    ['one that did not, as the path of one that did', textLine({ asked: `GET /" ${via('-', 200)} "x HTTP/1.1` }), 'malformed'],
    ['the beginning of one', textLine({ what: via('-', 200), asked: 'GET /" 503 UF - - HTTP/1.1' }), undefined],
    ['flags in the agent alone', textLine({ what: via('-', 200), agent: '" UF UC "' }), undefined],
    ['in JSON', jsonLine({ response_flags: '-', user_agent: '","response_flags":"UF","x":"' }), undefined],
    ['a name of a server with quotes', textLine({ rest: `${ADDRESSES} x" "10.9.9.9:80" y z z z z default` }), 'malformed'],
    ['cut off', textLine().slice(0, -160), 'malformed'],
    ['JSON that is cut off', jsonLine().slice(0, -10), 'malformed'],
    ['another format', `[${BEGAN}] "GET / HTTP/1.1" UF 503`, 'malformed'],
    ['flags that are none', jsonLine({ response_flags: 'UF,<script>' }), 'malformed'],
    ['a time that is none', jsonLine({ start_time: 'yesterday' }), 'malformed'],
    ['a day that is none', textLine().replace('11-22', '13-45'), 'malformed'],
    ['a duration that is none', jsonLine({ duration: -1 }), 'malformed'],
    ['fields of other kinds', jsonLine({ upstream_host: { a: 1 }, upstream_cluster: [] }), { ...FAILED, address: undefined }],
  ]
  for (const [name, line, is] of cases) t.same(parseAccessLogLine(line), is, name)
})

t.test('what is looked into', async (t) => {
  const isTold = (line: string): boolean => TELLING.some((text) => line.includes(text))
  for (const flag of ['UF', 'UC', 'UH', 'UR', 'URX', 'UF,URX', 'LR,UR', 'UC,DC', 'UT,URX']) {
    t.ok(isTold(textLine({ what: via(flag) })), flag)
    t.ok(isTold(jsonLine({ response_flags: flag })), `${flag} in JSON`)
  }
  t.ok(isTold(textLine({ what: '504 UT upstream_response_timeout - "-" 0 24 14 -' })))
  t.ok(isTold(jsonLine({ response_flags: 'UT' })))
  t.notOk(isTold(textLine({ what: via('-', 200), asked: 'PUT /orders HTTP/1.1' })), 'no line without a failure')
  t.notOk(isTold(jsonLine({ response_flags: '-', method: 'PUT' })))
})

t.test('a line that is made to take long', async (t) => {
  for (const piece of ['" 503 UF ', '" 503 UF - "x" 1 1 1 x', '"', '" "x', ' UF,'] as const) {
    const line = `[${BEGAN}] "${piece.repeat(60_000 / piece.length)}`
    const began = performance.now()
    parseAccessLogLine(line)
    t.ok(performance.now() - began < 500, piece)
  }
})
