import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { GrowingFiles } from '../../../src/deps.js'
import { growingFiles } from '../../../src/growing-files.js'
import type { LogTarget } from '../../../src/sources/container-logs/following.js'
import { fileLog, podLog } from '../../../src/sources/container-logs/segments.js'
import { createIstiodLog } from '../../../src/sources/istiod-log/source.js'
import { testSourceContract } from '../../contract/source.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { type CriLog, createCriLog, emptyLine, pushLine, sentLine } from '../container-logs/cri-log.js'
import { watchFiles } from '../container-logs/world.js'
import { createWorld, target } from './world.js'

const CAPTURE = readFileSync(join(import.meta.dirname, '../../fixtures/istio/istiod.log'), 'utf8')
  .trimEnd()
  .split('\n')
const CLOCK = { now: () => 1_000_000_000_000, monotonic: () => 0, sleep: async () => undefined }

const folderOf = (t: Test): string => join(t.testdir({ pods: {} }), 'pods/istio-system_istiod-7f9c-x2x4v_11111111/discovery')

function sourceOf(logs: readonly LogTarget[], files: GrowingFiles = growingFiles) {
  const watched = watchFiles(files)
  t.teardown(watched.closeAll)
  const source = createIstiodLog({ logs: () => logs }, { clock: CLOCK, log: createKeptLog(), growingFiles: watched.files })
  source.resume?.(new Map(), 0)
  return source
}

const anywhere = target('uid', podLog('/nowhere'))

// Never absent: it is asked where there is an istiod only. Never torn: what has no end yet is waited for.
testSourceContract(t, {
  empty: () => sourceOf([]),
  failing: (failure) => sourceOf([anywhere], { ...growingFiles, list: () => Promise.reject(failure) }),
  recorded: () => sourceOf([target('uid', fileLog(join(import.meta.dirname, '../../fixtures/istio/istiod.log')))]),
  hanging: () => sourceOf([anywhere], { ...growingFiles, list: () => new Promise(() => undefined) }),
})

interface Node {
  readonly log: CriLog
  readonly world: ReturnType<typeof createWorld>
}

/** With a log that was read to its end. */
async function createNode(t: Test, lines: readonly string[] = []): Promise<Node> {
  const log = createCriLog(folderOf(t))
  for (const line of lines) log.write(line)
  const targets = [target('uid', podLog(log.folder))]
  const world = createWorld(t, () => targets)
  await world.read()
  return { log, world }
}

const causes = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [`ServiceEntry/${name} full`, count]))

t.test('a real log: each line once, each push under the name that it prints', async (t) => {
  const { log, world } = await createNode(t, ['before anybody looked', pushLine('before')])
  for (const line of CAPTURE) log.write(line)
  await world.read()
  t.same(world.served(), {
    causes: {
      'Endpoints/flapper.noisy.svc.cluster.local unforced': 80,
      'ServiceEntry/flapper.noisy.svc.cluster.local unforced': 13,
      'ServiceEntry/checkout.shop.svc.cluster.local forced': 1,
    },
    changes: {
      'default/kubernetes.default.svc.cluster.local/new_service/full': 1,
      'noisy/flapper.noisy.svc.cluster.local/new_service/full': 1,
      'shop/cart.shop.svc.cluster.local/new_service/full': 1,
      'shop/catalog.shop.svc.cluster.local/new_service/full': 1,
      'shop/checkout.shop.svc.cluster.local/new_service/full': 1,
      'shop/orders.rds.example.com/new_service/full': 1,
    },
    sent: { 'cds/shop': 33_338, 'eds/shop': 15_168, 'lds/shop': 196_000, 'cds/noisy': 17_000, 'eds/noisy': 7_989, 'lds/noisy': 98_000 },
    lines: CAPTURE.length,
    events: 109,
    sampledOut: 0,
  })
  await world.read()
  t.equal(world.served().lines, CAPTURE.length, 'nothing new, nothing counted')
})

t.test('what becomes of the files', async (t) => {
  const cases: readonly {
    readonly name: string
    readonly change: (log: CriLog, read: () => Promise<unknown>) => Promise<void> | void
    readonly is: object
    readonly lines: number
  }[] = [
    { name: 'it grows', change: (log) => log.write(pushLine('b')), is: { a: 1, b: 1 }, lines: 2 },
    {
      name: 'a line that has no end yet',
      change: async (log, read) => {
        log.append(`2026-11-21T00:00:00Z stdout F ${pushLine('b').slice(0, 60)}`)
        await read()
        log.append(`${pushLine('b').slice(60)}\n`)
      },
      is: { a: 1, b: 1 },
      lines: 2,
    },
    {
      name: 'a line in parts, with one of another stream between them',
      change: async (log, read) => {
        log.write(pushLine('b').slice(0, 60), { isPartial: true })
        await read()
        log.write(pushLine('c').slice(0, 70), { isPartial: true, stream: 'stderr' })
        log.write(pushLine('b').slice(60))
        log.write(pushLine('c').slice(70), { stream: 'stderr' })
      },
      is: { a: 1, b: 1, c: 1 },
      lines: 3,
    },
    {
      name: 'renamed, and written to before its writer goes over',
      change: async (log, read) => {
        log.write(pushLine('b'))
        log.rotate()
        await read()
        log.write(pushLine('c'))
      },
      is: { a: 1, b: 1, c: 1 },
      lines: 3,
    },
    {
      name: 'renamed several times, and packed, between two reads',
      change: (log) => {
        for (const name of ['b', 'c', 'd']) {
          log.write(pushLine(name))
          log.rotate()
        }
        log.pack()
        log.write(pushLine('e'))
      },
      is: { a: 1, b: 1, c: 1, d: 1, e: 1 },
      lines: 5,
    },
    {
      name: 'packed after it was read to its end',
      change: async (log, read) => {
        log.rotate()
        await read()
        log.write(pushLine('b'))
        log.rotate()
        log.pack()
        await read()
        log.write(pushLine('c'))
      },
      is: { a: 1, b: 1, c: 1 },
      lines: 3,
    },
    {
      name: 'the container is started again',
      change: (log) => {
        log.write(pushLine('b'))
        log.restart()
        log.write(pushLine('c'))
      },
      is: { a: 1, b: 1, c: 1 },
      lines: 3,
    },
    {
      name: 'truncated',
      change: (log) => {
        log.truncate()
        log.write(pushLine('b'))
      },
      is: { a: 1, b: 1 },
      lines: 2,
    },
    {
      name: 'truncated, and longer than before by the next read',
      change: (log) => {
        log.truncate()
        for (let i = 0; i < 20; i++) log.write(pushLine('b'))
      },
      is: { a: 1, b: 20 },
      lines: 21,
    },
    {
      name: 'deleted before it was read to its end',
      change: (log) => {
        log.write(pushLine('b'))
        log.rotate()
        log.removeOldest()
        log.write(pushLine('c'))
      },
      is: { a: 1, b: 1, c: 1 },
      lines: 3,
    },
  ]
  for (const { name, change, is, lines } of cases) {
    await t.test(name, async (t) => {
      const { log, world } = await createNode(t, ['before'])
      log.write(pushLine('a'))
      await world.read()
      await change(log, () => world.read())
      await world.read()
      t.same(world.served().causes, causes({ ...is }), 'causes')
      t.equal(world.served().lines, lines, 'lines')
    })
    // Where the process ends before each change, it has no file open: what was deleted meanwhile is lost, all else is not.
    if (name.startsWith('deleted')) continue
    await t.test(`${name}, while there is no agent`, async (t) => {
      const { log, world } = await createNode(t, ['before'])
      log.write(pushLine('a'))
      await world.read()
      await change(log, () => world.kill())
      await world.kill()
      await world.read()
      t.same(world.served().causes, causes({ ...is }), 'causes')
      t.equal(world.served().lines, lines, 'lines')
    })
  }
})

t.test('what is written to a file after the next one has begun', async (t) => {
  const { log, world } = await createNode(t, ['before'])
  log.rotate()
  const [renamed = ''] = readdirSync(log.folder)
  log.write(pushLine('b'))
  world.meanwhile(() => appendFileSync(join(log.folder, renamed), `2026-11-21T00:00:00Z stderr F ${pushLine('a')}\n`))
  await world.read()
  t.same(world.served().causes, causes({ a: 1, b: 1 }))
})

t.test('where it begins', async (t) => {
  const early = 1_000_000_000_000 - 60_000
  const cases = [
    { name: 'at its end, where it was there before', beginsMs: early, lines: 0 },
    { name: 'at its beginning, where that is after the last read', beginsMs: 1_000_000_000_000 + 20_000, lines: 2 },
  ]
  for (const { name, beginsMs, lines } of cases) {
    for (const isKilled of [false, true]) {
      const targets: LogTarget[] = []
      const world = createWorld(t, () => targets)
      await world.read()
      if (isKilled) await world.kill()
      const log = createCriLog(join(folderOf(t), `${name}${isKilled}`), beginsMs)
      for (const line of ['first', pushLine('a')]) log.write(line)
      targets.push(target('uid', podLog(log.folder)))
      await world.read()
      t.equal(world.served().lines, lines, `${name}${isKilled ? ', by the process before' : ''}`)
      log.write(pushLine('b'))
      await world.read()
      t.equal(world.served().lines, lines + 1, `${name}: then what is new`)
    }
  }
  const folder = folderOf(t)
  const world = createWorld(t, () => [target('uid', podLog(folder))])
  for (let i = 0; i < 2; i++) await world.read()
  t.same(world.log.lines, [], 'nothing is said of one that is not there yet')
  const log = createCriLog(folder, world.nowMs + 1_000)
  log.write(pushLine('a'))
  await world.read()
  t.same(world.served().causes, causes({ a: 1 }), 'which is read from its beginning')
})

t.test('a pod that is gone', async (t) => {
  const log = createCriLog(folderOf(t))
  log.write('before')
  const targets = [target('uid', podLog(log.folder))]
  const world = createWorld(t, () => targets)
  await world.read()
  log.write(pushLine('last'))
  rmSync(log.folder, { recursive: true })
  targets.length = 0
  const readings = await world.read()
  t.same(world.served().causes, causes({ last: 1 }), 'what it wrote last is counted')
  t.equal(world.openFiles, 0)
  t.same(readings.at(-1), { kind: 'mark', name: 'uid', value: undefined }, 'and where it was is forgotten')
  t.same(await world.read(), [])
})

t.test('one that went while there was no agent is forgotten after a while', async (t) => {
  const log = createCriLog(folderOf(t))
  log.write('before')
  const targets = [target('uid', podLog(log.folder))]
  const world = createWorld(t, () => targets)
  await world.read()
  await world.kill()
  targets.length = 0
  t.same(await world.read(), [], 'not at once: its pod may be heard of later')
  world.pass(600_000)
  t.same(await world.read(), [{ kind: 'mark', name: 'uid', value: undefined }])
  t.same(await world.read(), [])
})

t.test('a file that logrotate keeps', async (t) => {
  const folder = t.testdir({})
  const path = join(folder, 'istiod.log')
  writeFileSync(path, 'before\n')
  const world = createWorld(t, () => [target(path, fileLog(path))])
  await world.read()
  appendFileSync(path, `${pushLine('a')}\n`)
  renameSync(path, `${path}.1`)
  writeFileSync(path, `${pushLine('b')}\n`)
  await world.read()
  t.same(world.served().causes, causes({ a: 1, b: 1 }), 'renamed')
  await world.kill()
  appendFileSync(path, `${pushLine('c')}\n`)
  writeFileSync(`${path}.1`, readFileSync(path))
  writeFileSync(path, `${pushLine('d')}\n`)
  await world.read()
  t.same(world.served().causes, causes({ a: 1, b: 1, c: 1, d: 1 }), 'copied and truncated, while there was no agent')
})

t.test('too many lines that tell something: the first of a read are looked into, the others counted', async (t) => {
  const { log, world } = await createNode(t, ['before'])
  const [push, empty, sent] = [pushLine('a'), emptyLine('a'), sentLine('shop')].map((line) => `2026-11-21T00:00:00Z stdout F ${line}\n`)
  log.append(`${sent}`.repeat(60_000) + `${push}${empty}`.repeat(6_000))
  await world.read()
  const change = 'shop/a.shop.svc.cluster.local/no_endpoints/incremental'
  t.same(
    world.served(),
    {
      causes: causes({ a: 2_500 }),
      changes: { [change]: 2_500 },
      sent: { 'cds/shop': 50_000_000 },
      lines: 72_000,
      events: 2_500,
      sampledOut: 17_000,
    },
    'what was sent leaves the others their room',
  )
  log.append(`${push}${empty}${sent}`)
  await world.read()
  t.match(
    world.served(),
    { causes: causes({ a: 2_501 }), changes: { [change]: 2_501 }, sent: { 'cds/shop': 50_001_000 }, lines: 72_003, sampledOut: 17_000 },
    'at the next read anew',
  )
})

t.test('a line feed in a message makes no entry', async (t) => {
  const { log, world } = await createNode(t, ['before'])
  const [, , scope, message] = pushLine('a').split('\t')
  for (const line of [`2026-11-21T05:46:20.275502Z\terror\tdelta\tADS:LDS: ACK ERROR`, `${message}`, `info\t${scope}\t${message}`])
    log.write(line)
  await world.read()
  t.match(world.served(), { causes: {}, lines: 3, events: 0 })
})

t.test('lines without an end', async (t) => {
  const { log, world } = await createNode(t, ['before'])
  log.append('x'.repeat(700_000))
  await world.read()
  log.append(`${'x'.repeat(700_000)}\n`)
  log.write(pushLine('a'))
  for (let i = 0; i < 20; i++) log.write('y'.repeat(16_000), { isPartial: true })
  log.write('z')
  log.write(pushLine('b'))
  await world.read()
  t.match(world.served(), { causes: causes({ a: 1, b: 1 }), lines: 4, events: 2, sampledOut: 0 })
})

t.test('where each event of a push has its line, the one that most of them name', async (t) => {
  const trigger = (names: string): string =>
    `2026-11-21T05:46:20.275502Z\tinfo\tfullpush\tfull push triggered configs=[${names}] reasons=[config]`
  const cases = [
    { name: 'all of them', triggers: ['ServiceEntry/shop/b', 'ServiceEntry/shop/a ServiceEntry/shop/b'], is: 'b' },
    { name: 'not all of them: there are endpoints among them', triggers: ['ServiceEntry/shop/b'], is: 'a' },
    { name: 'no names', triggers: ['', ''], is: 'a' },
  ]
  for (const { name, triggers, is } of cases) {
    const { log, world } = await createNode(t, ['before'])
    for (const one of triggers) log.write(trigger(one))
    log.write(pushLine('a and 1 more configs', 2))
    log.write(pushLine('c', 0))
    await world.read()
    t.same(world.served().causes, causes({ [is]: 1, c: 1 }), name)
  }
})

t.test('a log that cannot be read', async (t) => {
  const log = createCriLog(folderOf(t))
  log.write('before')
  const refused = Object.assign(new Error('EACCES: permission denied, open'), { code: 'EACCES' })
  let isRefused = false
  const files: GrowingFiles = {
    ...growingFiles,
    list: (folder) => (isRefused && folder === log.folder ? Promise.reject(refused) : growingFiles.list(folder)),
  }
  const other = createCriLog(join(log.folder, '../../other/discovery'))
  other.write('before')
  const world = createWorld(t, () => [target('uid', podLog(log.folder)), target('other', podLog(other.folder))], files)
  await world.read()
  isRefused = true
  for (const name of ['a', 'b']) {
    log.write(pushLine(name))
    other.write(pushLine(name))
    await world.read()
  }
  t.same(world.served().causes, causes({ a: 1, b: 1 }), 'the other one is read all the same')
  t.equal(world.log.lines.length, 1)
  t.match(world.log.lines[0], /^warn log cannot be read .*permission denied, open; let the agent's user read it/)
  isRefused = false
  await world.read()
  t.match(world.log.lines.at(-1), /^info log can be read again/)
  t.same(world.served().causes, causes({ a: 2, b: 2 }), 'and this one where it was left')
})

t.test('of what is sent no sum is more than a counter may be', async (t) => {
  const log = createCriLog(folderOf(t))
  const world = createWorld(t, () => [target('istiod', podLog(log.folder))])
  log.write('')
  await world.read()
  for (const size of ['9.0PB', '9.0PB', '5B', '1.0EB']) log.write(sentLine('shop', size))
  await world.read()
  t.same(world.served().sent, { 'cds/shop': 9e15 + 5 })
})

t.test('of what is sent no more names are held than a mesh has, and nothing of it is lost', async (t) => {
  const { log, world } = await createNode(t, ['before'])
  for (let i = 0; i < 5_100; i++) log.write(sentLine(`n${i}`))
  log.write(sentLine('n0'))
  log.write(sentLine('shop').replace('CDS', 'ZZZ'))
  await world.read()
  const { sent } = world.served()
  t.equal(Object.keys(sent).length, 5_002)
  t.match(sent, { 'cds/_other': 100_000, 'cds/n0': 2_000, 'cds/n4999': 1_000, '_unknown/_other': 1_000 })
})

t.test('a log that tells too much leaves another its share', async (t) => {
  const folder = folderOf(t)
  const [loud, quiet] = [createCriLog(`${folder}-loud`), createCriLog(`${folder}-quiet`)]
  const world = createWorld(t, () => [target('loud', podLog(loud.folder)), target('quiet', podLog(quiet.folder))])
  for (const log of [loud, quiet]) log.write('before')
  await world.read()
  loud.append(`2026-11-21T00:00:00Z stdout F ${pushLine('loud')}\n`.repeat(6_000))
  quiet.write(pushLine('quiet'))
  await world.read()
  t.match(world.served(), { causes: causes({ loud: 2_500, quiet: 1 }), sampledOut: 3_500 })
})
