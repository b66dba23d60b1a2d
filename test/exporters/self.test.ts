import { readFileSync } from 'node:fs'
import promClient from 'prom-client'
import t from 'tap'
import { createSelf } from '../../src/exporters/self.js'
import { families } from '../../src/exporters/self-families.js'
import type { FamilySnapshot } from '../../src/model.js'

const cpu = { user: 1_500_000, system: 500_000 }
const createOne = () =>
  createSelf({ version: '1.2.3', nodeVersion: 'v20.0.0', sources: ['flows', 'net-dev'], cpuUsage: () => ({ ...cpu }) })

const valuesOf = (snapshots: readonly FamilySnapshot[], name: string): unknown =>
  [...(snapshots.find(({ family }) => family.name === name)?.series ?? [])].map(({ labels, value }) => [...Object.values(labels), value])

t.test('all series of known sources are there from the start', async (t) => {
  const snapshots = await createOne().families()
  for (const name of ['up', 'read_seconds', 'rejected_rows_total', 'resets_total']) {
    const expected = [
      ['flows', 0],
      ['net-dev', 0],
    ]
    t.same(valuesOf(snapshots, `meshtoll_source_${name}`), expected, name)
  }
  t.same(valuesOf(snapshots, 'meshtoll_build_info'), [['1.2.3', 'v20.0.0', 1]], 'build')
  t.same(valuesOf(snapshots, 'meshtoll_state_writable'), [[0]], 'not known to be writable yet')
})

t.test('what happens shows', async (t) => {
  const self = createOne()
  self.sourceRead('flows', 0.004, true)
  self.rejected('flows', 2)
  self.rejected('flows', 1)
  self.reset('net-dev')
  self.stateWritable(true)
  const snapshots = await self.families()
  const flows = (name: string): unknown => (valuesOf(snapshots, `meshtoll_source_${name}`) as unknown[])[0]
  t.same(flows('up'), ['flows', 1], 'up')
  t.same(flows('read_seconds'), ['flows', 0.004], 'duration')
  t.same(flows('rejected_rows_total'), ['flows', 3], 'rejected rows add up')
  const resets = [
    ['flows', 0],
    ['net-dev', 1],
  ]
  t.same(valuesOf(snapshots, 'meshtoll_source_resets_total'), resets, 'resets')
  t.same(valuesOf(snapshots, 'meshtoll_state_writable'), [[1]], 'writable')
  self.sourceRead('flows', 5, false)
  t.same(
    valuesOf(await self.families(), 'meshtoll_source_up'),
    [
      ['flows', 0],
      ['net-dev', 0],
    ],
    'down again',
  )
})

t.test('CPU time is that of the whole life of the process, and the three agree', async (t) => {
  const self = createOne()
  t.same(valuesOf(await self.families(), 'process_cpu_seconds_total'), [[2]], 'at the first look')
  cpu.user += 250_000
  const snapshots = await self.families()
  t.same(valuesOf(snapshots, 'process_cpu_user_seconds_total'), [[1.75]], 'user')
  t.same(valuesOf(snapshots, 'process_cpu_system_seconds_total'), [[0.5]], 'system')
  t.same(valuesOf(snapshots, 'process_cpu_seconds_total'), [[2.25]], 'both')
})

t.test('numbers of the process itself are those of the kernel', async (t) => {
  const snapshots = await createOne().families()
  const [[resident] = []] = valuesOf(snapshots, 'process_resident_memory_bytes') as number[][]
  const status = readFileSync('/proc/self/status', 'utf8')
  const expected = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  t.ok(Math.abs((resident ?? 0) - expected) < 0.2 * expected, `${resident} bytes resident, the kernel says ${expected}`)
  const [[descriptors] = []] = valuesOf(snapshots, 'process_open_fds') as number[][]
  t.ok((descriptors ?? 0) > 2, `${descriptors} open files`)
})

t.test('what is served is what is declared, and two agents in one process do not share it', async (t) => {
  const [one, other] = [createOne(), createOne()]
  one.sourceRead('flows', 1, true)
  const snapshots = await other.families()
  t.same(
    snapshots.map(({ family }) => family.name).toSorted(),
    families.map(({ name }) => name).toSorted(),
    'every declared family is served',
  )
  t.same(
    valuesOf(snapshots, 'meshtoll_source_up'),
    [
      ['flows', 0],
      ['net-dev', 0],
    ],
    'not shared',
  )
  t.same(await promClient.register.getMetricsAsJSON(), [], "prom-client's global registry stays empty")
  promClient.collectDefaultMetrics()
  const theirs = await promClient.register.getMetricsAsJSON()
  for (const { family } of snapshots.filter(({ family }) => family.name.startsWith('process_'))) {
    const declared = { name: family.name, help: family.help, type: family.kind }
    t.match(
      theirs.find(({ name }) => name === family.name),
      declared,
      `${family.name} says what prom-client's says`,
    )
  }
  promClient.register.clear()
})
