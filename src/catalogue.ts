// Every family that there is: what documentation, rules and dashboards may name, and what tests hold them to.
import { families as directoryFamilies } from './directory/families.js'
import { families as datadogFamilies } from './exporters/datadog/families.js'
import { families as selfFamilies } from './exporters/self-families.js'
import { ledgerFamilies } from './ledger/families.js'
import type { Family } from './model.js'
import { sources } from './sources/all.js'

export interface Chapter {
  /** Of the parts that serve these families. */
  readonly title: string
  readonly families: readonly Family[]
}

export const chapters: readonly Chapter[] = [
  { title: 'Bytes and the books', families: ledgerFamilies },
  ...sources.map(({ name, families }) => ({ title: `Source ${name}`, families })),
  { title: 'The directory', families: directoryFamilies },
  { title: 'The push to Datadog', families: datadogFamilies },
  { title: 'The agent, and the directory, about itself', families: selfFamilies },
]

export const catalogue: readonly Family[] = chapters.flatMap(({ families }) => families)
