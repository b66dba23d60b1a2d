// How long something took: wall time, CPU time of this process, and the longest that the event loop was held meanwhile.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Timing {
  readonly wallMs: number
  readonly cpuMs: number
  /** Of a timer that is due every millisecond: 1.1 when nothing holds it up. */
  readonly blockMs: number
}

export async function timed(action: () => Promise<unknown>): Promise<Timing> {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  // Its first tick only begins to count.
  await sleep(5)
  const cpu = process.cpuUsage()
  const start = performance.now()
  await action()
  const wallMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  // What held the loop to the last is seen by the next tick only.
  await sleep(5)
  loop.disable()
  return { wallMs, cpuMs: (user + system) / 1_000, blockMs: loop.max / 1e6 }
}

export async function timedOften(times: number, action: () => Promise<unknown>): Promise<readonly Timing[]> {
  const timings: Timing[] = []
  for (let i = 0; i < times; i++) timings.push(await timed(action))
  return timings
}
