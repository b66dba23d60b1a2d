// The near side of a sender.
import { type Asked, startAsked } from './asked.js'

export interface SenderSpec {
  /** The first of `sources` addresses, which must be local where it sends. */
  readonly from: string
  readonly sources: number
  readonly to: string
  readonly destinations: number
  readonly port: number
  /** Payload. */
  readonly size: number
}

/** Rounded up to whole batches of a datagram to each destination. `overMs`: spread evenly over this time. */
export interface Volley {
  readonly packets: number
  readonly overMs?: number
}

/** `cpuNs`: user and system time of the sender, which does all the kernel's work for its packets: veth hands them on in its context. */
export interface Sent {
  readonly packets: number
  readonly cpuNs: number
  readonly wallNs: number
}

export type Sender = Asked<Volley, Sent>

export const startSender = (namespace: string | undefined, spec: SenderSpec, { cpu }: { readonly cpu?: number } = {}): Sender =>
  startAsked(namespace, 'sender.ts', { argument: spec, ...(cpu === undefined ? {} : { cpu }) })
