// Whether this machine is the Node whose name it was given: two agents of one name would post the same bytes.
import type { NodeFacts } from '../identity/objects/node.js'

export interface OwnNode {
  /** What the API server says of the Node of our name; undefined where it says nothing, or where there is none. */
  look(facts: NodeFacts | undefined): void
  /** Undefined until it was told of the Node. Of a Node that is gone it stays what it was. */
  readonly isHere: boolean | undefined
  /** '' where nothing is wrong. */
  readonly trouble: string
}

export interface Patience {
  /** How long a machine that was this Node may lack its address. */
  readonly patienceMs: number
  monotonic(): number
}

/** `addresses`: of all interfaces, as canonical text. May throw where the kernel cannot be asked: then nothing is judged. */
export function createOwnNode(addresses: () => readonly string[], { patienceMs, monotonic }: Patience): OwnNode {
  let judged: NodeFacts | undefined
  let isHere: boolean | undefined
  let trouble = ''
  let straySinceMs: number | undefined

  function strayOf({ internalIps }: NodeFacts): boolean {
    if (internalIps.length === 0) return false
    try {
      const own = new Set(addresses())
      return !internalIps.some((address) => own.has(address))
    } catch {
      return false
    }
  }

  return {
    look(facts) {
      // Looked at again until it is right: an address may come later than its agent.
      if (!facts || (facts === judged && isHere && straySinceMs === undefined)) return
      if (facts.uid !== judged?.uid) isHere = straySinceMs = undefined
      judged = facts
      const isStray = strayOf(facts)
      if (!isStray) straySinceMs = undefined
      else straySinceMs ??= monotonic()
      // An address may be off its interface for a moment.
      if (isHere && isStray && monotonic() - (straySinceMs as number) < patienceMs) return
      isHere = !isStray
      trouble = isHere ? '' : elsewhere(facts)
    },
    get isHere() {
      return isHere
    },
    get trouble() {
      return trouble
    },
  }
}

const elsewhere = ({ name, internalIps }: NodeFacts): string =>
  `the Node ${name} has the address ${internalIps.join(' and ')}, and this machine has not, so nothing is posted for it here; ` +
  "set node.name to the name that Kubernetes has for this machine, and give the agent the machine's network (hostNetwork)"
