// Whose bytes are posted by which agent, as of the time that they came.
import type { ClockSettings } from '../deps.js'
import type { Placement, Who } from '../model.js'
import { type Held, NOBODY, type Tenant } from './holders.js'
import type { NodeCoverage } from './node-coverage.js'

export type Home = Pick<Tenant, 'node' | 'coverage'>
type Answer = Pick<Placement, 'local' | 'covered'>

export interface HeldBy {
  readonly who: Who
  /** One at least. */
  readonly tenants: readonly Home[]
  readonly isAmbiguous: boolean
  readonly endedMs?: number | undefined
}

/** Of bytes that came between these times. The last of the tenants has the address now. */
export type Place = (held: HeldBy, times: readonly number[]) => Placement

export function createPlacing(coverage: NodeCoverage, doubtMs: ClockSettings['doubtMs']): Place {
  /** Times of a stretch that is wider already by what may be off. */
  const perhaps = (atMs: number): readonly number[] => (doubtMs() === 0 ? [atMs] : [atMs, atMs + 2 * doubtMs()])
  return ({ who, tenants, isAmbiguous, endedMs }, times) => {
    const all = times.flatMap(perhaps)
    const answers = tenants.flatMap((tenant) => all.flatMap((atMs) => coverage.answersFor(tenant, atMs)))
    const last = answers.at(-1) as Answer
    // Where two agents could post them they are rather missed than posted twice.
    const isPerhaps = answers.some(({ covered }) => covered === 'perhaps')
    const areOne = !isPerhaps && answers.every(({ local, covered }) => local === last.local && covered === last.covered)
    const answer = areOne ? last : missed(isPerhaps ? { ...last, covered: 'perhaps' } : last)
    const ambiguous = isAmbiguous || !areOne ? { ambiguous: true as const } : {}
    return Object.freeze({ who, ...answer, ...ambiguous, ...(endedMs === undefined ? {} : { endedMs }) })
  }
}

/** Bytes wait. */
export const isPending = ({ local, covered }: Answer): boolean => local === 'unknown' || covered === 'unknown'

/** What lives here is handed over; all else is another's, or perhaps is. */
export const missed = ({ local, covered }: Answer): Answer =>
  local === 'no' ? { local, covered: covered === 'perhaps' ? covered : 'yes' } : { local: 'joining', covered: 'no' }

/** Not told of yet. */
export const NOT_TOLD: Placement = Object.freeze({ who: NOBODY, local: 'unknown', covered: 'unknown' })

/** Somebody may have had it meanwhile who is not known. */
export const missedOf = (placement: Placement): Placement => Object.freeze({ ...placement, who: NOBODY, ambiguous: true })

/** Of somebody who is not known, after somebody of another node: the agent of that one may post the same. */
export const notTwice = ({ isMissed }: Pick<Held, 'isMissed'>, placement: Placement, before: Placement | undefined): Placement =>
  isMissed && before?.local === 'no' && placement.local !== 'no' ? Object.freeze({ ...placement, ...missed(placement) }) : placement
