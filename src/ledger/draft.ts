// The decisions of the reading at hand, until they are written down.
import type { Placement } from '../model.js'
import type { Account, Owner } from './accounts.js'
import { ownerRowOf } from './accounts.js'
import type { AddressRow, Batch, MarkRow, Moment, OwnerRow, WaitRow } from './state.js'

export interface Decisions {
  owner(owner: Owner): void
  address(row: AddressRow): void
  opened(account: Account): void
  withdrawn(account: Account): void
  folded(key: string): void
  waits(row: WaitRow): void
  mark(row: MarkRow): void
  /** Moves the account's offset; its total stays, because as many bytes of pairs no longer lead there, or now do. */
  adjust(account: Account, bytes: number): void
  /** Whole units of it were put aside; their bytes are no part of its offset any more. */
  carried(account: Account): void
  /** Rows since the last call of `take`. */
  count(): number
  /** Everything since the last call. */
  take(moment: Moment): Batch
}

export function addressRowOf(text: string, owner: Owner, { who, local, covered, endedMs }: Placement): AddressRow {
  const row = [text, owner.id, who.region, who.external, local, covered] as const
  return endedMs === undefined ? row : [...row, endedMs]
}

export function createDecisions(): Decisions {
  let owners: OwnerRow[] = []
  let addresses: AddressRow[] = []
  let opened: [string, number][] = []
  let withdrawn = new Set<string>()
  let folded: string[] = []
  let waits: WaitRow[] = []
  let marks: MarkRow[] = []
  let adjust = new Map<string, number>()
  let carried = new Map<string, number>()

  function clear(): void {
    owners = []
    addresses = []
    opened = []
    withdrawn = new Set()
    folded = []
    waits = []
    marks = []
    adjust = new Map()
    carried = new Map()
  }

  return {
    owner: (owner) => void owners.push(ownerRowOf(owner)),
    address: (row) => void addresses.push(row),
    opened: (account) => {
      opened.push([account.key, account.sinceMs])
      withdrawn.delete(account.key)
    },
    withdrawn: (account) => {
      withdrawn.add(account.key)
      carried.delete(account.key)
    },
    folded: (key) => void folded.push(key),
    waits: (row) => void waits.push(row),
    mark: (row) => void marks.push(row),
    adjust: (account, bytes) => void (bytes !== 0 && adjust.set(account.key, (adjust.get(account.key) ?? 0) + bytes)),
    carried: ({ key, units }) => void carried.set(key, units),
    count: () =>
      [owners, addresses, opened, folded, marks].reduce((sum, { length }) => sum + length, withdrawn.size + adjust.size + carried.size),
    take(moment) {
      const batch = {
        ...moment,
        owners,
        addresses,
        opened,
        withdrawn: [...withdrawn],
        folded,
        ...(waits.length > 0 && { waits }),
        marks,
        adjust: [...adjust],
        carried: [...carried],
      }
      clear()
      return batch
    },
  }
}
