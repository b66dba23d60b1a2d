import { setTimeout as wait } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { createPrometheus } from '../../src/exporters/prometheus.js'
import type { Family, FamilySnapshot, Snapshot } from '../../src/model.js'

const BYTES: Family = { name: 'x_bytes_total', kind: 'counter', labels: ['name'], help: 'Bytes.' }
const UP: Family = { name: 'x_up', kind: 'gauge', labels: [], help: 'Up.' }
const TEXT = { format: 'text', gzip: false } as const
const NO_BOOKS = { observed: 0, posted: 0, elsewhere: 0, tunnel: 0, multicast: 0, overflow: 0, pending: 0 }

/** An agent whose numbers change whenever nobody holds a snapshot. */
function createAgent(count: number) {
  const labels = Array.from({ length: count }, (_, i) => ({ name: `series-${i}` }))
  let value = 0
  let holders = 0
  const tick = (): void => {
    if (holders === 0) value++
  }
  function* series() {
    for (const one of labels) yield { labels: one, value }
  }
  return {
    tick,
    reads: 0,
    async withSnapshot<T>(use: (snapshot: Snapshot) => Promise<T>): Promise<T> {
      this.reads++
      holders++
      try {
        return await use({ atMs: 0, books: NO_BOOKS, families: [{ family: BYTES, series: { [Symbol.iterator]: series } }] })
      } finally {
        holders--
      }
    },
    async self(): Promise<readonly FamilySnapshot[]> {
      return [{ family: UP, series: [{ labels: {}, value: 1 }] }]
    },
  }
}

t.test('one answer holds both, of one instant, and gives way to others between pieces', async (t) => {
  const agent = createAgent(10_000)
  const { render } = createPrometheus({ withSnapshot: (use) => agent.withSnapshot(use), self: agent.self })
  let turns = 0
  let running = true
  const beat = (): void => {
    turns++
    agent.tick()
    if (running) setImmediate(beat)
  }
  setImmediate(beat)
  await wait(5)
  turns = 0
  const buffers = await render(TEXT)
  running = false
  const text = Buffer.concat(buffers).toString()
  const values = new Set([...text.matchAll(/^x_bytes_total\{.*\} (\d+)$/gm)].map(([, value]) => value))
  t.equal(values.size, 1, 'all numbers are of one instant')
  t.equal(text.match(/^x_bytes_total\{/gm)?.length, 10_000, 'all of them')
  t.match(text, /# TYPE x_up gauge\nx_up 1\n$/, 'the agent about itself comes after')
  t.ok(turns >= buffers.length - 1 && buffers.length > 4, `${turns} turns of the loop in ${buffers.length} pieces`)
})

t.test('compressed, it is the same text', async (t) => {
  const agent = createAgent(10_000)
  const { render } = createPrometheus({ withSnapshot: (use) => agent.withSnapshot(use), self: agent.self })
  const [plain, zipped] = [Buffer.concat(await render(TEXT)), Buffer.concat(await render({ ...TEXT, gzip: true }))]
  t.ok(zipped.length * 5 < plain.length, `${zipped.length} bytes instead of ${plain.length}`)
  t.ok(gunzipSync(zipped).equals(plain))
})

t.test('who asks at the same time shares the rendering, per format', async (t) => {
  const agent = createAgent(10)
  const { render } = createPrometheus({ withSnapshot: (use) => agent.withSnapshot(use), self: agent.self })
  const inOpenMetrics = { ...TEXT, format: 'openmetrics' } as const
  const [one, two, other, zipped] = await Promise.all([render(TEXT), render(TEXT), render(inOpenMetrics), render({ ...TEXT, gzip: true })])
  t.equal(one, two, 'the same buffers')
  t.not(one, other, 'another format is another rendering')
  t.not(one, zipped, 'and so is another encoding')
  t.equal(agent.reads, 3, 'one reading for each')
  t.not(await render(TEXT), one, 'who asks afterwards gets a new one')
})

t.test('who asks while it is rendered hears what was read afterwards', async (t) => {
  const agent = createAgent(1)
  let hasLater = false
  const self = async () => {
    while (!hasLater) await wait(0)
    return agent.self()
  }
  const { render } = createPrometheus({ withSnapshot: (use) => agent.withSnapshot(use), self })
  const first = render(TEXT)
  while (agent.reads === 0) await wait(0)
  const later = [render(TEXT), render(TEXT)]
  hasLater = true
  const [one, two, three] = await Promise.all([first, ...later])
  t.not(two, one)
  t.equal(three, two, 'those that wait for it share one')
  t.equal(agent.reads, 2)
})

t.test('a failure reaches everybody who waits, and the next one may succeed', async (t) => {
  const agent = createAgent(1)
  let broken = true
  const self = async (): Promise<readonly FamilySnapshot[]> => {
    if (broken) throw new Error('no memory')
    return agent.self()
  }
  const { render } = createPrometheus({ withSnapshot: (use) => agent.withSnapshot(use), self })
  const results = await Promise.allSettled([render(TEXT), render(TEXT)])
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
    'both',
  )
  broken = false
  t.match(Buffer.concat(await render(TEXT)).toString(), 'x_up 1', 'afterwards')
})
