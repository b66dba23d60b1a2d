// Exit status: 0 the agent could do its job, 1 it could not, 2 its configuration is wrong.
import { CHECKS } from './check/checks.js'
import { gatherFacts } from './check/facts.js'
import { renderFindings } from './check/render.js'
import type { CommandDeps, CommandOptions } from './commands.js'

export async function run(options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<number> {
  const facts = await gatherFacts(options, deps, signal)
  const findings = CHECKS.flatMap(({ name, find }) => find(facts).map((finding) => ({ name, ...finding })))
  options.print(renderFindings(findings, options.terminal))
  if ('mistakes' in facts.loaded || facts.webMistakes.length > 0) return 2
  return findings.some(({ level }) => level === 'fail') ? 1 : 0
}
