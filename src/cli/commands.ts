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
  /** Whether it reads the file of --config.file. */
  readonly hasOptions: boolean
  load(): Promise<{ run(options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<number> }>
}

const LOG: readonly FlagName[] = ['log.level', 'log.format']
const NODE: readonly FlagName[] = ['config.file', 'web.listen-address', 'web.config.file', 'state.dir', ...LOG]

export const COMMANDS: readonly Command[] = [
  {
    name: 'agent',
    summary: 'Count the bytes that this node sends and receives, and serve them to Prometheus.',
    flags: [...NODE, 'uninstall'],
    hasOptions: true,
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
    hasOptions: true,
    load: () => import('./directory.js'),
  },
  {
    name: 'check',
    summary: 'Say what an agent with the same flags would find here, and what to do about it.',
    flags: NODE,
    hasOptions: false,
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
    hasOptions: false,
    load: () => import('./demo.js'),
  },
  {
    name: 'datadog preview',
    summary: 'Show what a running agent would send to Datadog, and how many custom metrics that is. Nothing is sent.',
    flags: ['config.file', 'agent.url', 'json', ...LOG],
    hasOptions: false,
    load: () => import('./datadog-preview.js'),
  },
  {
    name: 'datadog sync',
    summary: 'Show how the monitors and dashboards in Datadog differ from those of meshtoll, and make them so.',
    flags: ['config.file', 'apply', 'prune', ...LOG],
    hasOptions: false,
    load: () => import('./datadog-sync.js'),
  },
]
