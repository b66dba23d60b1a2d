import t from 'tap'
import { createScraping, nextDueMs, type Target } from '../../src/sources/scraping.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

const INTERVAL_MS = 15_000
const never = new AbortController().signal
const targetOf = (name: string, url: string | undefined = `http://${name}`): Target => ({ name, url, labels: {} })
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Whoever is asked answers with how often it was, or waits to be answered. */
function createAsked({ targets, holds = () => false }: { targets: Target[]; holds?: (name: string) => boolean }) {
  const clock = createHandClock()
  const log = createKeptLog()
  const asked: { name: string; atMs: number }[] = []
  const left: (string | undefined)[] = []
  const held = new Map<string, (failure?: string) => void>()
  const failing = new Map<string, string>()
  let atOnce = 0
  let mostAtOnce = 0
  const scraping = createScraping<number>(
    {
      name: 'envoy',
      intervalMs: INTERVAL_MS,
      targets: () => targets,
      async ask({ name }) {
        asked.push({ name, atMs: clock.monotonic() })
        mostAtOnce = Math.max(mostAtOnce, ++atOnce)
        const failure = holds(name) ? await new Promise<string | undefined>((resolve) => held.set(name, resolve)) : failing.get(name)
        atOnce--
        if (failure !== undefined) throw new Error(failure)
        return asked.filter((one) => one.name === name).length
      },
      leave: ({ url }) => left.push(url),
    },
    { clock, log },
  )
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500)
      await turn()
    }
  }
  const read = async () =>
    Object.fromEntries((await scraping.read(never)).map(({ target, said, failure }) => [target.name, said ?? failure]))
  return {
    ...{ scraping, clock, log, asked, left, held, failing, pass, read },
    get mostAtOnce() {
      return mostAtOnce
    },
  }
}

t.test('the moment of a target', async (t) => {
  const names = Array.from({ length: 1_000 }, (_, i) => `http://10.0.0.${i}:15090/stats/prometheus`)
  const counts = new Map<number, number>()
  for (const name of names) {
    const dueMs = nextDueMs(name, INTERVAL_MS, 1_000_000)
    t.ok(dueMs > 1_000_000 && dueMs <= 1_000_000 + INTERVAL_MS, 'within the interval')
    t.equal(nextDueMs(name, INTERVAL_MS, dueMs), dueMs + INTERVAL_MS, 'once in each')
    t.equal(nextDueMs(name, INTERVAL_MS, dueMs - 1), dueMs, 'always the same')
    const second = Math.floor((dueMs - 1_000_000) / 1_000)
    counts.set(second, (counts.get(second) ?? 0) + 1)
  }
  t.ok(Math.max(...counts.values()) < 120, 'spread over all of it')
})

t.test('each is asked once in an interval, at its moment', async (t) => {
  const targets = ['a', 'b', 'c'].map((name) => targetOf(name))
  const here = createAsked({ targets })
  const abort = new AbortController()
  const running = here.scraping.run(abort.signal)
  await here.pass(INTERVAL_MS * 3)
  for (const { name } of targets) {
    const times = here.asked.filter((one) => one.name === name).map(({ atMs }) => atMs)
    t.same(
      times.map((atMs) => atMs - (times[0] ?? 0)),
      [0, INTERVAL_MS, 2 * INTERVAL_MS],
      name,
    )
  }
  abort.abort()
  await running
  await here.pass(INTERVAL_MS)
  t.equal(here.asked.length, 9, 'not after the end')
})

t.test('a read asks whoever was never asked, and nobody else', async (t) => {
  const targets = [targetOf('a')]
  const here = createAsked({ targets })
  t.same(await here.read(), { a: 1 })
  targets.push(targetOf('b'), { ...targetOf('c'), url: undefined })
  t.same(await here.read(), { a: 1, b: 1, c: undefined })
  t.same(await here.read(), { a: 1, b: 1, c: undefined }, 'what has no address yet is there all the same')
  targets.splice(0, 1)
  t.same(Object.keys(await here.read()), ['b', 'c'], 'one is gone')
  t.same(here.left, ['http://a'])
  targets[0] = targetOf('b', 'http://b2')
  await here.read()
  t.same(here.left, ['http://a', 'http://b'], 'one has another address')
})

t.test('few at a time, and those that failed wait for nobody but each other', async (t) => {
  const targets = Array.from({ length: 40 }, (_, i) => targetOf(`dead${i}`))
  const here = createAsked({ targets, holds: (name) => name.startsWith('dead') })
  const first = here.read()
  for (let answered = 0; answered < 40; ) {
    await turn()
    for (const [name, answer] of here.held) {
      here.held.delete(name)
      answer('it hung up')
      answered++
    }
  }
  await first
  t.equal(here.mostAtOnce, 32)
  targets.push(...['a', 'b'].map((name) => targetOf(name)))
  const abort = new AbortController()
  const running = here.scraping.run(abort.signal)
  await here.pass(INTERVAL_MS)
  t.equal(here.held.size, 8, 'the dead hang')
  t.ok(
    ['a', 'b'].every((alive) => here.asked.some(({ name }) => name === alive)),
    'the others were asked',
  )
  t.match(await here.read(), { a: 1, b: 1, dead39: 'it hung up' })
  abort.abort()
  for (const answer of here.held.values()) answer()
  await running
})

t.test('why they do not answer is said once for all of them, when it lasts', async (t) => {
  const targets = ['a', 'b', 'c'].map((name) => targetOf(name))
  const here = createAsked({ targets })
  for (const { name } of targets) here.failing.set(name, 'it answers 403')
  const abort = new AbortController()
  const running = here.scraping.run(abort.signal)
  t.same(await here.read(), { a: 'it answers 403', b: 'it answers 403', c: 'it answers 403' })
  t.same(here.log.lines, [], 'it may be coming up')
  for (let rounds = 0; rounds < 3; rounds++) {
    await here.pass(INTERVAL_MS)
    await here.read()
  }
  const first = { source: 'envoy', reason: 'it answers 403', targets: 3, first: 'http://a' }
  t.same(here.log.lines, [`warn targets do not answer ${JSON.stringify(first)}`])
  here.failing.clear()
  await here.pass(INTERVAL_MS)
  await here.read()
  t.same(here.log.lines.slice(1), ['info targets answer again {"source":"envoy","reason":"it answers 403"}'])
  abort.abort()
  await running
})

t.test('one that fails now in this way, now in that, is no news each time', async (t) => {
  const here = createAsked({ targets: [targetOf('a')] })
  const life = new AbortController()
  t.teardown(() => life.abort())
  void here.scraping.run(life.signal)
  for (let i = 0; i < 8; i++) {
    here.failing.set('a', i % 2 === 0 ? 'it hung up' : 'nobody listens there')
    await here.pass(INTERVAL_MS)
    await here.read()
  }
  t.equal(here.log.lines.length, 2, here.log.lines.join('\n'))
  here.failing.clear()
  await here.pass(INTERVAL_MS)
  await here.read()
  t.same(
    here.log.lines.slice(2).toSorted(),
    ['it hung up', 'nobody listens there'].map((reason) => `info targets answer again ${JSON.stringify({ source: 'envoy', reason })}`),
  )
})

t.test('those that do not answer at once are not waited for', async (t) => {
  const here = createAsked({ targets: ['a', 'dead'].map((name) => targetOf(name)), holds: (name) => name === 'dead' })
  const reading = here.read()
  await here.clock.untilSleeping(2_000)
  here.clock.advance(2_000)
  t.same(await reading, { a: 1, dead: undefined })
})

t.test('an aborted read', async (t) => {
  const here = createAsked({ targets: [targetOf('a')] })
  const reason = new Error('the cycle is over')
  await t.rejects(here.scraping.read(AbortSignal.abort(reason)), reason)
})
