// From totals to what the intake has: exact, whatever happens in between.
import t from 'tap'
import type { Family } from '../../../src/model.js'
import { createWorld, FLUSH_MS, type Weather } from './world.js'

const BYTES = 'meshtoll.flow.bytes'

t.test('what is counted arrives once, as counts of what came', async (t) => {
  const world = createWorld()
  await world.start()
  for (const bytes of [100, 0, 7]) {
    if (bytes > 0) world.count('cart', bytes)
    await world.pass(FLUSH_MS)
  }
  world.kill()
  const sent = world.judge.points().filter(({ metric }) => metric === BYTES)
  t.same(
    sent.map(({ value, interval, type, unit, host }) => ({ value, interval, type, unit, host })),
    [100, 7].map((value) => ({ value, interval: 30, type: 1, unit: 'byte', host: 'i-1' })),
    'nothing of a window without bytes',
  )
  t.same(sent[0]?.tags, [
    ...['env:test', 'src_zone:a', 'src_namespace:shop', 'src_owner_kind:deployment', 'src_owner_name:cart', 'scope:cross_zone'],
    ...['kube_namespace:shop', 'kube_deployment:cart'],
  ])
  t.same(world.judge.problems, [])
})

t.test('what was there before the first window is no news; what began since is', async (t) => {
  const world = createWorld()
  world.count('old', 1_000)
  world.clock.advance(5_000)
  await world.start()
  world.count('old', 5)
  world.count('new', 3)
  await world.pass(FLUSH_MS)
  world.kill()
  t.equal(world.judge.sum(BYTES, 'src_owner_name:old'), 5)
  t.equal(world.judge.sum(BYTES, 'src_owner_name:new'), 3)
})

const AMBIGUOUS: readonly Weather[] = ['hangs, kept', 'hangs, not kept', 'resets, kept', 'resets, not kept', '500, kept', 'down', '429']
for (const weather of AMBIGUOUS)
  t.test(`an outage of ten minutes (${weather}), killed within`, async (t) => {
    const world = createWorld()
    await world.start()
    world.weather = weather
    for (let i = 0; i < 20; i++) {
      world.count(`cart-${i % 3}`, 1_000 + i)
      await world.pass(FLUSH_MS)
      if (i === 7 || i === 12) {
        world.kill()
        await world.start()
      }
    }
    t.ok(world.self('behind_seconds') >= 540, 'it says how far it is behind')
    world.weather = 'fine'
    await world.pass(180_000)
    t.equal(world.judge.sum(BYTES), world.truth, 'to the byte')
    for (const name of ['cart-0', 'cart-1', 'cart-2']) t.equal(world.judge.sum(BYTES, `src_owner_name:${name}`), world.truthOf(name), name)
    t.same([world.self('uncertain_bytes_total'), world.self('waiting_windows'), world.judge.problems], [0, 0, []])
    world.kill()
  })

t.test('what waits has a limit: beyond it windows are added together, those that are shortest together first', async (t) => {
  const world = createWorld({ maxWaiting: 70 })
  await world.start()
  world.weather = 'down'
  for (let i = 0; i < 40; i++) {
    for (const name of ['cart', 'web', 'stock']) world.count(name, 1_000 + i)
    await world.pass(FLUSH_MS)
    t.ok(world.self('waiting_windows') <= 9, 'some fourteen points each')
  }
  world.weather = 'fine'
  await world.pass(600_000)
  t.equal(world.judge.sum(BYTES), world.truth, 'the same in sum')
  const intervals = world.judge.points().flatMap(({ metric, interval }) => (metric === BYTES ? [interval ?? 0] : []))
  t.ok(Math.max(...intervals) < 0.8 * 40 * (FLUSH_MS / 1_000), 'no one of them is of nearly all the time')
  t.same(world.judge.problems, [])
  world.kill()
})

t.test('more than an hour: what may have arrived is given up and counted, the rest arrives', async (t) => {
  for (const weather of ['hangs, kept', 'hangs, not kept', 'down'] as const) {
    const world = createWorld()
    await world.start()
    world.weather = weather
    for (let i = 0; i < 150; i++) {
      world.count('cart', 1_000 + i)
      await world.pass(FLUSH_MS)
    }
    world.weather = 'fine'
    await world.pass(300_000)
    const uncertain = world.self('uncertain_bytes_total')
    const missing = world.truth - world.judge.sum(BYTES)
    if (weather === 'down') t.same([missing, uncertain], [0, 0], 'what surely never arrived is not given up')
    if (weather === 'hangs, kept') t.ok(missing === 0 && uncertain > 0, `${weather}: ${uncertain} uncertain, and all there`)
    if (weather === 'hangs, not kept')
      t.ok(missing === uncertain && uncertain > 0, `${weather}: ${missing} missing, ${uncertain} uncertain`)
    t.same(world.judge.problems, [], 'nothing too old was sent')
    world.kill()
  }
})

t.test('a clock that is set back: nothing is sent of a second that the intake does not take yet, none is given twice', async (t) => {
  for (const weather of ['hangs, not kept', 'down'] as const) {
    const world = createWorld()
    await world.start()
    world.weather = weather
    world.count('cart', 100)
    await world.pass(FLUSH_MS)
    world.setClock(-7_200_000)
    world.weather = 'fine'
    world.count('cart', 10)
    await world.pass(600_000)
    t.equal(world.judge.sum(BYTES), 0, weather)
    t.ok(
      world.log.lines.some((line) => JSON.stringify(line).includes('the clock was set back')),
      'it says why',
    )
    await world.pass(7_200_000)
    t.same([world.judge.sum(BYTES), world.self('uncertain_bytes_total'), world.judge.problems], [110, 0, []])
    world.kill()
  }
})

t.test('a clock that is set back an hour while windows wait, and a restart', async (t) => {
  for (const weather of AMBIGUOUS)
    for (const isPutRight of [true, false]) {
      const name = `${weather}, ${isPutRight ? 'and put right' : 'and stays so'}`
      const world = createWorld({ intakeClock: isPutRight ? 'right' : 'ours' })
      const countFor = async (windows: number): Promise<void> => {
        for (let i = 0; i < windows; i++) {
          world.count(`cart-${i % 3}`, 1_000 + i)
          await world.pass(FLUSH_MS)
        }
      }
      await world.start()
      await countFor(2)
      world.weather = weather
      await countFor(10)
      const behind = world.self('behind_seconds')
      world.kill()
      world.setClock(-3_600_000)
      await world.start()
      t.equal(world.self('behind_seconds'), behind, `${name}: it says how long the oldest waits, whatever the clock says`)
      await countFor(10)
      t.equal(world.self('behind_seconds'), behind + 300, name)
      world.weather = 'fine'
      await countFor(10)
      if (isPutRight) world.setClock(3_600_000)
      world.kill()
      await world.start()
      await world.pass(isPutRight ? 180_000 : 3_600_000)
      t.equal(world.judge.sum(BYTES), world.truth, `${name}: to the byte`)
      t.same([world.self('uncertain_bytes_total'), world.self('waiting_windows'), world.judge.problems], [0, 0, []], name)
      t.equal(world.self('behind_seconds'), 0, name)
      world.kill()
    }
})

t.test('a clock that is set back an hour, a restart, and an outage for longer than the intake takes what is old', async (t) => {
  for (const weather of ['hangs, kept', 'hangs, not kept', 'down'] as const) {
    const world = createWorld()
    await world.start()
    world.weather = weather
    for (let i = 0; i < 300; i++) {
      world.count('cart', 1_000 + i)
      await world.pass(FLUSH_MS)
      if (i !== 20) continue
      world.kill()
      world.setClock(-3_600_000)
      await world.start()
    }
    world.weather = 'fine'
    await world.pass(600_000)
    const uncertain = world.self('uncertain_bytes_total')
    const missing = world.truth - world.judge.sum(BYTES)
    // What the process before has tried is not known.
    t.ok(uncertain > 0 && missing === (weather === 'hangs, kept' ? 0 : uncertain), `${weather}: ${missing} missing, ${uncertain} uncertain`)
    t.same([world.self('waiting_windows'), world.judge.problems], [0, []], weather)
    world.kill()
  }
})

t.test('how long the oldest window waits, when the machine has begun anew', async (t) => {
  const world = createWorld()
  await world.start()
  world.weather = 'down'
  await world.pass(FLUSH_MS)
  world.count('cart', 1)
  await world.pass(FLUSH_MS * 2)
  await world.reboot()
  t.equal(world.self('behind_seconds'), 90, 'by the clock, where nothing else says it')
  world.setClock(-3_600_000)
  await world.pass(FLUSH_MS)
  t.equal(world.self('behind_seconds'), 30, 'or else since it began')
  world.kill()
})

t.test('a total that goes back, as after a power cut, is not sent twice', async (t) => {
  const world = createWorld()
  await world.start()
  for (const bytes of [100, -10, 5, 20]) {
    world.count('cart', bytes)
    await world.pass(FLUSH_MS)
  }
  t.equal(world.judge.sum(BYTES), 115)
  world.kill()
})

t.test('a disk that is full in the middle of a window of many pieces', async (t) => {
  for (const isKilled of [false, true]) {
    const world = createWorld({ maxSeries: 5_000 })
    const countAll = (bytes: number): void => {
      for (let i = 0; i < 3_000; i++) world.count(`cart-${i}`, bytes + i)
    }
    await world.start()
    countAll(100)
    await world.pass(FLUSH_MS)
    for (const mode of ['full in the middle of a write', 'full', 'works'] as const) {
      world.disk.mode = mode
      countAll(7)
      await world.pass(FLUSH_MS)
      if (!isKilled) continue
      world.disk.mode = 'works'
      world.kill()
      // What is sent twice in the same second is there once.
      world.clock.advance(5_000)
      await world.start()
    }
    await world.pass(FLUSH_MS * 3)
    t.equal(world.judge.sum(BYTES), world.truth, isKilled ? 'and the process ends' : 'to the byte')
    t.same([world.self('uncertain_bytes_total'), world.judge.problems], [0, []])
    world.kill()
  }
})

t.test('a series that is withdrawn while the disk is full is told of when it can be written', async (t) => {
  const world = createWorld()
  await world.start()
  world.count('cart', 100)
  await world.pass(FLUSH_MS)
  world.disk.mode = 'full'
  for (const [name, bytes] of [
    ['cart', 50],
    ['new', 7],
    ['cart', 3],
  ] as const) {
    world.count(name, bytes)
    await world.pass(FLUSH_MS)
  }
  world.withdraw('cart')
  world.withdraw('new')
  await world.pass(FLUSH_MS * 3)
  world.count('cart', 20)
  await world.pass(FLUSH_MS)
  world.disk.mode = 'works'
  await world.pass(FLUSH_MS * 2)
  t.equal(world.judge.sum(BYTES, 'src_owner_name:cart'), 173, 'and again, as it is there again')
  t.equal(world.judge.sum(BYTES, 'src_owner_name:new'), 7)
  world.count('cart', 1)
  await world.pass(FLUSH_MS * 2)
  t.equal(world.judge.sum(BYTES), world.truth, 'once')
  t.same([world.self('uncertain_bytes_total'), world.judge.problems], [0, []])
  world.kill()
})

const PULLS: Family = { name: 'meshtoll_image_pulls_total', kind: 'counter', labels: ['zone'], help: 'Pulls.' }

t.test('a family that has got another label', async (t) => {
  for (const isOldFile of [false, true]) {
    const world = createWorld()
    const serve = (family: Family, values: readonly number[]): void => {
      const labelsOf = (i: number) => Object.fromEntries(family.labels.map((name) => [name, `${name}-${i}`]))
      world.others = [{ family, series: values.map((value, i) => ({ labels: labelsOf(i), value, sinceMs: 1 })) }]
    }
    const live = async (family: Family, values: readonly number[], later: readonly number[]): Promise<void> => {
      serve(family, values)
      await world.start()
      serve(family, later)
      await world.pass(FLUSH_MS * 2)
      world.kill()
      world.clock.advance(5_000)
    }
    await live(PULLS, [1_000], [1_005])
    await live(PULLS, [1_005], [1_005])
    if (isOldFile) forgetLabels(world.disk.files)
    const wider = isOldFile ? PULLS : { ...PULLS, labels: ['zone', 'registry'] }
    await live(wider, [1_100], [1_107])
    await live(wider, [1_110], [1_110, 40])
    const sent = world.judge.sum('meshtoll.image.pulls')
    if (isOldFile) t.equal(sent, 110 + 40, 'a file that does not say by which labels is of the same ones')
    else t.equal(sent, 5 + 7 + 3 + 40, 'begins where it is; what comes then is news again')
    t.same(world.judge.problems, [])
  }
})

function forgetLabels(files: Map<string, Buffer>): void {
  for (const [name, file] of files) {
    const lines = file.toString().split('\n')
    files.set(name, Buffer.from(lines.filter((line) => !line.includes('{"labels"')).join('\n')))
  }
}
