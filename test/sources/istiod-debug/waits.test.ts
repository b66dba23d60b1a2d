import t from 'tap'
import type { Connection, Pending } from '../../../src/sources/istiod-debug/answers.js'
import { createWaits, type Waits } from '../../../src/sources/istiod-debug/waits.js'

const pending = (acked: string, more: Partial<Pending> = {}): Pending => ({
  xds: 'cds',
  acked,
  sentMs: undefined,
  configMs: undefined,
  error: '',
  ...more,
})

/** Since when it waits, as each answer tells. */
async function sinceMs(waits: Waits, atMs: number, of: readonly Pending[], connectedMs = 0): Promise<readonly number[]> {
  const statuses = { proxies: [{ proxy: 'cart-1.shop', type: 'sidecar', version: '', pending: of }], xds: new Set(['cds']), rejected: 0 }
  const connections = new Map<string, Connection>([['cart-1.shop', { address: '10.1.0.2', connectedMs }]])
  const { proxies } = await waits.see(statuses, connections, atMs)
  return proxies.flatMap(({ waiting }) => waiting.map((one) => one.sinceMs))
}

t.test('since when it waits', async (t) => {
  const waits = createWaits()
  t.same(await sinceMs(waits, 1_000, [pending('a', { sentMs: 900 })]), [900])
  t.same(await sinceMs(waits, 2_000, [pending('a', { sentMs: 1_900 })]), [900], 'what is sent meanwhile does not matter')
  t.same(await sinceMs(waits, 3_000, [pending('a', { sentMs: 1_900, error: 'no' })]), [900], 'nor that it answers with an error')
  t.same(await sinceMs(waits, 4_000, [pending('b', { sentMs: 3_900 })]), [3_900], 'it took something')
  t.same(await sinceMs(waits, 5_000, []), [], 'all')
  t.same(await sinceMs(waits, 6_000, [pending('b', { sentMs: 5_500 })]), [5_500], 'and is behind again')
})

t.test('since when, where istiod does not say when it was sent', async (t) => {
  const cases = [
    { name: 'by the time of the configuration', atMs: [1_000], of: pending('a', { configMs: 700 }), connectedMs: 0, since: 700 },
    { name: 'which is older than the proxy', atMs: [1_000], of: pending('', { configMs: 100 }), connectedMs: 950, since: 950 },
    { name: 'not before it was even', atMs: [800, 1_000], of: pending('a', { configMs: 700 }), connectedMs: 0, since: 800 },
    { name: 'which does not say either', atMs: [1_000], of: pending('a'), connectedMs: 0, since: 1_000 },
    { name: 'a clock that is ahead', atMs: [1_000], of: pending('a', { sentMs: 5_000 }), connectedMs: 0, since: 1_000 },
  ]
  for (const { name, atMs, of, connectedMs, since } of cases) {
    const waits = createWaits()
    for (const before of atMs.slice(0, -1)) await sinceMs(waits, before, [], connectedMs)
    t.same(await sinceMs(waits, atMs.at(-1) ?? 0, [of], connectedMs), [since], name)
  }
})

t.test('a clock that is set back', async (t) => {
  const waits = createWaits()
  await sinceMs(waits, 1_000_000, [pending('a', { sentMs: 900_000 })])
  t.same(await sinceMs(waits, 500_000, [pending('a', { sentMs: 900_000 })]), [500_000])
})
