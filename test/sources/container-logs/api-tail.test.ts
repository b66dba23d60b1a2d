import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type ApiPlace, followOverApi } from '../../../src/sources/container-logs/api-tail.js'
import type { StampPosition } from '../../../src/sources/container-logs/stamps.js'
import { createKubeletLog } from './kubelet-log.js'

const NOW_MS = 1_700_000_000_250

interface Given {
  readonly isNew?: boolean
  readonly position?: StampPosition
  readonly place?: ApiPlace
}

function createNode(t: Test, { isNew = true, position, place }: Given = {}) {
  const seen: string[] = []
  const waits: number[] = []
  let gate: Promise<void> | undefined
  const clock = {
    now: () => NOW_MS,
    monotonic: () => performance.now(),
    async sleep(ms: number, signal?: AbortSignal) {
      waits.push(ms)
      await gate
      await turn()
      signal?.throwIfAborted()
    },
  }
  const log = createKubeletLog(clock.now)
  const lines = { wanted: ['wanted'], onWanted: (text: string) => void seen.push(text) }
  const { tail, lines: counted } = followOverApi({ place: place ?? log.place, position, isNew, lines }, { clock })
  t.teardown(() => tail.close())
  const read = () => tail.readOn({ signal: new AbortController().signal, untilMs: performance.now() + 5_000 })
  const readAll = async (): Promise<void> => {
    await read().catch(() => undefined)
    for (let i = 0; i < 500 && !log.isHandedOn; i++) await turn()
    await turn()
    await read()
  }
  /** Nobody who waits goes on until what is returned is called. */
  const hold = (): (() => void) => {
    let open = (): void => undefined
    gate = new Promise((resolve) => {
      open = resolve
    })
    return open
  }
  return { log, tail, counted, seen, waits, read, readAll, hold }
}

t.test('where it begins', async (t) => {
  const all = createNode(t)
  all.log.write('wanted 1')
  await all.readAll()
  t.same(all.seen, ['wanted 1'], 'all of a log that is new')
  t.equal(all.log.asked[0]?.sinceMs, undefined)

  const late = createNode(t, { isNew: false })
  t.equal(late.tail.position, undefined, 'nothing before it is heard')
  await late.readAll()
  late.log.write('wanted 2')
  await late.readAll()
  t.same(late.seen, ['wanted 2'], 'else what comes from now on')
  t.equal(late.log.asked[0]?.sinceMs, 1_700_000_000_000, 'from the beginning of the second')
  t.match(late.tail.position, { secondMs: 1_700_000_000_000 })
})

t.test('what there was before a connection is not counted', async (t) => {
  const { log, seen, counted, readAll } = createNode(t, { isNew: false })
  // As of the second that it has to be asked for.
  log.append('2023-11-14T22:13:20.100000000Z wanted too early\n2023-11-14T22:13:20.250000000Z wanted too early\n')
  log.append('the rest of a line, wanted\n')
  log.append('2023-11-14T22:13:20.250000001Z wanted\n')
  await readAll()
  t.same(seen, ['wanted'])
  t.equal(counted.count(), 1)
})

t.test('lines without an end', async (t) => {
  const { log, seen, counted, readAll } = createNode(t)
  log.write(`wanted ${'x'.repeat(700_000)}`)
  log.write('wanted')
  await readAll()
  t.same(
    seen.map((text) => text.length < 10_000),
    [true, true],
    'of the first its beginning',
  )
  t.equal(counted.count(), 2)
  log.breakOff()
  await readAll()
  t.equal(counted.count(), 0, 'once')
})

t.test('no more than there is room for is taken before it is looked at', async (t) => {
  const { log, seen, readAll, read } = createNode(t)
  await readAll()
  const line = `wanted ${'x'.repeat(1_000)}`
  for (let i = 0; i < 5_000; i++) log.write(line)
  for (let i = 0; i < 10_000; i++) await turn()
  t.notOk(log.isHandedOn, 'the rest waits')
  for (let i = 0; i < 1_000 && seen.length < 5_000; i++) await read()
  t.equal(seen.length, 5_000)
})

t.test('failures', async (t) => {
  const { log, seen, waits, read, readAll, hold } = createNode(t)
  await readAll()
  const goOn = hold()
  log.refuse(new Error('403'))
  log.breakOff()
  for (let i = 0; i < 20; i++) await turn()
  t.ok(await read(), 'one is a server that is replaced')
  goOn()
  for (let i = 0; i < 100; i++) await turn()
  await t.rejects(read(), { message: '403' })
  t.same(waits.slice(0, 7), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000], 'ever more seldom')
  log.refuse(undefined)
  log.write('wanted')
  await readAll()
  t.same(seen, ['wanted'])
  t.ok(await read())
})

t.test('no container yet', async (t) => {
  const { tail, read } = createNode(t, { place: { path: '', open: async () => undefined } })
  for (let i = 0; i < 50; i++) {
    await turn()
    t.ok(await read())
  }
  t.equal(tail.position, undefined)
})
