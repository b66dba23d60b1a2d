// What nobody posts while a node joins or leaves.
import type { Test } from 'tap'
import { sentIpBytes } from '../../src/lab/counters.js'
import type { Topology } from '../../src/lab/topology.js'
import { flowBytes, type Served, sumOf } from '../lab/agents.js'

export const handover = (all: readonly Served[]): number => sumOf(all, 'meshtoll_flow_handover_bytes_total')

export interface Moving {
  /** All of a change, until two intervals after it was said. */
  during<T>(change: () => Promise<T>): Promise<T>
  /** Sent meanwhile, by all changes. */
  readonly bytes: number
}

/** What a pod sends while the coverage of its node changes. */
export function createMoving(topology: Topology, pod: string): Moving {
  const sentBy = async (): Promise<number> => sentIpBytes(await topology.device(pod))
  let bytes = 0
  return {
    async during(change) {
      const before = await sentBy()
      const result = await change()
      bytes += (await sentBy()) - before
      return result
    },
    get bytes() {
      return bytes
    },
  }
}

interface Judged {
  readonly before: readonly Served[]
  readonly all: readonly Served[]
  /** Bytes, between the two. */
  readonly sent: number
  readonly moving: Moving
}

/** None is posted twice, no more are missed than are said to be, and none but while coverage changes. */
export function holdMissed(t: Test, { before, all, sent, moving }: Judged): void {
  const missed = sent - (flowBytes(all) - flowBytes(before))
  const said = handover(all) - handover(before)
  t.comment(
    `${sent} sent, ${moving.bytes} of them while coverage changed; ${missed} missed, ${(missed / said).toFixed(2)} of the ${said} said`,
  )
  t.ok(missed >= 0, 'nothing is posted twice')
  t.ok(missed <= said, 'what is missed is said')
  t.ok(said <= moving.bytes, 'and is none of what was sent at other times')
}
