// Exit status: 0 the agent could do its job, 1 it could not, 2 its configuration is wrong.
import type { Deps } from '../deps.js'
import { CHECKS } from './check/checks.js'
import { gatherFacts } from './check/facts.js'
import { renderFindings } from './check/render.js'
import type { CommandOptions } from './commands.js'

export async function run(options: CommandOptions, deps: Deps): Promise<number> {
  const facts = await gatherFacts(options, deps)
  const findings = CHECKS.flatMap(({ name, find }) => find(facts).map((finding) => ({ name, ...finding })))
  options.print(renderFindings(findings, options.terminal))
  if ('mistakes' in facts.loaded) return 2
  return findings.some(({ level }) => level === 'fail') ? 1 : 0
}
