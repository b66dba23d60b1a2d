// The story for a few seconds; then everything rests, and what is served must be what was sent.
import { renderFindings } from '../check/render.js'
import type { CommandDeps, CommandOptions } from '../commands.js'
import { renderBooks } from './books.js'
import { rowsOf } from './rows.js'
import type { Stage } from './stage.js'
import { paint, plain } from './style.js'
import { renderTable } from './table.js'
import { checksOf } from './truth.js'

const STORY_MS = 4_000
/** Rates are taken after it. */
const BEGINS_WITHIN_MS = 1_000
const COLUMNS = 120

/** Whether all was right. */
export async function runOnce(
  { stage, options }: { readonly stage: Stage; readonly options: CommandOptions },
  { clock }: CommandDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { print, terminal } = options
  const traffic = await stage.startTraffic()
  await clock.sleep(BEGINS_WITHIN_MS, signal)
  const since = await stage.look(signal)
  await clock.sleep(STORY_MS - BEGINS_WITHIN_MS, signal)
  const until = await stage.look(signal)
  const payload = await traffic.stop()
  const { agents, interfaces } = await stage.rest(signal)

  const columns = terminal.columns || COLUMNS
  const rows = rowsOf(agents, { since: since.agents, until: until.agents })
  const lines = [...renderTable(rows, { columns, lines: rows.length + 2 }), ...renderBooks({ agents }, columns), plain('')]
  print(lines.map((line) => `${paint(line, terminal.hasColors).trimEnd()}\n`).join(''))
  const findings = checksOf({ story: stage.story, agents, interfaces, payload, ipv6: stage.ipv6 })
  print(renderFindings(findings, terminal))
  return findings.every(({ level }) => level === 'ok')
}
