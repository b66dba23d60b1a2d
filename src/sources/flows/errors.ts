/** Somebody else counts here: an agent on the same node by mistake. */
export class TableInUse extends Error {
  constructor(table: string, detail: string, options?: ErrorOptions) {
    super(
      `another meshtoll agent counts in this network namespace (table inet ${table}: ${detail}); stop it, or give this one its own`,
      options,
    )
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
