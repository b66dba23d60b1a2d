// The last steps of an agent. Its kernel table stays for the agent that comes after it, and goes where none does.
import { within } from '../deadline.js'
import type { Deps } from '../deps.js'
import type { Cluster } from './cluster.js'

export interface Ending {
  readonly isRemoved: boolean
  /** Why it could not be removed, or could not be known whether to. */
  readonly why: string
}

export interface Leaving {
  /** Reads a last time, writes down, tells the others and removes the kernel table. Rejects, and the table stays, where one of them fails. */
  remove(signal: AbortSignal): Promise<void>
  /** Of an agent that was stopped; never rejects. */
  end(): Promise<Ending>
}

export interface LeavingParts {
  readonly cluster: Cluster | undefined
  readonly isCounting: () => boolean
  /** Reads all there is. */
  read(signal: AbortSignal): Promise<void>
  /** Reads and writes down a last time. False when the state does not say all that was ever served. */
  finish(): Promise<boolean>
  uninstall(): Promise<void>
}

/** Together, with a last read that takes its time, less than it takes until a stopping process dies (main.ts). */
const ASK_WITHIN_MS = 3_000
const REMOVE_WITHIN_MS = 6_500
const NEVER = new AbortController().signal

export function createLeaving({ cluster, isCounting, read, finish, uninstall }: LeavingParts, { clock }: Pick<Deps, 'clock'>): Leaving {
  /** While others begin to post what our pods send it goes to handover here, so that none of it is posted twice. */
  async function handOver(from: Cluster, signal: AbortSignal): Promise<void> {
    await from.retire()
    await read(signal)
    await from.withdraw(signal)
  }

  async function remove(signal: AbortSignal): Promise<void> {
    if (cluster) await handOver(cluster, signal)
    if (!(await finish())) throw new Error('the kernel table stays: its bytes could not be read or written down; the log says why')
    await uninstall()
  }

  const isLast = (): Promise<boolean> =>
    within(clock, { ms: ASK_WITHIN_MS, signal: NEVER }, async (limited) => cluster?.isLast(limited) ?? false)

  return {
    remove,
    async end() {
      try {
        const isToGo = isCounting() && (await isLast())
        if (isToGo) await within(clock, { ms: REMOVE_WITHIN_MS, signal: NEVER }, remove)
        else await finish()
        return { isRemoved: isToGo, why: '' }
      } catch (error) {
        await finish()
        return { isRemoved: false, why: (error as Error).message }
      }
    },
  }
}
