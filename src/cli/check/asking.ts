// Which of the targets that an agent would ask answer it.
import { type Belief, believedOf, refusedOf } from '../../agent/targets.js'
import type { Deps } from '../../deps.js'
import type { OwnPod, OwnPods } from '../../identity/own-pods.js'
import { createSlots } from '../../slots.js'
import { createHttpGet, type HttpGet } from '../../sources/http-get.js'
import { placeOf, type Target } from '../../sources/scraping.js'
import { type Finding, fail, ok, warn } from './finding.js'

export interface Asked {
  readonly targets: number
  /** Of those that are believed by their namespace alone. */
  readonly pods?: Believed
  /** One for each that did not answer. */
  readonly silent: readonly { readonly place: string; readonly reason: string }[]
}

/** Rejects where it is no answer: of one that is read in pieces, or however else a target is asked. */
type Asking = { readonly maxBytes: number } & (
  | { readonly read: (pieces: AsyncIterable<string>) => Promise<unknown> }
  | { readonly ask: AskOne }
)

export type AskOne = (http: HttpGet, target: Placed, signal: AbortSignal) => Promise<unknown>

type Placed = Target & { readonly url: string }

const ANSWERS_WITHIN_MS = 3_000
const AT_ONCE = 32

export async function askAll(targets: readonly Target[], asking: Asking, deps: Pick<Deps, 'clock'>, signal: AbortSignal): Promise<Asked> {
  const http = createHttpGet({ deadlineMs: ANSWERS_WITHIN_MS, maxBytes: asking.maxBytes }, deps)
  const slots = createSlots(AT_ONCE)
  const silent: { place: string; reason: string }[] = []
  const askOne = async (target: Target): Promise<void> => {
    const { url } = target
    if (url === undefined) return void silent.push({ place: target.pod?.name ?? target.name, reason: 'it has no address yet' })
    await answerOf(http, { target: { ...target, url }, asking, signal }).catch(
      (error: Error) => void silent.push({ place: placeOf(target), reason: error.message }),
    )
  }
  try {
    await Promise.all(targets.map((target) => slots(() => askOne(target))))
  } finally {
    await http.close()
  }
  return { targets: targets.length, silent }
}

interface Question {
  readonly target: Placed
  readonly asking: Asking
  readonly signal: AbortSignal
}

const answerOf = (http: HttpGet, { target, asking, signal }: Question): Promise<unknown> =>
  'ask' in asking ? asking.ask(http, target, signal) : http.read(target.url, asking.read, signal)

/** Those who say that they are one of Istio's: whether their namespace is believed. By namespace and name. */
export interface Believed {
  readonly believed: readonly string[]
  readonly refused: readonly string[]
}

export function beliefIn(pods: Pick<OwnPods, 'live'>, belief: Belief): Believed {
  const named = ({ namespace, name }: OwnPod): string => `${namespace}/${name}`
  const believed = [...believedOf(pods, belief).live()].filter(({ role }) => role === belief.role)
  return { believed: believed.map(named), refused: [...refusedOf(pods, belief)].map(named) }
}

/** `option`: where their namespaces would stand. */
export function findRefused({ pods }: Asked, what: string, option: string): readonly Finding[] {
  const { refused } = pods ?? { refused: [] }
  if (refused.length === 0) return []
  return [warn(`not asked: ${listed(refused)}, of no namespace in ${option}`, `if that is ${what}, add its namespace to ${option}`)]
}

/** No more than a line holds. */
function listed(names: readonly string[]): string {
  const first = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${first} and ${names.length - 3} more` : first
}

interface Told {
  readonly name: readonly [one: string, many: string]
  /** That none answers is then a failure. */
  readonly isWanted: boolean
  readonly remedyOf: (reason: string) => string | undefined
}

/** Of one target at least. */
export function findAnswers({ targets, silent, pods }: Asked, { name, isWanted, remedyOf }: Told): Finding {
  const names = pods && pods.believed.length > 0 ? ` (${listed(pods.believed)})` : ''
  const count = `${targets} ${name[targets === 1 ? 0 : 1]}${names}`
  const [first] = silent
  if (!first) return ok(`${count}, ${targets === 1 ? 'it answers' : 'all answer'}`)
  const answering = targets - silent.length
  const level = answering === 0 && isWanted ? fail : warn
  const reasons = [...new Set(silent.map(({ reason }) => reason))]
  return level(
    `${count}, ${answering} of them ${answering === 1 ? 'answers' : 'answer'}, not ${first.place}: ${first.reason}`,
    ...reasons.flatMap((reason) => remedyOf(reason) ?? []),
  )
}

/** Somebody on the way keeps it from being asked. */
export const isBlocked = (reason: string): boolean => reason.startsWith('it does not answer') || reason.includes('connected')
