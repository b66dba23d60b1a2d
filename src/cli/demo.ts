// Three zones on this machine, one agent per node, real traffic: runs itself again inside a world of network namespaces.
import { nodeCommand } from '../lab/program.js'
import { canMakeWorld, enterWorld, isInWorld } from '../lab/world.js'
import type { CommandDeps, CommandOptions } from './commands.js'
import { runLive } from './demo/live.js'
import { runOnce } from './demo/once.js'
import { createStage } from './demo/stage.js'
import { podsOf, STORY } from './demo/story.js'
import { LEAVE } from './demo/terminal.js'

const CANNOT = 1
const KILLED = 137

export function run(options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<number> {
  return isInWorld() ? runInside(options, deps, signal) : runOutside(options)
}

async function runOutside({ complain, print, flags }: CommandOptions): Promise<number> {
  const world = await canMakeWorld()
  if (!world.ok) {
    complain(`meshtoll: the demo needs network namespaces, and ${world.why}\n  ${world.remedy}\n`)
    return CANNOT
  }
  // Whoever is killed inside cannot put the terminal back.
  const putBack = (): void => print(LEAVE)
  if (process.stdout.isTTY && !flags.once) process.once('exit', putBack)
  const code = await enterWorld([...nodeCommand(mainFile()), ...process.argv.slice(2)])
  if (code !== KILLED) process.off('exit', putBack)
  if (code === 0 && !flags.once) print('everything is removed\n')
  return code
}

async function runInside(options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<number> {
  const { flags, complain } = options
  const story = STORY
  const title = `meshtoll demo  ${story.nodes.length} zones, ${podsOf(story).length} pods, ${story.nodes.length} agents, real packets`
  complain(`${title}: starting\n`)
  try {
    const agentFlags = [`--log.level=${flags['log.level']}`, `--log.format=${flags['log.format']}`]
    const stage = await createStage({ story, main: mainFile(), flags: agentFlags }, deps, signal)
    if (flags.once) return (await runOnce({ stage, options }, deps, signal)) ? 0 : CANNOT
    return await runLive({ stage, title, options }, deps, signal)
  } catch (error) {
    if (!signal.aborted) throw error
    // Stopped: the end of a live table, but no answer to --once.
    return flags.once ? CANNOT : 0
  }
}

const mainFile = (): string => process.argv[1] ?? ''
