// Runs benches, each in a private world and a process of its own, and prints what they say.
//   npm run bench                      all
//   npm run bench -- tax scrape        these
//   npm run bench -- --quick tax       a little of it, to see that it works
//   npm run bench -- --write           and puts the results into bench/README.md, in the place of what was measured of them before
import { spawn } from 'node:child_process'
import { loadavg } from 'node:os'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { nodeCommand } from '../src/lab/program.js'
import { canMakeWorld, isInWorld, worldCommand, worldEnvironment } from '../src/lab/world.js'
import { type Figure, type Measure, rowOf } from './figure.js'
import { renderTable, writeResults } from './results.js'

/** In the order of design.md section 7. */
const BENCHES = [
  'throughput',
  'tax',
  'agent-cost',
  'datadog',
  'scrape',
  'kernel-read',
  'cycle',
  'identity',
  'kube-list',
  'directory',
  'proxies',
  'logs',
  'answers',
  'rules',
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
})

async function runInside(name: string): Promise<number> {
  const { measure } = (await import(`./${name}.js`)) as { readonly measure: Measure }
  for await (const figure of measure({ quick: values.quick })) process.stdout.write(`${JSON.stringify(figure)}\n`)
  return 0
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function runOutside(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !BENCHES.includes(name))
  if (unknown.length > 0) return refuse(`there is no bench called ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`)
  if (values.quick && values.write)
    return refuse('numbers of --quick mean nothing, so --write does not write them: leave one of the two out')
  const world = await canMakeWorld()
  if (!world.ok) return refuse(`benches need a world of network namespaces, and ${world.why}\n  ${world.remedy}`)
  const figures: Figure[] = []
  const failed: string[] = []
  const loads: number[] = []
  for (const name of names) {
    loads.push(loadavg()[0] ?? 0)
    say(`${name} (load average ${loadavg()[0]?.toFixed(2)})`)
    if (!(await runOne(name, (figure) => figures.push(figure)))) failed.push(name)
  }
  process.stdout.write(renderTable(figures.map(rowOf)))
  if (failed.length > 0) return refuse(`failed: ${failed.join(', ')}`)
  if (values.write) await writeResults(figures.map(rowOf), loads)
  return 0
}

function refuse(why: string): number {
  say(`meshtoll: ${why}`)
  return 1
}

/** Resolves to whether it came to its end. */
function runOne(name: string, onFigure: (figure: Figure) => void): Promise<boolean> {
  const self = [...nodeCommand(import.meta.filename), ...(values.quick ? ['--quick'] : []), name]
  const [command = '', ...rest] = [...worldCommand({ uid: process.getuid?.() ?? -1 }), ...self]
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'], env: worldEnvironment() })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const figure = JSON.parse(line) as Figure
    onFigure(figure)
    const { number, measured, bar, verdict } = rowOf(figure)
    say(`  ${number}: ${measured}${bar ? `, ${bar}, ${verdict}` : ''}`)
  })
  return new Promise((resolve, reject) => child.once('error', reject).once('close', (code) => resolve(code === 0)))
}

process.exit(isInWorld() ? await runInside(positionals[0] ?? '') : await runOutside(positionals.length > 0 ? positionals : BENCHES))
