// From the command line to a command's exit status: 0 stopped, 1 cannot do its job, 2 wrong configuration.
import { parseCommandLine } from '../config/command-line.js'
import type { Environment } from '../config/environment.js'
import type { FlagName, Flags } from '../config/flags.js'
import { renderHelp } from '../config/help.js'
import { renderMistakes } from '../config/mistakes.js'
import { VERSION } from '../version.js'
import { COMMANDS, type Command, type CommandDeps, type CommandOptions, type Terminal } from './commands.js'

export interface Edge {
  readonly argv: readonly string[]
  readonly environment: Environment
  readonly hostName: string
  readonly host: CommandOptions['host']
  readonly terminal: Terminal
  print(text: string): void
  complain(text: string): void
  createDeps(flags: Flags): Promise<CommandDeps>
}

const CANNOT = 1
const WRONG = 2
const EVERYWHERE: readonly FlagName[] = ['version', 'help']

export async function runCommandLine(edge: Edge, signal: AbortSignal): Promise<number> {
  const { command, isUnknown, flags, mistakes } = parseCommandLine(edge.argv, COMMANDS)
  if (flags.version) return answer(edge, `meshtoll ${VERSION}\n`)
  if (flags.help && !isUnknown) return answer(edge, helpOf(command))
  if (edge.argv.length === 0) {
    edge.complain(helpOf(undefined))
    return WRONG
  }
  if (!command || mistakes.length > 0) {
    edge.complain(renderMistakes([{ where: 'the command line', found: mistakes }]))
    return WRONG
  }
  try {
    const { run } = await command.load()
    return await run({ ...edge, flags }, await edge.createDeps(flags), signal)
  } catch (error) {
    return failed(edge, { error, flags, signal })
  }
}

function answer({ print }: Edge, text: string): number {
  print(text)
  return 0
}

function failed({ complain }: Edge, { error, flags, signal }: { error: unknown; flags: Flags; signal: AbortSignal }): number {
  if (signal.aborted && error === signal.reason) return 0
  complain(renderFailure(error, flags['log.level'] === 'debug'))
  return CANNOT
}

/** One line; the stack is for whoever asked for it. */
export function renderFailure(error: unknown, withStack: boolean): string {
  if (!(error instanceof Error)) return `meshtoll: ${String(error)}\n`
  const line = `meshtoll: ${error.message.split('\n', 1)[0]}\n`
  return withStack && error.stack ? `${line}${error.stack}\n` : line
}

function helpOf(command: Command | undefined): string {
  if (command) {
    const { name, summary, flags, words, hasOptions } = command
    return renderHelp({ usage: `${name} [flags]`, summary, flags: [...flags, ...EVERYWHERE], words, hasOptions })
  }
  const summary = 'Which workload sends which bytes across which zone border. Each command explains itself with --help.'
  return renderHelp({ usage: 'COMMAND [flags]', summary, commands: COMMANDS, flags: EVERYWHERE, hasOptions: false })
}
