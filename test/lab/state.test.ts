// What becomes of the state file is told by what is served: a torn tail costs nothing, a state that is not to be believed is a gap and
// never a byte twice, and one that cannot be written keeps nobody from counting.
import { execFileSync } from 'node:child_process'
import { appendFile, copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Topology } from '../../src/lab/topology.js'
import { bytesByPair, type NodeAgent } from './agents.js'
import { createLab, ONE_NODE } from './lab.js'
import { createOnePair, gapSeconds, timesSaid } from './one-pair.js'
import { createWatcher } from './series.js'
import { THREE_ZONES } from './three-zones.js'
import { eventually, worldTest } from './world.js'

const TWO_NODES = { ...THREE_ZONES, nodes: THREE_ZONES.nodes.slice(0, 2) }
const OFTEN = { flows: { interval: '200ms' } }
const stateFile = ({ stateDir }: NodeAgent): string => join(stateDir, 'ledger.journal')

const isWritable = async (agent: NodeAgent): Promise<boolean> => /^meshtoll_state_writable 1$/m.test(await agent.metrics())
const untilWritable = (agent: NodeAgent, wanted: boolean): Promise<true> =>
  eventually(`a state that ${wanted ? 'can' : 'cannot'} be written`, async () => ((await isWritable(agent)) === wanted ? true : undefined))

const mount = (...args: readonly string[]): void => void execFileSync('mount', args)

/** Whose sets the kernel holds. */
const generationsOf = async (topology: Topology): Promise<number> =>
  (await topology.run('n1', ['nft', 'list', 'sets'])).match(/set pair4_g\d+ /g)?.length ?? 0

/** Takes the room that is left, to the last byte. */
async function fill(folder: string): Promise<string> {
  const path = join(folder, 'fill')
  for (let size = 1 << 16; size > 0; size >>= 1) {
    for (;;) {
      try {
        await appendFile(path, Buffer.alloc(size))
      } catch {
        break
      }
    }
  }
  return path
}

/** One byte in the middle of each of some lines. */
async function garble(path: string, lines: (all: readonly number[]) => readonly number[]): Promise<void> {
  const text = await readFile(path)
  const starts = [0, ...[...text.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1)].slice(0, -1)
  for (const start of lines(starts)) text[start + 20] = (text[start + 20] ?? 0) ^ 1
  await writeFile(path, text)
}

async function makeLater(path: string): Promise<void> {
  const [first = '', ...rest] = (await readFile(path, 'utf8')).split('\n')
  const head = first.slice(9).replace('"version":1', '"version":2')
  await writeFile(path, [`${crc32(head).toString(16).padStart(8, '0')} ${head}`, ...rest].join('\n'))
}

const DAMAGED = /level=warn msg="state is not usable: damaged"/
const LOSSES = [
  { name: 'garbled in its middle', lose: (path: string) => garble(path, (all) => [all[1] ?? 0]), says: DAMAGED },
  { name: 'garbled in its head', lose: (path: string) => garble(path, () => [0]), says: DAMAGED },
  { name: 'empty', lose: (path: string) => truncate(path), says: DAMAGED },
  { name: 'missing', lose: (path: string) => rm(path), says: /level=warn msg="no state for the kernel table/ },
  {
    name: 'of another agent',
    lose: (path: string, other: string) => copyFile(other, path),
    says: /level=warn msg="state does not belong to the kernel table/,
  },
  { name: 'of a version to come', lose: makeLater, says: /written by another version" .*version=2 wanted=1/ },
]

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('a torn tail costs nothing, wherever it is torn', async (t) => {
      const { topology, agents } = await createLab(t, { spec: ONE_NODE, options: OFTEN })
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      const watcher = createWatcher()
      let sent = await pair.send(100)
      await pair.servedAt(agent, sent)
      for (const kept of [0, 8, 0.5, -1]) {
        // A new pair is a new line.
        const before = (await readFile(stateFile(agent))).length
        const fresh = `203.0.${Math.floor(100 + kept * 10)}.1`
        await topology.peer('p1a').sendUdp({ to: [fresh], port: 9, size: 10 })
        await eventually('a line', async () => ((await readFile(stateFile(agent))).length > before ? true : undefined))
        const [served] = await agents.atRest()
        watcher.falls(await agent.metrics())
        await agent.kill()
        const state = await readFile(stateFile(agent))
        const last = state.lastIndexOf(10, -2) + 1
        const length = state.length - last
        await truncate(stateFile(agent), last + (kept < 0 ? length + kept : kept < 1 ? Math.floor(kept * length) : kept))
        sent += await pair.send(7)
        await agent.start()
        const name = `of ${length} bytes ${kept} stay`
        t.equal(await pair.servedAt(agent, sent), sent, name)
        const [now] = await agents.atRest()
        t.same(
          { ...bytesByPair(now ? [now] : []), 'p1a > p1b': 0 },
          { ...bytesByPair(served ? [served] : []), 'p1a > p1b': 0 },
          `${name}: all others`,
        )
        t.same(watcher.falls(await agent.metrics()), [], `${name}: nothing fell`)
        t.match(now?.books, { difference: 0, pending: 0 })
        t.equal(timesSaid(agent.log(), /state ends in a torn line/), kept === 0 ? 0 : 1, `${name}: said`)
      }
      t.equal(await gapSeconds(agent), 0)
      const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
      t.match(await readFile(stateFile(agent), 'utf8'), `"bootId":"${bootId}"`, 'it says by which clock')
    })

    t.test('a state that is not to be believed', async (t) => {
      const createdMs = performance.now()
      const { topology, agents } = await createLab(t, { spec: TWO_NODES, options: OFTEN })
      const secondsSince = (ms: number): number => (performance.now() - ms) / 1000
      const runningMs = performance.now()
      const [agent, other] = [agents.on('n1'), agents.on('n2')]
      const pair = await createOnePair(topology)
      for (const { name, lose, says } of LOSSES) {
        const first = await pair.send(50)
        t.ok((await pair.servedAt(agent, first)) >= first, `${name}: counted before`)
        await agent.kill()
        await lose(stateFile(agent), stateFile(other))
        await pair.send(20)
        const least = secondsSince(runningMs)
        await agent.start()
        t.equal(await pair.served(agent), 0, `${name}: what may have been served before is not served again`)
        const since = await pair.send(3)
        t.equal(await pair.servedAt(agent, since), since, `${name}: what comes after the loss is`)
        t.match((await agent.snapshot()).books, { difference: 0, overflow: 0 }, `${name}: the books`)
        const gap = await gapSeconds(agent)
        t.ok(gap >= least && gap < secondsSince(createdMs) + 1, `${name}: a gap of ${gap} s, the whole life of the table`)
        t.equal(timesSaid(agent.log(), says), 1, `${name}: ${agent.log()}`)
        t.equal(timesSaid(agent.log(), /totals start over/), 1, `${name}: what follows is said once`)
        await agent.restart()
        t.equal(await pair.servedAt(agent, since), since, `${name}: the next start goes on from there`)
        t.equal(timesSaid(agent.log(), /level=(warn|error)/), 0, `${name}: and has nothing to say`)
      }
    })

    t.test('a directory that is read-only from the start', async (t) => {
      const prepareState = async (folder: string): Promise<void> => mount('-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', folder)
      const options = { flows: { interval: '200ms', rotateInterval: '1s' } }
      const { topology, agents } = await createLab(t, { spec: ONE_NODE, options, prepareState })
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      const watcher = createWatcher()
      const sent = await pair.send(30)
      t.equal(await pair.servedAt(agent, sent), sent, 'counts')
      t.notOk(await isWritable(agent))
      await agent.kill()
      await pair.send(10)
      await agent.start()
      t.equal(await pair.served(agent), 0, 'a restart does not serve again what it cannot know of')
      t.ok((await gapSeconds(agent)) > 0)

      let since = 0
      for (let turn = 0; turn < 4; turn++) {
        since += await pair.send(5)
        t.equal(await pair.servedAt(agent, since), since, 'rotation loses nothing')
        t.same(watcher.falls(await agent.metrics()), [])
      }
      await eventually('rotations', async () => ((await generationsOf(topology)) >= 3 ? true : undefined))
      t.equal(timesSaid(agent.log(), /level=error msg="state cannot be written: .*EROFS/), 1, 'said once')
      mount('-o', 'remount,rw', agent.stateDir)
      await untilWritable(agent, true)
      await eventually('an end of what was kept', async () => ((await generationsOf(topology)) < 3 ? true : undefined))
      t.equal(await pair.servedAt(agent, since), since, 'what the kernel had kept is not missed')
      t.equal(timesSaid(agent.log(), /state can be written again/), 1)
      await agent.kill()
      since += await pair.send(5)
      await agent.start()
      t.equal(await pair.servedAt(agent, since), since, 'exact from then on')
      t.same(watcher.falls(await agent.metrics()), [])
    })

    t.test('a directory that is full', async (t) => {
      const prepareState = async (folder: string): Promise<void> => mount('-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder)
      const options = { flows: { interval: '200ms', rotateInterval: '1s' } }
      const { topology, agents } = await createLab(t, { spec: ONE_NODE, options, prepareState })
      const agent = agents.on('n1')
      const pair = await createOnePair(topology)
      const watcher = createWatcher()
      let sent = await pair.send(30)
      await pair.servedAt(agent, sent)
      let stopper = ''
      for (const end of ['killed while it is full', 'killed when there is room again'] as const) {
        stopper = await fill(agent.stateDir)
        await untilWritable(agent, false)
        for (let turn = 0; turn < 4; turn++) {
          sent += await pair.send(5)
          t.equal(await pair.servedAt(agent, sent), sent, `${end}: counts, and rotation loses nothing`)
          t.same(watcher.falls(await agent.metrics()), [])
        }
        await eventually('rotations', async () => ((await generationsOf(topology)) >= 3 ? true : undefined))
        t.equal(timesSaid(agent.log(), /level=error msg="state cannot be written: .*ENOSPC/), 1, `${end}: said once`)
        if (end.includes('room')) {
          await rm(stopper)
          await untilWritable(agent, true)
          t.equal(timesSaid(agent.log(), /state can be written again/), 1)
        }
        await agent.kill()
        sent += await pair.send(5)
        await rm(stopper, { force: true })
        await agent.start()
        t.equal(await pair.servedAt(agent, sent), sent, `${end}: exact`)
        t.same(watcher.falls(await agent.metrics()), [])
        t.match((await agent.snapshot()).books, { difference: 0 })
      }
      t.equal(await gapSeconds(agent), 0)
    })
  },
  { timeoutMs: 120_000 },
)
