// Loaded into a program before its own first line (node --import URL?to=FILE): once a second, for how long its loop was held in that second
// at most, on a clock and in CPU time of its thread, and what its memory is, one JSON text a line. So a program is measured as it is built.
import { appendFileSync, openSync, readSync } from 'node:fs'

const to = new URL(import.meta.url).searchParams.get('to') ?? ''
const schedstat = openSync('/proc/self/schedstat', 'r')
const line = Buffer.alloc(64)

/** Its first number is nanoseconds on a CPU (Documentation/scheduler/sched-stats.rst). */
function cpuMs() {
  const length = readSync(schedstat, line, 0, line.length, 0)
  return Number.parseInt(line.toString('latin1', 0, length), 10) / 1e6
}

let most = { blockMs: 0, blockCpuMs: 0 }
let [atMs, usedMs] = [performance.now(), cpuMs()]
setInterval(() => {
  const [nowMs, nowUsedMs] = [performance.now(), cpuMs()]
  most = { blockMs: Math.max(most.blockMs, nowMs - atMs), blockCpuMs: Math.max(most.blockCpuMs, nowUsedMs - usedMs) }
  ;[atMs, usedMs] = [nowMs, nowUsedMs]
}, 1).unref()
setInterval(() => {
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
  appendFileSync(to, `${JSON.stringify({ ...most, rss, heapTotal, heapUsed, external })}\n`)
  most = { blockMs: 0, blockCpuMs: 0 }
}, 1_000).unref()
