// What nobody posts while a node joins or leaves.
import type { Test } from 'tap'
import { flowBytes, type Served, sumOf } from '../lab/agents.js'

export const handover = (all: readonly Served[]): number => sumOf(all, 'meshtoll_flow_handover_bytes_total')

interface Judged {
  readonly before: readonly Served[]
  readonly all: readonly Served[]
  /** Bytes, between the two. */
  readonly sent: number
}

/** None is posted twice, and as many as are missed are said to be. */
export function holdMissed(t: Test, { before, all, sent }: Judged): void {
  const posted = flowBytes(all) - flowBytes(before)
  const missed = handover(all) - handover(before)
  t.comment(`${sent} sent, ${posted} posted, ${missed} said to be missed`)
  t.ok(posted <= sent, 'nothing is posted twice')
  t.ok(sent - posted <= missed, 'what is missed is said')
  t.ok(missed < sent / 2, 'and is not most of it')
}
