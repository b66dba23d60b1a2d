// From the command line to a command's exit status: 0 stopped, 1 cannot do its job, 2 wrong configuration.
import { parseCommandLine } from '../config/command-line.js'
import type { Environment } from '../config/environment.js'
import type { FlagName, Flags } from '../config/flags.js'
import { renderHelp } from '../config/help.js'
import { renderMistakes } from '../config/mistakes.js'
import { VERSION } from '../version.js'
import { COMMANDS, type Command, type CommandDeps, type CommandOptions, GROUPS, type Terminal } from './commands.js'
import { fitComplaint } from './complaint.js'

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
  const { command, group, isUnknown, flags, mistakes } = parseCommandLine(edge.argv, COMMANDS)
  const complain = (text: string): void => edge.complain(fitComplaint(text, edge.terminal))
  if (flags.version) return answer(edge, `meshtoll ${VERSION}\n`)
  if (flags.help && !isUnknown) return answer(edge, helpOf(command, group))
  if (edge.argv.length === (group === undefined ? 0 : 1)) {
    complain(helpOf(undefined, group))
    return WRONG
  }
  if (!command || mistakes.length > 0) {
    complain(renderMistakes([{ where: 'the command line', found: mistakes }]))
    return WRONG
  }
  try {
    const { run } = await command.load()
    return await run({ ...edge, complain, flags }, await edge.createDeps(flags), signal)
  } catch (error) {
    return failed(edge, { error, flags, signal })
  }
}

function answer({ print }: Edge, text: string): number {
  print(text)
  return 0
}

function failed({ complain, terminal }: Edge, { error, flags, signal }: { error: unknown; flags: Flags; signal: AbortSignal }): number {
  if (signal.aborted && error === signal.reason) return 0
  complain(renderFailure(error, { terminal, withStack: flags['log.level'] === 'debug' }))
  return CANNOT
}

interface FailureOptions {
  readonly terminal: Pick<Terminal, 'columns'>
  readonly withStack: boolean
}

/** What is wrong, and what to do about it; the stack is for whoever asked for it. */
export function renderFailure(error: unknown, { terminal, withStack }: FailureOptions): string {
  const message = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
  const said = fitComplaint(`meshtoll: ${message}\n`, terminal)
  return withStack && error instanceof Error && error.stack ? `${said}${error.stack}\n` : said
}

/** Without a command: of all that there are, or of those of a group. */
function helpOf(command: Command | undefined, group = ''): string {
  if (command) return renderHelp({ ...command, usage: `${command.name} [flags]`, flags: [...command.flags, ...EVERYWHERE] })
  const before = group === '' ? '' : `${group} `
  const commands = COMMANDS.filter(({ name }) => name.startsWith(before)).map((one) => ({ ...one, name: one.name.slice(before.length) }))
  const summary = `${GROUPS[group]} Each command explains itself with --help.`
  return renderHelp({ usage: `${before}COMMAND [flags]`, summary, commands, flags: EVERYWHERE })
}
