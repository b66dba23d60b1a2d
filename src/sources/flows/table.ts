// Our table in the kernel: found, adopted, made, mended, removed. Everything that writes to it goes through one transaction.
import type { Clock, Log } from '../../deps.js'
import type { Command } from '../../kernel/commands.js'
import { KernelError } from '../../kernel/errors.js'
import type { Nftables, TableInfo } from '../../kernel/nftables.js'
import { TableContested, TableForeign, TableInUse } from './errors.js'
import { type Finding, inspectTable, isAsLeft, layoutOf, type Options, type Ours, readTableFacts } from './inspect.js'
import { digestOf, installCommands, LAYOUT, type Layout, type Mode, NOTHING, parseSetName, planOf } from './layout.js'
import { parseTableMark, renderRuleMark, renderTableMark, type TableMark } from './marks.js'
import { isWider, missedBy, widerOf } from './mode.js'
import type { Sight } from './surroundings.js'

export interface TableOptions extends Pick<Layout, 'limit' | 'tunnelPorts'> {
  readonly table: string
  readonly ownership: 'auto' | 'off'
}

export interface TableDeps {
  readonly nft: Nftables
  readonly clock: Clock
  readonly log: Log
  readonly random: () => string
  readonly announceEpoch: (epoch: string) => Promise<void>
}

export interface Installed {
  readonly mark: TableMark
  readonly layout: Layout
  /** Since when it has counted without a break. */
  readonly sinceMs: number
}

/** `begun`: an epoch that was not there at the check before. `left`: changed, and not mended yet. */
export type Change = 'none' | 'mended' | 'begun' | 'left'

export type WideSight = Omit<Sight, 'links'>

/** What fails leaves `installed` as it was: the next check finds what the kernel has by then. */
export interface FlowTable {
  readonly installed: Installed
  readonly owned: boolean
  readonly mode: Mode
  /** Adopts what is there, or makes it. Rules that look for more than there is to see now stay: connection tracking may know more. */
  open(sight: WideSight, cgroupLevel?: Layout['cgroupLevel']): Promise<void>
  /** Whether it still is as we left it; mends it when not, if it may. */
  check(mayRepair: () => boolean): Promise<Change>
  /** A new generation of sets, and all rules anew. */
  rotate(shards: Layout['shards']): void
  /** The same after somebody was at the sets: counting begins anew. */
  mend(): void
  /** A table and an epoch of their own, for one whose counters were set back. */
  renew(): Promise<void>
  /** The same sets, and rules that look for more. `hasMissed`: what was not looked for may have passed already. */
  widen(mode: Mode, hasMissed: boolean): void
  deleteSets(names: readonly string[]): void
  remove(): void
}

// enum nft_table_flags. Owned: others can neither flush nor change it. It persists when its owner dies.
const OWNER = 2
const PERSIST = 4
const EINVAL = 22
const EOPNOTSUPP = 95
const FIRST_GENERATION = 1

export function createTable(options: TableOptions, { nft, clock, log, random, announceEpoch }: TableDeps): FlowTable {
  const { table, limit, tunnelPorts } = options
  let wanted: Options = { limit, tunnelPorts }
  let installed: Installed | undefined
  let mode: Mode = 'plain'
  /** Id of the ruleset at which all was well. */
  let checked: number | undefined
  let port = 0
  let mayOwn = options.ownership === 'auto'

  const current = (): Installed => {
    if (!installed) throw new Error('the table of flows is not open')
    return installed
  }

  function settle(next: Installed): void {
    installed = next
    mode = next.layout.mode
  }

  function write({ layout, sinceMs }: Installed, adding: readonly Command[] = []): void {
    const present = adding.length > 0 ? NOTHING : readPresent()
    const mark = { ...layout, digest: digestOf(layout), sinceMs }
    const comment = (place: number, of: number): string => renderRuleMark(mark, place, of)
    nft.commit([...adding, ...installCommands(table, planOf(layout), present, comment)])
  }

  function install(next: Installed): void {
    write(next)
    settle(next)
  }

  const readPresent = () => ({
    chains: nft.chains(table),
    counters: [...nft.counters(table).keys()],
    sets: nft.sets(table).map(({ name }) => name),
  })

  /** In one transaction with the end of the table that may be there: without either, nothing would count. */
  async function begin(mode: Mode): Promise<void> {
    const epoch = random()
    await announceEpoch(epoch)
    const createdMs = Math.floor(clock.now() / 1000) * 1000
    const mark = { layout: LAYOUT, epoch, createdMs }
    const next = { mark, layout: { generation: FIRST_GENERATION, mode, shards: 1, ...wanted }, sinceMs: createdMs } as const
    const before = ending()
    claiming((flags) => write(next, [...before, { op: 'add table', table, flags, comment: renderTableMark(mark) }]))
    port = nft.table(table)?.ownerPort ?? 0
    settle(next)
  }

  function ending(): readonly Command[] {
    const info = nft.table(table)
    if (info && !parseTableMark(info.comment)) throw new TableForeign(table)
    return info ? [{ op: 'delete table', table }] : []
  }

  /** Marks keep whole seconds: a break must be told from what was there before it. */
  const later = (sinceMs = 0): number => Math.max(Math.ceil(clock.now() / 1000) * 1000, sinceMs + 1000)

  /** Older kernels know no owner (before 5.12), or none whose table survives him (before 6.9). */
  function claiming(write: (flags: number) => void): void {
    if (!mayOwn) {
      write(0)
      return
    }
    try {
      write(OWNER | PERSIST)
    } catch (error) {
      if (!(error instanceof KernelError) || ![EINVAL, EOPNOTSUPP].includes(error.errno)) throw error
      write(0)
      mayOwn = false
      log.warn('kernel cannot protect the table of flows, others can flush it', { table, error: error.message })
    }
  }

  /** A table without a living owner, which persisted, becomes ours. One that was made unowned cannot. */
  function claim({ flags, ownerPort, comment }: TableInfo): void {
    if (ownerPort !== 0 && ownerPort !== port) throw new TableInUse(table, `owned by netlink port ${ownerPort}`)
    if (!mayOwn || ownerPort !== 0 || (flags & PERSIST) === 0) return
    nft.commit([{ op: 'add table', table, flags: OWNER | PERSIST, comment }])
    port = nft.table(table)?.ownerPort ?? 0
  }

  function adopt({ state, mark, rules, info }: Ours, sight: WideSight): void {
    claim(info)
    const layout = rules && layoutOf(rules, wanted)
    const mode = widerOf(sight.mode, rules?.mode ?? 'plain')
    if (rules && layout && state === 'intact' && rules.mode === mode) {
      settle({ mark, layout, sinceMs: rules.sinceMs })
      return
    }
    const missed = missedBy(rules?.mode ?? 'plain', sight)
    const isUnbroken = rules && !missed.translated && !missed.tunnelled
    const sinceMs = isUnbroken ? rules.sinceMs : later(rules?.sinceMs)
    wake(info)
    install({ mark, layout: { generation: nextGeneration(), mode, shards: layout?.shards ?? 1, ...wanted }, sinceMs })
  }

  function repair({ rules, info }: Ours, { mark, layout, sinceMs }: Installed): void {
    claim(info)
    const mode = widerOf(layout.mode, rules?.mode ?? 'plain')
    wake(info)
    install({ mark, layout: { ...layout, mode, generation: nextGeneration(layout.generation) }, sinceMs: later(sinceMs) })
  }

  function wake({ flags, comment }: TableInfo): void {
    if ((flags & 1) !== 0) nft.commit([{ op: 'add table', table, flags: flags & ~1, comment }])
  }

  function nextGeneration(last = 0): number {
    const numbers = nft.sets(table).map(({ name }) => parseSetName(name)?.generation ?? 0)
    return Math.max(last, ...numbers) + 1
  }

  function find(): Exclude<Finding, { state: 'foreign' }> {
    const found = inspectTable(readTableFacts(nft, table), wanted)
    if (found.state === 'foreign') throw new TableForeign(table)
    return found
  }

  async function compare(known: Installed, mayRepair: () => boolean): Promise<Change> {
    const found = find()
    const isSameEpoch = found.state !== 'absent' && found.mark.epoch === known.mark.epoch
    if (isSameEpoch && isAsLeft(found, known.layout)) return 'none'
    if (!mayRepair()) {
      if (!isSameEpoch) throw new TableContested(table)
      return 'left'
    }
    if (found.state === 'absent') await begin(known.layout.mode)
    else if (isSameEpoch) repair(found, known)
    else adopt(found, { mode: known.layout.mode, translated: false, tunnelled: false })
    return isSameEpoch ? 'mended' : 'begun'
  }

  return {
    get installed() {
      return current()
    },
    get owned() {
      return port !== 0
    },
    get mode() {
      return mode
    },
    async open(sight, cgroupLevel) {
      wanted = { limit, tunnelPorts, cgroupLevel }
      const found = find()
      if (found.state === 'absent') await begin(sight.mode)
      else adopt(found, sight)
      const change = found.state === 'absent' ? 'made' : 'adopted'
      const since = new Date(current().mark.createdMs).toISOString()
      log.info('table of flows is open', { table, change, owned: port !== 0, mode, cgroups: cgroupLevel !== undefined, since })
    },
    async check(mayRepair) {
      const generation = nft.generation()
      if (generation === checked) return 'none'
      const change = await compare(current(), mayRepair)
      checked = change === 'none' ? generation : undefined
      return change
    },
    rotate(shards) {
      const { mark, layout, sinceMs } = current()
      install({ mark, layout: { ...layout, shards, generation: nextGeneration(layout.generation) }, sinceMs })
    },
    mend() {
      const { mark, layout, sinceMs } = current()
      install({ mark, layout: { ...layout, generation: nextGeneration(layout.generation) }, sinceMs: later(sinceMs) })
    },
    renew: async () => begin(current().layout.mode),
    widen(wanted, hasMissed) {
      const { mark, layout, sinceMs } = current()
      if (!isWider(wanted, layout.mode)) return
      install({ mark, layout: { ...layout, mode: wanted }, sinceMs: hasMissed ? later(sinceMs) : sinceMs })
    },
    deleteSets(names) {
      nft.commit(names.map((name) => ({ op: 'delete set', table, name })))
    },
    remove() {
      nft.commit(ending())
      installed = undefined
      port = 0
    },
  }
}
