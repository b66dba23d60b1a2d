import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { apply, createState, renderState } from '../../../src/exporters/datadog/state.js'
import { createTaker } from '../../../src/exporters/datadog/take.js'
import type { FamilySnapshot, Labels, Series } from '../../../src/model.js'
import { createPauses } from '../../../src/pauses.js'
import { FLOWS } from './world.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const pauses = createPauses({ monotonic: () => 0 })

t.test('pairs that come and go without a name of their own leave nothing behind', async (t) => {
  const taker = createTaker({ tags: [], excludeLabels: [], maxSeries: 2, startedMs: 0 }, pauses)
  const [state, asWritten] = [createState(), createState()]
  let steps = 0
  const passers: WeakRef<Labels>[] = []
  const flow = (name: string, value: number): Series => ({
    labels: { src_zone: 'a', src_namespace: 'shop', src_owner_kind: 'Deployment', src_owner_name: name, scope: 'cross_zone' },
    value,
    sinceMs: 1,
  })
  const take = async (families: readonly FamilySnapshot[], nowMs: number): Promise<void> => {
    const gathering = await taker.gather(state, [{ families, origin: 'own' }])
    const lines = await taker.window(state, { nowMs, host: 'i-1', gathering })
    for (const line of lines) apply(asWritten, line)
    for (const _ of lines.applyTo?.(state) ?? []) steps++
    t.same([...renderState(state)], [...renderState(asWritten)], 'it is what its lines say')
    await taker.settle(true, gathering)
    for (const one of [state, asWritten]) await taker.prune(one)
  }
  for (let turn = 1; turn <= 20; turn++) {
    const series = [flow('large', turn * 1e6), ...Array.from({ length: 10 }, (_, i) => flow(`passes-${turn}-${i}`, 1))]
    passers.push(...series.slice(1).map(({ labels }) => new WeakRef(labels)))
    await take([{ family: FLOWS, series }], turn * 30_000)
    // What is said of an object in a turn keeps it until the next.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await take([{ family: FLOWS, series: [flow('large', 21e6)] }], 630_000)
  await take([{ family: FLOWS, series: [flow('large', 22e6)] }], 660_000)
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  t.ok(steps > 400, 'a step for each, between which it may give way')
  t.equal(state.series.size, 2, 'the large one, and the others together')
  t.equal(state.marks.size, 1)
  t.ok(passers.filter((one) => one.deref()).length <= 10, `${passers.filter((one) => one.deref()).length} of ${passers.length} are kept`)
})
