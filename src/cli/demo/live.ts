// The live table: looks every second, and shows rates over the last few.
import { publish } from '../../lab/relay.js'
import type { CommandDeps, CommandOptions } from '../commands.js'
import { totalOf } from './interfaces.js'
import { rowsOf } from './rows.js'
import { renderFoot, renderScreen, renderTaken, type View } from './screen.js'
import type { Sight, Stage } from './stage.js'
import { paint } from './style.js'
import { renderTable } from './table.js'
import { openScreen } from './terminal.js'

export interface LiveParts {
  readonly stage: Stage
  readonly title: string
  readonly options: CommandOptions
}

/** A little more than what an agent takes for fresh, so that every look makes it read. */
const LOOK_EVERY_MS = 1_050
const RATE_OVER_MS = 6_000
const PRINT_EVERY_MS = 5_000
const PRINTED = { columns: 120, lines: 24 }

export async function runLive({ stage, title, options }: LiveParts, { clock }: CommandDeps, signal: AbortSignal): Promise<never> {
  const door = await publishAgents(stage, options)
  const first = await stage.look(signal)
  await stage.startTraffic()
  const { show, close } = createShow(options, door)
  let sights = [first]
  try {
    for (;;) {
      await clock.sleep(LOOK_EVERY_MS, signal)
      const sight = await stage.look(signal)
      sights = [...sights.filter(({ atMs }) => sight.atMs - atMs <= RATE_OVER_MS), sight]
      show(viewOf({ title, ...door, startMs: first.atMs }, sights))
      // While the traffic began nothing flowed at its rate yet.
      sights = sights.filter((sight) => sight !== first)
    }
  } finally {
    close()
  }
}

function viewOf(
  { startMs, ...known }: Pick<View, 'title' | 'addresses' | 'taken'> & { readonly startMs: number },
  sights: readonly Sight[],
): View {
  const [since, until] = [sights[0], sights.at(-1)]
  if (!since || !until) throw new Error('nothing was looked at')
  const { agents, interfaces, atMs } = until
  const rateOf = (of: 'observed' | 'posted'): readonly number[] =>
    agents.map((agent, index) => {
      const before = since.agents[index] ?? agent
      const seconds = (Date.parse(agent.at) - Date.parse(before.at)) / 1_000
      return seconds > 0 ? (agent.books[of] - before.books[of]) / seconds : 0
    })
  return {
    ...known,
    agents,
    flowing: rateOf('observed'),
    postedPerSecond: rateOf('posted').reduce((sum, rate) => sum + rate, 0),
    seconds: (atMs - startMs) / 1_000,
    rows: rowsOf(agents, { since: since.agents, until: agents }),
    sentBytes: totalOf(interfaces),
  }
}

type Door = Pick<View, 'addresses' | 'taken'>

interface Show {
  show(view: View): void
  close(): void
}

function createShow(options: CommandOptions, door: Door): Show {
  return process.stdout.isTTY && process.env['TERM'] !== 'dumb' ? showOnScreen(options) : showAsText(options, door)
}

/** The last picture stays where the command was given. */
function showOnScreen({ print, terminal }: CommandOptions): Show {
  const screen = openScreen(process.stdout)
  let last: View | undefined
  return {
    show(view) {
      last = view
      screen.draw((size) => renderScreen(view, size))
    },
    close() {
      screen.close()
      if (last) print(renderText(last, { columns: process.stdout.columns, hasColors: terminal.hasColors }))
    },
  }
}

function showAsText({ print }: CommandOptions, { addresses, taken }: Door): Show {
  let printedAt = 0
  for (const { node, url } of addresses) print(`${node}  ${url}/  ${url}/metrics\n`)
  for (const line of renderTaken(taken)) print(`${line}\n`)
  return {
    show(view) {
      if (view.seconds * 1_000 - printedAt < PRINT_EVERY_MS && printedAt > 0) return
      printedAt = view.seconds * 1_000
      print(`\n${renderText(view, { columns: PRINTED.columns, hasColors: false })}`)
    },
    close: () => undefined,
  }
}

function renderText(view: View, { columns, hasColors }: { readonly columns: number; readonly hasColors: boolean }): string {
  const lines = [...renderTable(view.rows, { columns, lines: PRINTED.lines }), ...renderFoot(view, columns)]
  return lines.map((line) => `${paint(line, hasColors).trimEnd()}\n`).join('')
}

/** Ports of the machine from the first on, or free ones where those are taken. */
async function publishAgents({ agents }: Stage, { flags }: CommandOptions): Promise<Door> {
  const { host: asked, port: first } = flags['web.listen-address']
  const host = asked || '127.0.0.1'
  const open = async ({ node, path }: Stage['agents']['sockets'][number], index: number) => {
    const wanted = first === 0 ? 0 : first + index
    const port = await publish({ path, host, port: wanted }).catch(() => publish({ path, host }))
    return { node: node.name, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, wanted, port }
  }
  const opened = await Promise.all(agents.sockets.map(open))
  const taken = opened.filter(({ wanted, port }) => wanted !== 0 && wanted !== port).map(({ wanted }) => wanted)
  return { addresses: opened, taken }
}
