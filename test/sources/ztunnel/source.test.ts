import t from 'tap'
import { createHttpGet } from '../../../src/sources/http-get.js'
import type { Target } from '../../../src/sources/scraping.js'
import { unreachable } from '../../../src/sources/ztunnel/families.js'
import { createZtunnel } from '../../../src/sources/ztunnel/source.js'
import { testSourceContract } from '../../contract/source.js'
import { serve } from '../../http/serving.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { createMesh, INTERVAL_MS, type Mesh, type MeshParts } from '../mesh.js'
import { CAPTURES, expositionOf, type Flow } from './exposition.js'

const [FIRST = '', SECOND = ''] = CAPTURES
const BYTES = 'meshtoll_ztunnel_bytes_total'
const OWNER = { owner_zone: 'a', owner_namespace: 'istio-system', owner_kind: 'DaemonSet', owner_name: 'ztunnel' }
const targetOf = (name: string, more: Partial<Target> = {}): Target => ({
  name,
  url: `http://${name}/stats/prometheus`,
  labels: OWNER,
  ...more,
})
const meshOf = (parts: Omit<MeshParts, 'create'> = {}): Mesh => createMesh({ create: createZtunnel, ...parts })
const one = { targets: [targetOf('z')] }

testSourceContract(t, {
  empty: () => meshOf().source,
  failing: (failure) =>
    meshOf({
      targets: () => {
        throw failure
      },
    }).source,
  recorded: () => meshOf({ ...one, answers: { z: FIRST } }).source,
  // A ztunnel that is cut off has no end: that is an answer that failed.
  hanging: () => meshOf(one).source,
})

/** By zones, from and to. */
const bytesOf = ({ seriesOf }: Mesh): Readonly<Record<string, number>> =>
  Object.fromEntries(seriesOf(BYTES).map(({ labels: { src_zone, dst_zone }, value }) => [`${src_zone} ${dst_zone}`, value]))

t.test('captures: each byte once, from where it came to where it went', async (t) => {
  const mesh = meshOf(one).run(t)
  const { seriesOf } = mesh
  await mesh.read({ z: FIRST })
  const pairs = ['us-east-1a us-east-1b', 'us-east-1b us-east-1a', 'us-east-1a us-east-1a', 'us-east-1a _unknown', '_unknown us-east-1a']
  t.same(bytesOf(mesh), Object.fromEntries(pairs.map((pair) => [pair, 0])), 'what was before is not known to be ours')
  await mesh.read({ z: SECOND })
  t.same(bytesOf(mesh), Object.fromEntries(pairs.map((pair, i) => [pair, [1_050, 20_600, 7_300, 11, 13][i]])))
  t.same(
    seriesOf('meshtoll_ztunnel_xds_receive_bytes_total')
      .map(({ labels: { xds }, value }) => [xds, value])
      .sort(),
    [
      ['wads', 120],
      ['wds', 14_482],
    ],
  )
  t.same(
    ['failures', 'terminations'].map((what) => seriesOf(`meshtoll_ztunnel_istiod_connection_${what}_total`)[0]?.value),
    [4, 3],
  )
  t.same(mesh.log.lines, [])
})

const AB = ['a', 'b'] as const
const flow = (name: string, received: number, sent = 0) => ({ name, zones: AB, received, sent })

t.test('counters that come and go', async (t) => {
  const steps = [
    { name: 'a baseline', flows: [flow('cart', 900), flow('jobs', 100)], sum: 0 },
    { name: 'one is gone, the other goes on', flows: [flow('cart', 950)], sum: 50 },
    { name: 'it is back, from zero, with more than before', flows: [flow('cart', 950), flow('jobs', 130)], sum: 180 },
    { name: 'a new one counts in full', flows: [flow('cart', 950), flow('jobs', 130), flow('web', 7)], sum: 187 },
    { name: 'one is less than before', flows: [flow('cart', 20), flow('jobs', 131), flow('web', 7)], sum: 208 },
    { name: 'all are as they were', flows: [flow('cart', 20), flow('jobs', 131), flow('web', 7)], sum: 208 },
    { name: 'it began anew, and has more than before', flows: [flow('cart', 30)], messages: 9, sum: 238 },
    { name: 'once', flows: [flow('cart', 31)], messages: 9, sum: 239 },
  ]
  const mesh = meshOf(one).run(t)
  for (const { name, flows, messages, sum } of steps) {
    await mesh.read({ z: expositionOf(flows, messages === undefined ? {} : { messages }) })
    t.equal(bytesOf(mesh)['a b'], sum, name)
  }
})

t.test('a row that cannot be understood is not gone', async (t) => {
  const mesh = meshOf(one).run(t)
  const whole = expositionOf([flow('cart', 100, 5), flow('jobs', 40)])
  await mesh.read({ z: whole })
  await mesh.read({ z: whole.replace(/ 100\n/, ' lots\n').replace(/ 40\n/, ' 42\n') })
  t.same(bytesOf(mesh), { 'a b': 2, 'b a': 0 }, 'the others stand')
  await mesh.read({ z: whole.replace(/ 100\n/, ' 103\n').replace(/ 40\n/, ' 42\n') })
  t.same(bytesOf(mesh), { 'a b': 5, 'b a': 0 })
})

t.test('over a restart of the agent', async (t) => {
  const first = meshOf(one).run(t)
  await first.read({ z: expositionOf([flow('cart', 100, 7)]) })
  await first.read({ z: expositionOf([flow('cart', 150, 8)]) })
  const second = meshOf({ ...one, before: first }).run(t)
  await second.read({ z: expositionOf([flow('cart', 160, 8), flow('jobs', 5)]) })
  t.same(bytesOf(second), { 'a b': 65, 'b a': 1 }, 'what came meanwhile counts, once')
  await second.read({ z: expositionOf([flow('cart', 161, 9), flow('jobs', 5)]) })
  t.same(bytesOf(second), { 'a b': 66, 'b a': 2 })
  const third = meshOf({ ...one, before: second }).run(t)
  await third.read({ z: expositionOf([flow('cart', 400, 1)], { messages: 3 }) })
  t.same(bytesOf(third), { 'a b': 466, 'b a': 3 }, 'a ztunnel that began anew meanwhile')
  const fourth = meshOf({ ...one, before: third }).run(t)
  await fourth.read({ z: expositionOf([flow('cart', 90, 1)], { messages: 4 }) })
  t.same(bytesOf(fourth), { 'a b': 466, 'b a': 3 }, 'one that only let go of a counter meanwhile')
  const fifth = meshOf({ targets: [targetOf('other')], before: fourth }).run(t)
  await fifth.read({ other: expositionOf([flow('cart', 9_000)]) })
  t.same(bytesOf(fifth), { 'a b': 466, 'b a': 3 }, 'another one has a baseline of its own')
  await fifth.pass(600_000)
  await fifth.post()
  t.same([...fifth.totals.marksOf('ztunnel').keys()], ['other'], 'nobody waits for one that does not come back')
})

t.test('a ztunnel that was not there the last time', async (t) => {
  const targets: Target[] = []
  const mesh = meshOf({ targets }).run(t)
  await mesh.post()
  await mesh.pass()
  targets.push(targetOf('young', { startedMs: mesh.clock.now() - 5_000 }), targetOf('old', { startedMs: mesh.clock.now() - 60_000 }))
  await mesh.read({ young: expositionOf([flow('cart', 10)]), old: expositionOf([flow('cart', 1_000)]) })
  t.same(bytesOf(mesh), { 'a b': 10, 'b a': 0 }, 'all of one that began meanwhile')
  targets.length = 1
  await mesh.read({ young: expositionOf([flow('cart', 11)]) })
  t.same(bytesOf(mesh), { 'a b': 11, 'b a': 0 })
  t.same([...mesh.totals.marksOf('ztunnel').keys()], ['young'])
  targets.push(targetOf('old'))
  await mesh.read({ old: expositionOf([flow('cart', 2_000)]) })
  t.same(bytesOf(mesh), { 'a b': 11, 'b a': 0 }, 'one that was gone is another one')
})

t.test('zones that are none', async (t) => {
  const names = ['unknown', '', '_other', 'x'.repeat(64), 'a b', 'é']
  const mesh = meshOf(one).run(t)
  const said = (bytes: number) => ({ z: expositionOf(names.map((zone, i) => ({ name: `w${i}`, zones: [zone, 'b'], received: bytes }))) })
  await mesh.read(said(0))
  await mesh.read(said(1))
  t.same(bytesOf(mesh), { '_unknown b': names.length, 'b _unknown': 0 })
})

t.test('more pairs of zones than there may be series', async (t) => {
  const mesh = meshOf(one).run(t)
  const flowsOf = (received: number): Flow[] =>
    Array.from({ length: 1_200 }, (_, i) => ({ name: `w${i}`, zones: [`z${i}`, `z${i}`], received }))
  await mesh.read({ z: expositionOf(flowsOf(1)) })
  await mesh.read({ z: expositionOf(flowsOf(3).reverse()) })
  const series = mesh.seriesOf(BYTES)
  t.equal(series.length, 1_001)
  t.equal(
    series.reduce((sum, { value }) => sum + value, 0),
    2_400,
  )
  t.equal(bytesOf(mesh)['_other _other'], 400)
  const { sums } = JSON.parse(mesh.totals.marksOf('ztunnel').get('z') ?? '') as { readonly sums: readonly unknown[] }
  t.equal(sums.length, 1_001, 'no more are written down')
  const after = meshOf({ ...one, before: mesh }).run(t)
  await after.read({ z: expositionOf(flowsOf(4)) })
  t.equal(
    after.seriesOf(BYTES).reduce((sum, { value }) => sum + value, 0),
    3_600,
    'nor twice after a restart of the agent',
  )
})

t.test('one before Istio 1.25', async (t) => {
  const mesh = meshOf({ targets: [targetOf('z'), targetOf('y')] }).run(t)
  const said = (bytes: number) => ({
    z: expositionOf([{ name: 'cart', received: bytes, sent: bytes }]),
    y: expositionOf([{ name: 'web', received: bytes }]),
  })
  for (const bytes of [1, 5, 6]) await mesh.read(said(bytes))
  t.same(bytesOf(mesh), { '_unknown _unknown': 15 })
  t.equal(mesh.log.lines.length, 1, 'said once')
  t.match(mesh.log.lines[0], 'names no zones')
})

t.test('who does not answer', async (t) => {
  const cases = [
    { name: 'a pilot-agent', answer: 'istio_build{component="proxy",tag="1.29.0"} 1\n# EOF\n', says: 'it is no ztunnel' },
    { name: 'half of one', answer: FIRST.slice(0, -10), says: 'its answer has no end' },
    { name: 'one that is cut at a line', answer: FIRST.replace('# EOF\n', ''), says: 'its answer has no end' },
    { name: 'a line without an end', answer: 'x'.repeat(200_000), says: 'it is no ztunnel' },
    { name: 'nobody', answer: new Error('nobody listens there'), says: 'nobody listens there' },
  ]
  for (const { name, answer, says } of cases) {
    const mesh = meshOf({ targets: [targetOf('z'), targetOf('b')] }).run(t)
    const silent: unknown[] = []
    for (const bytes of [1, 2, 3]) {
      const { readings } = await mesh.read({ z: answer, b: expositionOf([flow('cart', bytes)]) })
      silent.push(readings.flatMap((reading) => (reading.kind === 'value' && reading.family === unreachable ? [reading.value] : [])))
    }
    t.same(silent[2], [1, 0], `${name}: one of two`)
    t.equal(mesh.log.lines.length, 1, `${name}: said once`)
    t.match(mesh.log.lines[0], says, name)
    t.same(bytesOf(mesh), { 'a b': 2, 'b a': 0 }, `${name}: the other one stands`)
    const alone = meshOf(one).run(t)
    await alone.read({ z: answer })
    await t.rejects(alone.read({ z: answer }), { message: `none of 1 asked ztunnels answers, such as http://z/stats/prometheus: ${says}` })
  }
})

t.test('one that hangs holds nobody up', async (t) => {
  const mesh = meshOf({ targets: [targetOf('z'), targetOf('b')] }).run(t)
  await mesh.read({ z: expositionOf([]), b: expositionOf([flow('cart', 1)]) })
  for (const bytes of [2, 4]) await mesh.read({ z: undefined, b: expositionOf([flow('cart', bytes)]) })
  t.equal(bytesOf(mesh)['a b'], 3)
})

t.test('one that was away goes on where it was', async (t) => {
  const mesh = meshOf({ targets: [targetOf('z'), targetOf('b')] }).run(t)
  const b = expositionOf([])
  await mesh.read({ z: expositionOf([flow('cart', 10)]), b })
  for (let i = 0; i < 3; i++) await mesh.read({ z: new Error('nobody listens there'), b })
  await mesh.read({ z: expositionOf([flow('cart', 25)]), b })
  t.equal(bytesOf(mesh)['a b'], 15)
})

t.test('a real server that says a lot: others get their turn meanwhile', async (t) => {
  const filler = 'x'.repeat(600)
  const text = expositionOf(
    Array.from({ length: 3_000 }, (_, i) => ({ name: `${filler}${i}`, zones: [`a${i % 3}`, 'b'], received: i, sent: 1 })),
  )
  const origin = await serve(t, (_, response) => response.end(text))
  const url = `${origin}/stats/prometheus`
  const deps = { clock: createHandClock(), log: createKeptLog() }
  const http = createHttpGet({ deadlineMs: 10_000, maxBytes: 128 << 20 }, deps)
  t.teardown(() => http.close())
  const source = createZtunnel({ open: async () => http, targets: () => [targetOf('z', { url })], intervalMs: INTERVAL_MS }, deps)
  let turns = 0
  let isRead = false
  const reading = source.read(new AbortController().signal).finally(() => {
    isRead = true
  })
  while (!isRead) {
    await new Promise((resolve) => setImmediate(resolve))
    turns++
  }
  const { readings } = await reading
  t.equal(readings.filter(({ kind }) => kind === 'event').length, 6)
  t.ok(turns > text.length / 131_072, `${turns} turns for ${text.length} bytes`)
})
