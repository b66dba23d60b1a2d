// Does the steps of a plan, one after the other: whatever stops it, the next run goes on from there.
import type { Api } from './api.js'
import type { Found } from './objects.js'
import type { Step } from './plan.js'
import { nameOf } from './render.js'

/** Of all that would be written, before anything is. */
export async function refusalsOf(steps: readonly Step[], api: Pick<Api, 'validate'>): Promise<readonly string[]> {
  const refused: string[] = []
  for (const step of steps) {
    if (step.does !== 'create' && step.does !== 'change') continue
    const words = await api.validate(step.wanted, step.does === 'change' ? step.found.key : undefined)
    if (words !== undefined) refused.push(`${nameOf(step)}: ${words}`)
  }
  return refused
}

/** `done`: a line for each that is. Rejects at the first that cannot be done. */
export async function applyPlan(
  steps: readonly Step[],
  { api, prune, done }: { readonly api: Api; readonly prune: boolean; readonly done: (line: string) => void },
): Promise<void> {
  const doing = steps.filter(({ does }) => does !== 'keep' && (does !== 'remove' || prune))
  for (const [at, step] of doing.entries()) {
    try {
      done(await doStep(step, api))
    } catch (error) {
      const { message } = error as Error
      throw new Error(`${at} of ${doing.length} are done, ${nameOf(step)} is not: ${message}; run it again to go on`, { cause: error })
    }
  }
}

async function doStep(step: Step, api: Api): Promise<string> {
  const keyOf = ({ key }: Found): string => `(${key})`
  if (step.does === 'create') return `created ${nameOf(step)} (${await api.create(step.wanted)})`
  if (step.does === 'change') await api.change(step.wanted, step.found.key)
  if (step.does === 'remove') await api.remove(step.found)
  return `${step.does === 'change' ? 'changed' : 'removed'} ${nameOf(step)} ${keyOf(step.found)}`
}
