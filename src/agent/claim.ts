// Sees to it that all others know for whom bytes are posted here: by the Lease of this node.
import type { NodeFacts } from '../identity/objects/node.js'
import type { ApiServer } from './api-server.js'
import type { CoverageRecord } from './coverage-record.js'

export interface ClaimParts {
  readonly api: Pick<ApiServer, 'createLease' | 'deleteLease'>
  readonly record: CoverageRecord
  /** Our own, once it is known. */
  readonly node: NodeFacts | undefined
  readonly isCounting: () => boolean
}

/** Resolves with whether it was made now. */
export async function claim({ api, record, node, isCounting }: ClaimParts, signal: AbortSignal): Promise<boolean> {
  if (!node || !isCounting()) return false
  if (record.isOfAnother(node.uid)) {
    // The Node of our name was made anew: its predecessor's Lease is going to be deleted with it, whenever that is.
    await api.deleteLease(node.name, signal)
    record.renounce()
  }
  if (!record.isMissing) return false
  await api.createLease({ node: node.name, uid: node.uid }, signal)
  return true
}
