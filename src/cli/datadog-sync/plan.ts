// What is to be done so that Datadog has what is wanted: a function of the two alone, so that a run that was cut short is gone on with.
import { type Difference, differencesOf } from './compare.js'
import { type Found, type Json, tagsOf, titleOf, type Wanted } from './objects.js'

export type Step =
  | { readonly does: 'create'; readonly wanted: Wanted }
  | { readonly does: 'change'; readonly wanted: Wanted; readonly found: Found; readonly differences: readonly Difference[] }
  | { readonly does: 'keep'; readonly wanted: Wanted; readonly found: Found }
  /** Nothing is wanted of that id; or another has it too, such as a copy somebody made. */
  | { readonly does: 'remove'; readonly found: Found; readonly why: 'not wanted' | 'a copy' }

/** `wanted` of a step is what to send: tags that others added to a monitor stay. */
export function planOf(wanted: readonly Wanted[], found: readonly Found[]): readonly Step[] {
  const chosen = new Map(wanted.map((one) => [one, oneOf(found, one)]))
  const steps = wanted.map((one) => stepOf(one, chosen.get(one)))
  const taken = new Set(chosen.values())
  const left = found.filter((one) => !taken.has(one))
  return [...steps, ...left.map((one) => ({ does: 'remove' as const, found: one, why: whyOf(one, wanted) }))]
}

const whyOf = ({ kind, id }: Found, wanted: readonly Wanted[]): 'not wanted' | 'a copy' =>
  wanted.some((one) => one.kind === kind && one.id === id) ? 'a copy' : 'not wanted'

/** A copy has the same tags and another name; of two with one name the older is the one. */
function oneOf(found: readonly Found[], { kind, id, body }: Wanted): Found | undefined {
  const candidates = found.filter((one) => one.kind === kind && one.id === id).toSorted(byKey)
  return candidates.find((one) => titleOf(kind, one.body) === titleOf(kind, body)) ?? candidates[0]
}

const byKey = (a: Found, b: Found): number => a.key.length - b.key.length || (a.key < b.key ? -1 : 1)

function stepOf(one: Wanted, found: Found | undefined): Step {
  if (!found) return { does: 'create', wanted: one }
  const wanted = one.kind === 'monitor' ? { ...one, body: withTags(one.body, found.body) } : one
  const differences = differencesOf(wanted.body, found.body)
  return differences.length === 0 ? { does: 'keep', wanted, found } : { does: 'change', wanted, found, differences }
}

const withTags = (body: Json, found: Json): Json => ({
  ...body,
  tags: [...new Set([...tagsOf('monitor', body), ...tagsOf('monitor', found)])],
})
