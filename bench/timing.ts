// How long something took: wall time, CPU time of this process, and the longest that the event loop was held meanwhile.
import { openSync, readSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Timing {
  readonly wallMs: number
  readonly cpuMs: number
  /** Of a timer that is due every millisecond: 1.1 when nothing holds it up. */
  readonly blockMs: number
  /** CPU time that this thread used within a block: without what other programs took from it. */
  readonly blockCpuMs: number
}

export async function timed(action: () => Promise<unknown>): Promise<Timing> {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  const thread = watchThread()
  loop.enable()
  // Its first tick only begins to count.
  await sleep(5)
  thread.reset()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await action()
  const wallMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  // What held the loop to the last is seen by the next tick only.
  await sleep(5)
  loop.disable()
  return { wallMs, cpuMs: (user + system) / 1_000, blockMs: loop.max / 1e6, blockCpuMs: thread.stop() }
}

/** Milliseconds of each time, without anything that watches the loop meanwhile and takes time itself. */
export async function wallOften(times: number, action: () => Promise<unknown>): Promise<readonly number[]> {
  const all: number[] = []
  for (let i = 0; i < times; i++) {
    await sleep(5)
    const start = performance.now()
    await action()
    all.push(performance.now() - start)
  }
  return all
}

export async function timedOften(times: number, action: () => Promise<unknown>): Promise<readonly Timing[]> {
  const timings: Timing[] = []
  for (let i = 0; i < times; i++) timings.push(await timed(action))
  return timings
}

/** Nanoseconds on a CPU are the first number of /proc/thread-self/schedstat (Documentation/scheduler/sched-stats.rst). */
const schedstat = openSync('/proc/thread-self/schedstat', 'r')
const line = Buffer.alloc(64)

function threadCpuMs(): number {
  const length = readSync(schedstat, line, 0, line.length, 0)
  return Number.parseInt(line.toString('latin1', 0, length), 10) / 1e6
}

function watchThread(): { reset(): void; stop(): number } {
  let most = 0
  let before = threadCpuMs()
  const timer = setInterval(() => {
    const now = threadCpuMs()
    most = Math.max(most, now - before)
    before = now
  }, 1)
  return {
    reset() {
      most = 0
      before = threadCpuMs()
    },
    stop() {
      clearInterval(timer)
      return most
    },
  }
}
