// Every flag there is, named and written as Prometheus exporters have them: type, validation, defaults and --help come from here.
import * as v from 'valibot'
import { folder, httpUrl, type Kind, type ListenAddress, listenAddress, oneOf, path } from './kinds.js'

export interface Flag<Value = unknown> {
  /** Absent: a flag without a value. */
  readonly kind?: Kind<unknown>
  readonly placeholder: string
  readonly fallback: Value
  readonly shown: string
  readonly help: string
}

function valued<Value>(kind: Kind<Value>, words: { placeholder: string; shown: string; help: string }): Flag<Value> {
  return { kind, fallback: v.parse(kind.schema, words.shown), ...words }
}

const bare = (help: string): Flag<boolean> => ({ placeholder: '', fallback: false, shown: '', help })

const file = (help: string): Flag<string | null> => ({ kind: path, placeholder: 'FILE', fallback: null, shown: 'none', help })

export const FLAGS = {
  'config.file': file('YAML file with the options; without it all have their defaults.'),
  'web.listen-address': valued<ListenAddress>(listenAddress, {
    placeholder: 'ADDRESS',
    shown: ':10042',
    help: 'Where /metrics and the page are served.',
  }),
  'web.config.file': file("TLS and basic auth, in the format of Prometheus' exporter-toolkit."),
  'state.dir': valued(folder, { placeholder: 'DIR', shown: '/var/lib/meshtoll', help: 'Where totals are kept across restarts.' }),
  'log.level': valued(oneOf('debug', 'info', 'warn', 'error'), {
    placeholder: 'LEVEL',
    shown: 'info',
    help: 'debug, info, warn or error.',
  }),
  'log.format': valued(oneOf('logfmt', 'json'), { placeholder: 'FORMAT', shown: 'logfmt', help: 'logfmt or json.' }),
  'agent.url': {
    kind: httpUrl('http://10.0.0.5:10042'),
    placeholder: 'URL',
    fallback: null as string | null,
    shown: 'http://localhost:10042',
    help: 'Of the agent that is asked, with USER:PASSWORD@ where it asks for them.',
  },
  json: bare('Print JSON, for programs.'),
  uninstall: bare('Read a last time, remove the kernel table, exit.'),
  once: bare('Run for a few seconds, check the numbers, exit.'),
  apply: bare('Make the changes; without it they are only shown.'),
  prune: bare('Remove what meshtoll made and would not make now.'),
  version: bare('Print the version.'),
  help: bare('Print this help.'),
} as const satisfies Readonly<Record<string, Flag>>

export type FlagName = keyof typeof FLAGS
export type FlagWords = { readonly [Name in FlagName]?: Pick<Flag, 'shown' | 'help'> }
export type Flags = { readonly [Name in FlagName]: (typeof FLAGS)[Name]['fallback'] }
