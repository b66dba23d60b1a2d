// Ten minutes in which the intake is down, hangs and resets, and the process is killed twice.
import type { Test } from 'tap'
import { createWorld, FLUSH_MS, type Weather } from './world.js'

const BYTES = 'meshtoll.flow.bytes'
const WEATHERS: readonly Weather[] = ['hangs, kept', 'resets, not kept', 'down', 'resets, kept', 'hangs, not kept']
const WINDOWS = 20
/** After these windows. */
const KILLS = [6, 13]

interface Outage {
  readonly series: number
  /** Windows with new bytes; left out: all. */
  readonly counted?: readonly number[]
}

/** What every series came to is in Datadog, to the byte. */
export async function holdThroughOutage(t: Test, { series, counted }: Outage): Promise<void> {
  const world = createWorld({ maxSeries: series * 2 })
  await world.start()
  for (let window = 0; window < WINDOWS; window++) {
    world.weather = WEATHERS[window % WEATHERS.length] ?? 'down'
    const isCounted = counted?.includes(window) ?? true
    for (let index = 0; index < (isCounted ? series : 0); index++) world.count(`owner-${index}`, 1_000 + index + window)
    await world.pass(FLUSH_MS)
    if (!KILLS.includes(window)) continue
    world.kill()
    await world.start()
  }
  world.weather = 'fine'
  await world.pass(600_000)
  t.equal(world.judge.sum(BYTES), world.truth, 'to the byte')
  const found = new Map<string, number>()
  for (const { metric, tags, value } of world.judge.points())
    if (metric === BYTES) found.set(tags[4] ?? '', (found.get(tags[4] ?? '') ?? 0) + value)
  let wrong = 0
  for (let index = 0; index < series; index++) if (found.get(`src_owner_name:owner-${index}`) !== world.truthOf(`owner-${index}`)) wrong++
  t.equal(wrong, 0, 'each series')
  t.same([world.self('uncertain_bytes_total'), world.judge.problems], [0, []])
  world.kill()
}
