// Who a pod belongs to: its controller, or what made that where it is made anew at every rollout or run.
import { directOwnerOf, lostOwnerOf, type OwnedPod, type Owner, ownerOf, stepOf } from './owners/direct-owner.js'
import { type Answer, type ControllerReference, createLookup, type LookupParts } from './owners/lookup.js'
import { createRecentlyUsed } from './owners/recently-used.js'

export interface Owners {
  /** At once where nothing need be read. A promise rejects only when the signal of `createOwners` is aborted. */
  ownerOf(pod: OwnedPod): Owner | Promise<Owner>
}

/** `isRead`: the API server said so. After `untilMs` the next use asks again. */
interface Found {
  readonly owner: Owner
  readonly isRead: boolean
  readonly untilMs: number
}

const MAX_FOUND = 10_000
/** A controller changes by adoption only. */
const READ_AGAIN_MS = 3_600_000
/** Where there was no answer, nobody shall wait again for a while. */
const TRY_AGAIN_MS = 300_000

export function createOwners(parts: LookupParts, signal: AbortSignal): Owners {
  const { clock } = parts
  const lookup = createLookup(parts, signal)
  const found = createRecentlyUsed<Found>(MAX_FOUND)
  const underWay = new Map<string, Promise<Owner>>()

  const find = async (pod: OwnedPod, reference: ControllerReference): Promise<Owner> => {
    const before = found.get(reference.uid)
    const answer = await lookup.find(reference, before === undefined)
    // What was read once stands against no answer, and against a ReplicaSet that is gone since.
    const owner = before?.isRead && typeof answer === 'string' ? before.owner : ownerBy(answer, pod, reference)
    const untilMs = clock.monotonic() + (answer === 'unread' ? TRY_AGAIN_MS : READ_AGAIN_MS)
    found.set(reference.uid, { owner, isRead: answer !== 'unread' || before?.isRead === true, untilMs })
    return owner
  }

  const findOnce = (pod: OwnedPod, reference: ControllerReference): Promise<Owner> => {
    const finding = find(pod, reference).finally(() => underWay.delete(reference.uid))
    underWay.set(reference.uid, finding)
    return finding
  }

  return {
    ownerOf(pod) {
      const step = stepOf(pod)
      if (!step) return directOwnerOf(pod)
      const known = found.get(step.uid)
      if (known && clock.monotonic() < known.untilMs) return known.owner
      return underWay.get(step.uid) ?? findOnce(pod, { ...step, namespace: pod.namespace })
    },
  }
}

function ownerBy(answer: Answer, pod: OwnedPod, reference: ControllerReference): Owner {
  if (answer === 'lost') return lostOwnerOf(pod, reference)
  const controller = answer === 'unread' ? undefined : answer.controller
  return controller ? ownerOf(controller.kind, controller.name) : directOwnerOf(pod)
}
