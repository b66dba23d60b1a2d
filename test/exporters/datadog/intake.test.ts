import { type AddressInfo, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { deflateSync } from 'node:zlib'
import t from 'tap'
import { createIntake, outcomeOf } from '../../../src/exporters/datadog/intake.js'
import { type Fault, startIntake } from '../../datadog/intake.js'
import { KEY } from '../../datadog/judge.js'
import { createAuthority, createCertificate } from '../../http/certificates.js'
import { createHandClock } from '../../kube/hand-clock.js'

const NOW_MS = 1_763_688_000_000
const POINT = {
  metric: 'meshtoll.flow.bytes',
  type: 1,
  interval: 30,
  unit: 'byte',
  resources: [{ type: 'host', name: 'n1' }],
  tags: ['a:b'],
}
const BODY = deflateSync(JSON.stringify({ series: [{ ...POINT, points: [{ timestamp: NOW_MS / 1000, value: 7 }] }] }))
const never = (): AbortSignal => new AbortController().signal

async function start(t: Parameters<typeof startIntake>[0]) {
  const clock = createHandClock()
  clock.advance(NOW_MS - clock.now())
  const intake = await startIntake(t, { now: clock.now })
  const client = createIntake(intake.url, { clock })
  t.teardown(() => client.close())
  return { clock, intake, send: (key = KEY, signal = never()) => client.send(BODY, { encoding: 'deflate', key, signal }) }
}

t.test('a body is accepted', async (t) => {
  const { intake, send } = await start(t)
  t.same(await send(), { kind: 'accepted', complaint: '' })
  t.equal(intake.sum('meshtoll.flow.bytes'), 7)
  const why = 'it answers 403: Forbidden; give an API key of an organisation at this site'
  t.same(await send('wrong'), { kind: 'failed', why, mayHaveIt: false, afterMs: 0, isKey: true })
})

t.test('what an answer comes to', async (t) => {
  const failed = { kind: 'failed', afterMs: 0, isKey: false }
  const notDatadog = (status: number) => `it answers ${status}, and not as Datadog does: somebody in between may answer`
  const cases: readonly { readonly fault: Fault; readonly outcome: unknown }[] = [
    { fault: { kind: 'answer', status: 408 }, outcome: { ...failed, why: 'it answers 408: a fault of the test', mayHaveIt: true } },
    {
      fault: { kind: 'answer', status: 202, text: '{"errors":["one of them"]}' },
      outcome: { kind: 'accepted', complaint: 'one of them' },
    },
    { fault: { kind: 'answer', status: 202, text: '{"status":"ok"}' }, outcome: { kind: 'accepted', complaint: '' } },
    {
      fault: { kind: 'answer', status: 202, text: `{"errors":["${'x'.repeat(20_000)}"]}` },
      outcome: { kind: 'accepted', complaint: '' },
    },
    ...[200, 202].map((status) => ({
      fault: { kind: 'answer' as const, status, headers: { 'content-type': 'text/html' }, text: '<html>Sign in</html>' },
      outcome: { ...failed, why: `${notDatadog(status)}: <html>Sign in</html>`, mayHaveIt: true },
    })),
    { fault: { kind: 'answer', status: 200, text: '{"errors":[]}' }, outcome: { ...failed, why: notDatadog(200), mayHaveIt: true } },
    { fault: { kind: 'answer', status: 202, text: '[]' }, outcome: { ...failed, why: `${notDatadog(202)}: []`, mayHaveIt: true } },
    { fault: { kind: 'answer', status: 204, text: '' }, outcome: { ...failed, why: notDatadog(204), mayHaveIt: true } },
    { fault: { kind: 'answer', status: 413 }, outcome: { kind: 'too large' } },
    { fault: { kind: 'answer', status: 400, text: '{"errors":["bad \\u0007 tag"]}' }, outcome: { kind: 'refused', why: 'bad tag' } },
    { fault: { kind: 'answer', status: 400, text: '<html>' }, outcome: { kind: 'refused', why: '<html>' } },
    {
      fault: { kind: 'answer', status: 503, text: `the key ${KEY}` },
      outcome: { ...failed, why: 'it answers 503: the key ***', mayHaveIt: true },
    },
    {
      fault: { kind: 'answer', status: 429, headers: { 'x-ratelimit-reset': '40', 'retry-after': '7' } },
      outcome: { ...failed, why: 'it answers 429: a fault of the test', mayHaveIt: false, afterMs: 40_000 },
    },
    { fault: { kind: 'reset', keeps: true }, outcome: { ...failed, why: 'it hung up', mayHaveIt: true } },
  ]
  const { intake, send } = await start(t)
  for (const { fault, outcome } of cases) {
    intake.fault = () => fault
    t.same(await send(), outcome, `${fault.kind} ${fault.kind === 'answer' ? fault.status : ''}`)
  }
  intake.fault = () => undefined
  t.same(await send(), { kind: 'accepted', complaint: '' }, 'afterwards')
})

t.test('Retry-After as a date, and for too long', async (t) => {
  const answer = (retryAfter: string) => outcomeOf(503, { headers: { 'retry-after': retryAfter }, text: '', nowMs: NOW_MS })
  t.match(answer(new Date(NOW_MS + 9_000).toUTCString()), { afterMs: 9_000 })
  t.match(answer('86400'), { afterMs: 300_000 })
  t.match(answer('soon'), { afterMs: 0 })
})

t.test('an intake that hangs is given up after 20 s, or when the agent stops', async (t) => {
  const { clock, intake, send } = await start(t)
  intake.fault = () => ({ kind: 'hang', keeps: true })
  const hanging = send()
  await clock.untilSleeping(20_000)
  while (intake.requests === 0) await new Promise((resolve) => setImmediate(resolve))
  clock.advance(20_000)
  t.match(await hanging, { kind: 'failed', why: 'not done within 20 s', mayHaveIt: true })
  const stop = new AbortController()
  const stopped = send(KEY, stop.signal)
  stop.abort(new Error('stopped'))
  await t.rejects(stopped, { message: 'stopped' })
})

t.test('nobody listens', async (t) => {
  const client = createIntake('http://127.0.0.1:1', { clock: createHandClock() })
  t.teardown(() => client.close())
  t.match(await client.send(BODY, { encoding: 'deflate', key: KEY, signal: never() }), { why: 'nobody listens there', mayHaveIt: false })
})

t.test('nobody has it before there is a connection that all of it can go through', async (t) => {
  const { cert, key } = createCertificate(t.testdir({}), 'intake.test', createAuthority(t.testdirName, 'authority'), 'DNS:intake.test')
  const cases = [
    { name: 'whom nobody trusts', server: createTlsServer({ cert, key }), why: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    { name: 'who says nothing', server: createServer(), why: 'it cannot be connected to' },
    { name: 'who hangs up', server: createServer((socket) => socket.destroy()), why: 'it hung up' },
  ]
  for (const { name, server, why } of cases) {
    const clock = createHandClock()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = createIntake(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, { clock })
    t.teardown(() => server.close())
    t.teardown(client.close)
    const met = new Promise((resolve) => server.once('connection', resolve))
    const sending = client.send(BODY, { encoding: 'deflate', key: KEY, signal: never() })
    await met
    if (name === 'who says nothing') clock.advance(20_000)
    t.same(await sending, { kind: 'failed', why, mayHaveIt: false, afterMs: 0, isKey: false }, name)
  }
})

t.test('one connection for all requests, as long as it is open', async (t) => {
  const { intake, send } = await start(t)
  for (let request = 0; request < 3; request++) await send()
  t.equal(intake.connections, 1)
  intake.fault = () => ({ kind: 'reset', keeps: false })
  await send()
  intake.fault = () => undefined
  t.same(await send(), { kind: 'accepted', complaint: '' })
  t.equal(intake.connections, 2)
})
