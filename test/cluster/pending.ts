// How long bytes wait in the books of agents until it is known whose they are.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Agents } from '../lab/agents.js'

interface Sample {
  readonly atMs: number
  readonly bytes: number
}

export interface Waited {
  /** In which there was something that waits. */
  readonly longestMs: number
  /** At least so much waited for longer than what was given. */
  readonly overdueBytes: number
}

export interface PendingSamples {
  stop(withinMs: number): Promise<Waited>
}

const EVERY_MS = 1_000

/** From now on, each second, until it is stopped. */
export function samplePending(agents: Agents): PendingSamples {
  const byNode = agents.all.map((): Sample[] => [])
  let isOver = false
  async function sample(): Promise<void> {
    while (!isOver) {
      const served = await Promise.all(agents.all.map((agent) => agent.snapshot()))
      for (const [index, { books }] of served.entries()) byNode[index]?.push({ atMs: performance.now(), bytes: books.pending })
      await sleep(EVERY_MS)
    }
  }
  const sampling = sample()
  // Whoever stops it hears of that.
  sampling.catch(() => undefined)
  return {
    async stop(withinMs) {
      isOver = true
      await sampling
      return {
        longestMs: Math.max(...byNode.flatMap(waitsOf)),
        overdueBytes: Math.max(...byNode.flatMap((samples) => overdueIn(samples, withinMs))),
      }
    },
  }
}

/** Of each sample: since when something has waited without a break. */
function waitsOf(samples: readonly Sample[]): readonly number[] {
  let sinceMs: number | undefined
  return samples.map(({ atMs, bytes }) => {
    sinceMs = bytes > 0 ? (sinceMs ?? atMs) : undefined
    return sinceMs === undefined ? 0 : atMs - sinceMs
  })
}

/** What waits at each sample was there at every one of the time before it, or no more than so much of it. */
const overdueIn = (samples: readonly Sample[], withinMs: number): readonly number[] =>
  samples.map(({ atMs }, index) => {
    const before = samples.slice(0, index + 1).filter((one) => one.atMs >= atMs - withinMs)
    const isWhole = samples.some((one) => one.atMs < atMs - withinMs)
    return isWhole ? Math.min(...before.map(({ bytes }) => bytes)) : 0
  })
