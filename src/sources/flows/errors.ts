import { KernelError } from '../../kernel/errors.js'

/** Somebody else counts here: an agent on the same node by mistake. */
export class TableInUse extends Error {
  constructor(table: string, detail: string, remedy = 'stop it, or give this one a flows.table and a --state.dir of its own') {
    super(`another meshtoll agent counts in this network namespace (table inet ${table}: ${detail}); ${remedy}`)
    this.name = 'TableInUse'
  }
}

/** A table of our name that we did not write; it is never touched. */
export class TableForeign extends Error {
  constructor(table: string) {
    super(`the nftables table inet ${table} was not written by meshtoll; rename it, or set flows.table to another name`)
    this.name = 'TableForeign'
  }
}

/** Its bytes were added to totals that are not at hand: to remove it would lose what came since. */
export class TableUnknown extends Error {
  constructor(table: string) {
    super(
      `the kernel table stays: no state for it is in --state.dir, so its last bytes would be lost; name the right one, or remove it with nft delete table inet ${table}`,
    )
    this.name = 'TableUnknown'
  }
}

/** Our table went again right after we had made it, again and again. */
export class TableContested extends Error {
  constructor(table: string) {
    super(`another program keeps removing the nftables table inet ${table}; exclude the table there, or let flows.ownership protect it`)
    this.name = 'TableContested'
  }
}

/** Nothing is posted before all is known that another process may have served. */
export class FirstReadPartial extends Error {
  constructor(table: string) {
    super(`the nftables table inet ${table} could not be read to its end yet; nothing is lost, the next read tries again`)
    this.name = 'FirstReadPartial'
  }
}

/** Between a problem and its remedy. */
const BETWEEN = '; '

/** What the kernel would not do, and what to do about it. */
export class FlowsRefused extends Error {
  readonly code: string

  constructor(error: KernelError, remedy: string) {
    const [problem = '', ...others] = remedy.split(BETWEEN)
    super([`${problem} (${error.message})`, ...others].join(BETWEEN), { cause: error })
    this.name = 'FlowsRefused'
    this.code = error.code
  }
}

const PRIVILEGE = 'counting flows needs CAP_NET_ADMIN; run as root, or give the process CAP_NET_ADMIN and nothing else'
const NF_TABLES =
  'counting flows needs nf_tables with the family inet (Linux 5.10 or newer); load the module nf_tables, or set flows.enabled: false'

type Remedies = Readonly<Record<string, string>>

const AT_ANY_TIME: Remedies = {
  EPERM: PRIVILEGE,
  EACCES: PRIVILEGE,
  ENOBUFS: 'the kernel had no room for its answer; nothing is lost, the next read makes up for it',
}

/** EINVAL: nfnetlink knows no nf_tables; EPROTONOSUPPORT: there is no nfnetlink (net/netfilter/nfnetlink.c, net/netlink/af_netlink.c). */
const AT_FIRST: Remedies = {
  ...AT_ANY_TIME,
  EPROTONOSUPPORT: NF_TABLES,
  EAFNOSUPPORT: NF_TABLES,
  EOPNOTSUPP: NF_TABLES,
  EINVAL: NF_TABLES,
}

export const refusalAtFirst = (error: unknown): unknown => withRemedy(error, AT_FIRST)
export const refusalLater = (error: unknown): unknown => withRemedy(error, AT_ANY_TIME)

function withRemedy(error: unknown, remedies: Remedies): unknown {
  const remedy = error instanceof KernelError ? remedies[error.code] : undefined
  return remedy === undefined ? error : new FlowsRefused(error as KernelError, remedy)
}
