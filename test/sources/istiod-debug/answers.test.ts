import t from 'tap'
import { createConnections, createStatuses, type Reader } from '../../../src/sources/istiod-debug/answers.js'
import { CAPTURED, CDS, EDS, say, type Told } from './said.js'

function read<T>({ write, end }: Reader<T>, text: string, pieceLength = 1_000): T {
  for (let at = 0; at < text.length; at += pieceLength) write(text.slice(at, at + pieceLength))
  return end()
}

const statusesOf = (told: readonly Told[]) => read(createStatuses(), say(told).syncz)
const NONCE = '2026-11-21T05:47:03Z/54e52f0b54-e66b-4b3c-8169-635f0cc006c9'
const LATER = '2026-11-21T05:48:00Z/5572fd844e-4398-4ec3-8938-f002aafed7dc'

t.test('a real capture, however it is cut', async (t) => {
  for (const pieceLength of [1, 7, 100_000]) {
    const { proxies, xds, rejected } = read(createStatuses(), CAPTURED.syncz, pieceLength)
    t.same([rejected, [...xds]], [0, ['cds', 'eds', 'lds']])
    t.same(
      proxies.map(({ proxy, type, version, pending }) => [proxy, type, version, pending.map(({ xds: of, acked }) => [of, acked])]),
      ['cart-7d9f8b6c5d-0.shop', 'checkout-7d9f8b6c5d-1.shop', 'flapper-7d9f8b6c5d-2.noisy'].map((proxy) => [
        proxy,
        'sidecar',
        '1.31.0',
        [['lds', '']],
      ]),
    )
    const [pending] = proxies[0]?.pending ?? []
    t.match(pending, { sentMs: Date.parse('2026-11-21T05:47:03.181Z'), configMs: Date.parse('2026-11-21T05:47:03Z') })
    t.match(pending?.error, /^Error adding\/updating listener\(s\) 0\.0\.0\.0_8080: Didn't find a registered implementation/)
    const connections = read(createConnections(), CAPTURED.connections, pieceLength)
    t.same(
      [...connections].map(([proxy, { address, connectedMs }]) => [proxy, address, connectedMs]),
      [
        ['cart-7d9f8b6c5d-0.shop', '127.0.0.1', Date.parse('2026-11-21T05:45:19.429Z')],
        ['checkout-7d9f8b6c5d-1.shop', '127.0.0.1', Date.parse('2026-11-21T05:45:19.389Z')],
        ['flapper-7d9f8b6c5d-2.noisy', '127.0.0.1', Date.parse('2026-11-21T05:45:19.349Z')],
      ],
    )
  }
})

t.test('what of a proxy is pending', async (t) => {
  const at = { sentMs: Date.parse('2026-11-21T05:48:01Z'), configMs: Date.parse('2026-11-21T05:48:00Z') }
  const sentTime = '2026-11-21T05:48:01Z'
  const cases: { readonly name: string; readonly told: Omit<Told, 'proxy'>; readonly pending: object[]; readonly xds: string[] }[] = [
    { name: 'nothing was ever sent', told: { resources: { [CDS]: {} } }, pending: [], xds: [] },
    { name: 'all is acknowledged', told: { resources: { [CDS]: { sent: NONCE, acked: NONCE } } }, pending: [], xds: ['cds'] },
    {
      name: 'it has not answered',
      told: { resources: { [CDS]: { sent: LATER, acked: NONCE, sentTime }, [EDS]: { sent: NONCE, acked: NONCE } } },
      pending: [{ xds: 'cds', acked: NONCE, ...at, error: '' }],
      xds: ['cds', 'eds'],
    },
    {
      name: 'it has rejected it',
      told: { resources: { [CDS]: { sent: LATER, acked: NONCE, sentTime, lastError: 'x'.repeat(5_000) } } },
      pending: [{ xds: 'cds', acked: NONCE, ...at, error: 'x'.repeat(200) }],
      xds: ['cds'],
    },
    {
      name: 'before 1.23',
      told: { older: { cluster_sent: NONCE, cluster_acked: NONCE, endpoint_sent: LATER, endpoint_acked: NONCE, route_sent: '' } },
      pending: [{ xds: 'eds', acked: NONCE, ...at, sentMs: undefined, error: '' }],
      xds: ['cds', 'eds'],
    },
    {
      name: 'a type that istiod has no name for',
      told: { resources: { 'type.googleapis.com/x.Y': { sent: 'new', acked: NONCE } } },
      pending: [{ xds: '_other', acked: NONCE, sentMs: undefined, configMs: undefined, error: '' }],
      xds: ['_other'],
    },
    { name: 'an answer to a tool', told: { resources: { 'istio.io/debug/syncz': { sent: NONCE } } }, pending: [], xds: [] },
    { name: 'no shape at all', told: { resources: { [CDS]: [7], [EDS]: 'sent' } as never }, pending: [], xds: [] },
  ]
  for (const { name, told, pending, xds } of cases) {
    const { proxies, xds: types } = statusesOf([{ proxy: 'cart-1.shop', ...told }])
    t.same([proxies[0]?.pending, [...types]], [pending, xds], name)
  }
})

t.test('a bad element costs one', async (t) => {
  const { proxies, rejected } = read(
    createStatuses(),
    `[7, null, {"proxy": 5}, {"proxy": ""}, {"proxy": "${'x'.repeat(318)}"}, {"proxy": "cart-1.shop", "proxy_type": "\\u0000", "istio_version": "${'1'.repeat(99)}"}]\n`,
  )
  t.same([rejected, proxies], [5, [{ proxy: 'cart-1.shop', type: '_other', version: '1'.repeat(64), pending: [] }]])
})

t.test('whose connection it is, and from where', async (t) => {
  const clients = (...all: object[]): string => JSON.stringify({ totalClients: 1, clients: all })
  const cases = [
    { name: 'by IPv6', text: clients({ connectionId: 'a.b-3', address: '[fd00::2]:48078' }), told: [['a.b', 'fd00::2']] },
    {
      name: 'the last of two',
      text: clients(
        { connectionId: 'a-1.b-12', connectedAt: '2026-11-21T05:46:00Z', address: '10.1.0.2:1' },
        { connectionId: 'a-1.b-3', connectedAt: '2026-11-21T05:45:00Z', address: '10.1.0.9:1' },
      ),
      told: [['a-1.b', '10.1.0.2']],
    },
    { name: 'nobody', text: '{"totalClients":0,"clients":null}', told: [] },
    {
      name: 'no shape',
      text: clients({ connectionId: 7 }, { connectionId: 'x' }, { connectionId: 'a.b-1', address: 7 }),
      told: [['a.b', '']],
    },
  ]
  for (const { name, text, told } of cases)
    t.same(
      [...read(createConnections(), text)].map(([proxy, { address }]) => [proxy, address]),
      told,
      name,
    )
})

t.test('who is no istiod', async (t) => {
  const texts = ['', '<html>', '{}', '[{"proxy":"a.b"}', '[{"proxy":}]', '"x"', `["${'x'.repeat(2 << 20)}"]`]
  for (const text of texts) t.throws(() => read(createStatuses(), text), { message: 'it is no istiod' }, text.slice(0, 20))
  for (const text of ['', '[]', '{"clients":[}', '{"totalClients":1}'])
    t.throws(() => read(createConnections(), text), { message: 'it is no istiod' }, text)
})

t.test('no more proxies than an istiod can have', async (t) => {
  const names = Array.from({ length: 50_010 }, (_, i) => `p${i}.shop`)
  const { proxies, rejected } = read(createStatuses(), JSON.stringify(names.map((proxy) => ({ proxy }))), 65_536)
  t.same([proxies.length, rejected], [50_000, 10])
  const clients = names.map((name) => ({ connectionId: `${name}-1`, address: '10.1.0.1:1' }))
  t.equal(read(createConnections(), JSON.stringify({ clients }), 65_536).size, 50_000)
})
