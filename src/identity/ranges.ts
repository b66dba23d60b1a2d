// Addresses of pods that nobody has told of yet: on which node they are.
import { parsePrefix } from './address.js'
import { NOBODY, type Tenant } from './holders.js'
import { createPrefixTable, type PrefixTable } from './prefix-table.js'
import type { NodeRange } from './tenancies.js'

export const rangesTable = (ranges: readonly NodeRange[]): PrefixTable<Tenant> => createPrefixTable(rowsOf(ranges))

function* rowsOf(ranges: readonly NodeRange[]) {
  for (const { cidr, node } of ranges) {
    const prefix = parsePrefix(cidr)
    if (prefix) yield [prefix, { who: NOBODY, node, coverage: 'node' } satisfies Tenant] as const
  }
}
