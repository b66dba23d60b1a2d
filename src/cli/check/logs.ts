// Which logs of this node an agent may read.
import { within } from '../../deadline.js'
import type { Deps } from '../../deps.js'
import type { ApiPlace } from '../../sources/container-logs/api-tail.js'
import { type LogTarget, whereOf } from '../../sources/container-logs/following.js'
import type { LogPlace } from '../../sources/container-logs/segments.js'

export interface LogFacts {
  readonly readable: number
  readonly unreadable: readonly { readonly folder: string; readonly reason: string }[]
}

type LookDeps = Pick<Deps, 'clock' | 'growingFiles'>

const ANSWERS_WITHIN_MS = 5_000

export async function lookAll(logs: readonly LogTarget[], deps: LookDeps, signal: AbortSignal): Promise<LogFacts> {
  const all = await Promise.all(
    logs.map(async ({ place }) => ({
      folder: whereOf(place),
      reason: 'open' in place ? await askFor(place, deps, signal) : await lookFor(place, deps),
    })),
  )
  const unreadable = all.flatMap(({ folder, reason }) => (reason === undefined ? [] : [{ folder, reason }]))
  return { readable: logs.length - unreadable.length, unreadable }
}

/** Why it cannot be had. */
async function askFor(place: ApiPlace, { clock }: LookDeps, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await within(clock, { ms: ANSWERS_WITHIN_MS, signal }, async (limited) => {
      const pieces = await place.open({ sinceMs: clock.now(), previous: false, follow: false }, limited)
      for await (const _ of pieces ?? []) break
      return pieces ? undefined : 'there is no such container that runs'
    })
  } catch (error) {
    return (error as Error).message
  }
}

async function lookFor(place: LogPlace, { growingFiles }: LookDeps): Promise<string | undefined> {
  try {
    const last = place.inOrder(await growingFiles.list(place.folder)).at(-1)
    if (last === undefined) return 'there is no log'
    const file = await growingFiles.open(`${place.folder}/${last}`)
    await file?.close()
    return file ? undefined : `${last} leads nowhere here: it is a link, as Docker has them`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'permission denied' : String(error)
  }
}
