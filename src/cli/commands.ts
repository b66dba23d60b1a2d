// The commands there are. Each is loaded when it is asked for, and only then.
import type { AgentDeps, AgentParts } from '../agent/parts.js'
import type { Environment } from '../config/environment.js'
import type { FlagName, Flags, FlagWords } from '../config/flags.js'

export type CommandDeps = AgentDeps

export interface CommandOptions {
  readonly flags: Flags
  readonly environment: Environment
  readonly hostName: string
  readonly host: AgentParts['host']
  readonly terminal: Terminal
  /** Data, to stdout. */
  print(text: string): void
  /** To stderr, for people: a user's mistakes. Events go to `deps.log`. */
  complain(text: string): void
}

/** `columns` is 0 where stdout is no terminal. */
export interface Terminal {
  readonly columns: number
  readonly hasColors: boolean
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly flags: readonly FlagName[]
  /** What flags mean here, where that is not what they mean elsewhere: defaults too. */
  readonly words?: FlagWords
  /** Those that it reads of the file of --config.file, for its help. */
  readonly options?: 'all' | readonly string[]
  /** What its exit status says, from 0 on. */
  readonly exits: readonly [string, string, string]
  load(): Promise<{ run(options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<number> }>
}

const LOG: readonly FlagName[] = ['log.level', 'log.format']
const WRONG = 'The command line or the configuration is wrong.'
const STOPPED = ['It was stopped.', 'It cannot do its job.', WRONG] as const

/** The file is that of the agents, in the chart as well. */
const OF_DIRECTORY: readonly string[] = [
  'kubernetes.kubeconfig',
  'directory.agents',
  'identity.patience',
  ...['limit', 'idle', 'zeroFirst', 'created'].map((name) => `series.${name}`),
  ...['enabled', 'site', 'url', 'apiKeyFile', 'hostname', 'flushInterval', 'maxSeries', 'tags', 'excludeLabels'].map(
    (name) => `datadog.${name}`,
  ),
]
const OF_PREVIEW: readonly string[] = ['enabled', 'hostname', 'flushInterval', 'maxSeries', 'tags', 'excludeLabels'].map(
  (name) => `datadog.${name}`,
)
const OF_SYNC: readonly string[] = ['site', 'url', 'apiKeyFile', 'appKeyFile', 'notify', 'runbookUrl', 'monitors'].map(
  (name) => `datadog.${name}`,
)
const NODE: readonly FlagName[] = ['config.file', 'web.listen-address', 'web.config.file', 'state.dir', ...LOG]

/** By the word that their commands begin with; '' is all of them. */
export const GROUPS: Readonly<Record<string, string>> = {
  '': 'Which workload sends which bytes across which zone border.',
  datadog: 'What agents push to Datadog, and the monitors and dashboards there.',
}

export const COMMANDS: readonly Command[] = [
  {
    name: 'agent',
    summary: 'Count the bytes that this node sends and receives, and serve them to Prometheus.',
    flags: [...NODE, 'uninstall'],
    options: 'all',
    exits: STOPPED,
    load: () => import('./agent.js'),
  },
  {
    name: 'directory',
    summary: 'Watch the API server for all agents, and tell each whose the addresses are that it has seen.',
    flags: ['config.file', 'web.listen-address', 'web.config.file', ...LOG],
    words: {
      'web.listen-address': { shown: ':10043', help: 'Where agents are answered, and /metrics is served.' },
      'web.config.file': { shown: 'none', help: "TLS, and basic auth for /metrics, in the format of Prometheus' exporter-toolkit." },
    },
    options: OF_DIRECTORY,
    exits: STOPPED,
    load: () => import('./directory.js'),
  },
  {
    name: 'check',
    summary: 'Say what an agent with the same flags would find here, and what to do about it.',
    flags: NODE,
    exits: ['An agent could do its job here.', 'It could not.', WRONG],
    load: () => import('./check.js'),
  },
  {
    name: 'demo',
    summary: 'Play three zones with real traffic on this machine, with an agent on every node, and show what it costs.',
    flags: ['once', 'web.listen-address', ...LOG],
    words: {
      'web.listen-address': { shown: '127.0.0.1:10042', help: 'Where the agents are served, each on a port of its own from this one on.' },
      'log.level': { shown: 'info', help: "Of the agents' logs, whose last line is shown when one fails: debug, info, warn or error." },
      'log.format': { shown: 'logfmt', help: "Of the agents' logs: logfmt or json." },
    },
    exits: ['It was ended; with --once, every check is ok.', 'It cannot be played, or a check failed.', WRONG],
    load: () => import('./demo.js'),
  },
  {
    name: 'datadog preview',
    summary: 'Show what a running agent would send to Datadog, and how many custom metrics that is. Nothing is sent.',
    flags: ['config.file', 'agent.url', 'json', ...LOG],
    options: OF_PREVIEW,
    exits: ['It is shown.', 'No agent answers.', WRONG],
    load: () => import('./datadog-preview.js'),
  },
  {
    name: 'datadog sync',
    summary: 'Show how the monitors and dashboards in Datadog differ from those of meshtoll, and make them so.',
    flags: ['config.file', 'apply', 'prune', ...LOG],
    options: OF_SYNC,
    exits: ['Datadog has, or would be given, what is wanted.', 'It cannot be asked, or refuses.', WRONG],
    load: () => import('./datadog-sync.js'),
  },
]
