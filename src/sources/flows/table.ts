// Our table in the kernel: found, adopted, made, mended, removed. Everything that writes to it goes through one transaction.
import type { Clock, Log } from '../../deps.js'
import type { Command } from '../../kernel/commands.js'
import { KernelError } from '../../kernel/errors.js'
import type { Nftables, TableInfo } from '../../kernel/nftables.js'
import { TableForeign, TableInUse } from './errors.js'
import { inspectTable, layoutOf, type Ours, readTableFacts } from './inspect.js'
import { digestOf, installCommands, LAYOUT, type Layout, type Mode, NOTHING, parseSetName, planOf } from './layout.js'
import { renderRuleMark, renderTableMark, type TableMark } from './marks.js'
import { isWider } from './mode.js'

export interface TableOptions {
  readonly table: string
  readonly ownership: 'auto' | 'off'
  readonly limit: number
  readonly tunnelPorts: readonly number[]
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

/** `begun`: an epoch that was not there at the check before. */
export type Change = 'none' | 'mended' | 'begun'

export interface FlowTable {
  readonly installed: Installed
  readonly owned: boolean
  /** Adopts what is there, or makes it. */
  open(mode: Mode): Promise<void>
  /** Whether it still is as we left it; mends it when not. */
  check(): Promise<Change>
  /** A new generation of sets, and all rules anew. */
  rotate(shards: Layout['shards']): void
  /** The same after somebody was at the sets: counting begins anew. */
  mend(): void
  /** A table and an epoch of their own, for one whose counters were set back. */
  renew(): Promise<void>
  /** The same sets, and rules that look for more. */
  widen(mode: Mode): void
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
  let installed: Installed | undefined
  /** Id of the ruleset at which all was well. */
  let checked: number | undefined
  let port = 0
  let mayOwn = options.ownership === 'auto'

  const current = (): Installed => {
    if (!installed) throw new Error('the table of flows is not open')
    return installed
  }

  function install(next: Installed, adding: readonly Command[] = []): void {
    const { layout, sinceMs } = next
    const present = adding.length > 0 ? NOTHING : readPresent()
    const mark = { ...layout, digest: digestOf(layout), sinceMs }
    const comment = (place: number, of: number): string => renderRuleMark(mark, place, of)
    nft.commit([...adding, ...installCommands(table, planOf(layout), present, comment)])
    installed = next
  }

  const readPresent = () => ({
    chains: nft.chains(table),
    counters: [...nft.counters(table).keys()],
    sets: nft.sets(table).map(({ name }) => name),
  })

  async function create(mode: Mode): Promise<void> {
    const epoch = random()
    await announceEpoch(epoch)
    const createdMs = clock.now()
    const mark = { layout: LAYOUT, epoch, createdMs }
    const layout = { generation: FIRST_GENERATION, mode, shards: 1, limit, tunnelPorts } as const
    claiming((flags) => {
      install({ mark, layout, sinceMs: createdMs }, [{ op: 'add table', table, flags, comment: renderTableMark(mark) }])
    })
    port = nft.table(table)?.ownerPort ?? 0
  }

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

  function adopt(found: Ours, mode: Mode): void {
    claim(found.info)
    if (found.mark.epoch !== installed?.mark.epoch) installed = undefined
    const { mark, rules, info } = found
    const layout = rules ? layoutOf(rules, options) : undefined
    if (layout && rules && found.state === 'intact' && layout.mode === mode) {
      installed = { mark, layout, sinceMs: rules.sinceMs }
      return
    }
    const next = { generation: nextGeneration(), mode, shards: layout?.shards ?? 1, limit, tunnelPorts } as const
    const sinceMs = rules?.sinceMs ?? clock.now()
    wake(info)
    install({ mark, layout: next, sinceMs })
  }

  function wake({ flags, comment }: TableInfo): void {
    if ((flags & 1) !== 0) nft.commit([{ op: 'add table', table, flags: flags & ~1, comment }])
  }

  function nextGeneration(): number {
    const numbers = nft.sets(table).map(({ name }) => parseSetName(name)?.generation ?? 0)
    return Math.max(installed?.layout.generation ?? 0, ...numbers) + 1
  }

  async function findOrCreate(mode: Mode): Promise<Change> {
    const found = inspectTable(readTableFacts(nft, table), options)
    if (found.state === 'foreign') throw new TableForeign(table)
    const epoch = installed?.mark.epoch
    if (found.state === 'absent') {
      await create(mode)
      return 'begun'
    }
    const known = installed
    const isAsLeft = found.state === 'intact' && found.rules?.generation === known?.layout.generation && found.mark.epoch === epoch
    adopt(found, mode)
    if (found.mark.epoch !== epoch) return 'begun'
    return isAsLeft ? 'none' : 'mended'
  }

  function remove(): void {
    nft.commit([{ op: 'delete table', table }])
    installed = undefined
  }

  return {
    get installed() {
      return current()
    },
    get owned() {
      return port !== 0
    },
    async open(mode) {
      const change = await findOrCreate(mode)
      const { generation } = current().layout
      log.info('table of flows is open', { table, change, mode, generation, epoch: current().mark.epoch })
    },
    async check() {
      const generation = nft.generation()
      if (generation === checked) return 'none'
      const change = await findOrCreate(current().layout.mode)
      checked = change === 'none' ? generation : undefined
      return change
    },
    rotate(shards) {
      const { mark, layout, sinceMs } = current()
      install({ mark, layout: { ...layout, shards, generation: nextGeneration() }, sinceMs })
    },
    mend() {
      const { mark, layout } = current()
      install({ mark, layout: { ...layout, generation: nextGeneration() }, sinceMs: clock.now() })
    },
    async renew() {
      const { mode } = current().layout
      remove()
      await create(mode)
    },
    widen(mode) {
      const { mark, layout, sinceMs } = current()
      if (isWider(mode, layout.mode)) install({ mark, layout: { ...layout, mode }, sinceMs })
    },
    deleteSets(names) {
      nft.commit(names.map((name) => ({ op: 'delete set', table, name })))
    },
    remove,
  }
}
