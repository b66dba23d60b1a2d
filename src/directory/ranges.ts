// Ranges of nodes: whose an address would be that nobody has.
import { parseAddress, parsePrefix } from '../identity/address.js'
import { createPrefixTable } from '../identity/prefix-table.js'
import type { NodeRange } from '../identity/tenancies.js'

export interface Ranges {
  /** `address` is canonical text. */
  rangeOf(address: string): NodeRange | undefined
  /** All there are from now on. Answers whether the range of an address is another now. */
  replace(ranges: readonly NodeRange[]): (address: string) => boolean
}

export function createRanges(): Ranges {
  let table = tableOf([])

  const lookUp = (address: string, among: typeof table): NodeRange | undefined => {
    const parsed = parseAddress(address)
    return parsed && among.lookup(parsed)
  }

  return {
    rangeOf: (address) => lookUp(address, table),
    replace(ranges) {
      const [before, after] = [table, tableOf(ranges)]
      table = after
      return (address) => {
        const [one, other] = [lookUp(address, before), lookUp(address, after)]
        return one?.cidr !== other?.cidr || one?.node !== other?.node
      }
    },
  }
}

function tableOf(ranges: readonly NodeRange[]) {
  const table = createPrefixTable<NodeRange>()
  for (const range of ranges) {
    const prefix = parsePrefix(range.cidr)
    if (prefix) table.set(prefix, range)
  }
  return table
}
