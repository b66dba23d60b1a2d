// Asks for the controller of a ReplicaSet or a Job until there is an answer.
import type { Clock, Log } from '../../deps.js'
import { fieldsOf } from '../../formats/raw.js'
import { createSlots } from '../../slots.js'
import { controllerOf, type OwnerReference } from '../objects/owner-reference.js'
import { createDeadlines } from './deadlines.js'
import { createTrouble, statusOf } from './trouble.js'

/** What has the controller that is asked for. */
export interface ControllerReference extends OwnerReference {
  readonly namespace: string
}

/** Undefined where it has none. Rejects with a `status` of 404 where there is no such object or it has another uid (`controllerIn`). */
export type ReadController = (reference: ControllerReference, signal: AbortSignal) => Promise<OwnerReference | undefined>

/** Grows from failure to failure; the server's own wish is honoured. */
export interface Backoff {
  nextMs(retryAfterMs?: number): number
}

export interface LookupParts {
  readonly readController: ReadController
  readonly createBackoff: () => Backoff
  /** After this time the answer is that there is none. */
  readonly giveUpMs: number
  readonly clock: Clock
  readonly log: Log
}

/** `lost`: there is no such object any more. `unread`: nobody knows. */
export type Answer = { readonly controller: OwnerReference | undefined } | 'lost' | 'unread'

export interface Lookup {
  /** Rejects only when the signal of `createLookup` is aborted. `isPatient`: tries again after a failure. */
  find(reference: ControllerReference, isPatient: boolean): Promise<Answer>
}

const AT_ONCE = 8
const NOT_FOUND = 404

export function createLookup({ readController, createBackoff, giveUpMs, clock, log }: LookupParts, signal: AbortSignal): Lookup {
  const deadlines = createDeadlines(clock, signal)
  const slots = createSlots(AT_ONCE)
  const trouble = createTrouble(log)

  const read = async (reference: ControllerReference, waiting: AbortSignal): Promise<Answer> => {
    const answer = await slots(() => readController(reference, waiting).catch(lostOrThrow), waiting)
    trouble.worked(reference)
    return answer === 'lost' ? answer : { controller: answer }
  }

  const retry = async (reference: ControllerReference, isPatient: boolean, waiting: AbortSignal): Promise<Answer> => {
    const backoff = createBackoff()
    for (;;) {
      try {
        return await read(reference, waiting)
      } catch (error) {
        if (waiting.aborted) return 'unread'
        trouble.failed(reference, error)
        if (!isPatient) return 'unread'
        await clock.sleep(backoff.nextMs(retryAfterMsOf(error)), waiting).catch(() => undefined)
      }
    }
  }

  const late = (reference: ControllerReference, isPatient: boolean, reason: unknown): void => {
    if (isPatient) trouble.gaveUp(reference)
    else trouble.failed(reference, reason)
  }

  return {
    async find(reference, isPatient) {
      const deadline = deadlines.start(giveUpMs)
      try {
        const answer = await retry(reference, isPatient, deadline.signal)
        signal.throwIfAborted()
        if (answer === 'unread' && deadline.signal.aborted) late(reference, isPatient, deadline.signal.reason)
        return answer
      } finally {
        deadline.release()
      }
    },
  }
}

function lostOrThrow(error: unknown): 'lost' {
  if (statusOf(error) === NOT_FOUND) return 'lost'
  throw error
}

function retryAfterMsOf(error: unknown): number | undefined {
  const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown }
  return typeof retryAfterMs === 'number' ? retryAfterMs : undefined
}

class LostError extends Error {
  override readonly name = 'LostError'
  readonly status = NOT_FOUND
}

/** For a `ReadController`: the controller in what was read as the metadata of the object. Undefined metadata: there is no such object. */
export function controllerIn(metadata: unknown, { kind, namespace, name, uid }: ControllerReference): OwnerReference | undefined {
  const fields = fieldsOf(metadata)
  if (fields.uid !== uid) throw new LostError(`${kind} ${namespace}/${name} with the uid ${uid} is gone`)
  return controllerOf(fields)
}
