// Runs the tests and says at the end how many there were: `N passed, N failed, N skipped`.
//   node scripts/test.js              all: first those of parts, then those on real servers and networks, which mostly wait
//   node scripts/test.js unit         those of parts only
//   node scripts/test.js FILE...      these files
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { inspect } from 'node:util'
import { Parser } from 'tap-parser'
import { placeOf } from '../test/peers/place.js'
import { ON_IMAGES_NODE, peerOf, peersOf } from '../test/peers/table.js'
import { buildWhenStale, ROOT } from './built.js'
import { compile } from './compiled.js'
import { havePeers } from './peers.js'

const LIMIT_SECONDS = 1200

const files = readdirSync(`${ROOT}test`, { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file}`)
  .sort()
/** Datadog's own client takes longer for a dashboard than most files for all. */
const HEAVY = [
  'test/cli/datadog-sync/',
  'test/lab/',
  'test/datadog/',
  'test/cluster/',
  'test/deploy/',
  'test/directory/',
  'test/mesh/',
  'test/rules/',
]
const isHeavy = (file) => HEAVY.some((folder) => file.startsWith(folder))

const count = { passed: 0, failed: 0, skipped: 0 }
const reasons = new Map()

/** Counts leaves: a test that holds others is as good as they are, unless it failed by itself. Returns what failed below. */
function listen(parser) {
  const below = { failed: 0 }
  let child
  parser.on('child', (inner) => {
    child = listen(inner)
  })
  parser.on('assert', (result) => {
    const isLeaf = child === undefined || (!result.ok && child.failed === 0)
    below.failed += result.ok ? 0 : 1
    child = undefined
    if (isLeaf || result.skip) countResult(result)
  })
  return below
}

function countResult({ ok, skip, name, diag }) {
  if (skip) {
    const reason = typeof skip === 'string' ? skip : name
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    count.skipped++
  } else if (ok) count.passed++
  else {
    count.failed++
    process.stdout.write(`\nnot ok: ${name}\n${diag ? `${textOf(diag)}\n` : ''}`)
  }
}

/** What an error carries may lead back to itself. */
function textOf(diag) {
  try {
    return JSON.stringify(diag, undefined, 2)
  } catch {
    return inspect(diag, { depth: 6 })
  }
}

const running = new Set()

/** Where it cannot be had, the machine's own; those that ask for it say so. */
const nodeFor = (file) =>
  (ON_IMAGES_NODE.some((path) => file.startsWith(path)) && placeOf(peerOf('node'), 'node', process.env).path) || process.execPath

/** Runs one file to its end, and prints a line then: so that one sees that it goes on. `folder`: where it was compiled to. */
async function run(file, folder) {
  const startedAt = performance.now()
  const child = spawn(nodeFor(file), ['--enable-source-maps', join(folder, file.replace(/\.ts$/, '.js'))], {
    cwd: ROOT,
    // Fixtures are made below TAP_CWD.
    env: { ...process.env, TAP_CWD: folder, TAP_TIMEOUT: String(LIMIT_SECONDS) },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LIMIT_SECONDS * 1000,
    killSignal: 'SIGKILL',
  })
  running.add(child)
  const parser = new Parser()
  const below = listen(parser)
  child.stdout.pipe(parser)
  const [[code, signal], [results]] = await Promise.all([once(child, 'close'), once(parser, 'complete')])
  running.delete(child)
  const isGood = code === 0 && results.ok
  const name = `${file} ended with ${signal ?? `status ${code}`}`
  if (!isGood && below.failed === 0) countResult({ ok: false, name, diag: results.failures[0] })
  process.stdout.write(`${isGood ? 'ok    ' : 'FAILED'} ${file}  ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`)
}

async function runEach(chosen, { folder, jobs }) {
  const waiting = chosen.values()
  const work = async () => {
    for (const file of waiting) await run(file, folder)
  }
  await Promise.all(Array.from({ length: jobs }, work))
}

const wanted = process.argv.slice(2)
const isNamed = wanted.some((word) => word.endsWith('.ts'))
const named = wanted.map((file) => relative(ROOT, resolve(file)))
const chosen = isNamed ? named : files.filter((file) => wanted[0] !== 'unit' || !isHeavy(file))
const light = chosen.filter((file) => !isHeavy(file))
const heavy = chosen.filter(isHeavy)

if (!buildWhenStale()) process.exit(1)
// What cannot be had is told by the tests that need it.
await havePeers(peersOf(chosen).map(peerOf))
const compiled = await compile()
if (compiled === undefined) process.exit(1)
process.on('exit', compiled.remove)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of running) child.kill('SIGTERM')
    process.exit(1)
  })
}
await runEach(light, { ...compiled, jobs: 2 })
await runEach(heavy, { ...compiled, jobs: 2 })
for (const [reason, times] of reasons) process.stdout.write(`skipped ${times}: ${reason}\n`)
process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`)
process.exitCode = count.failed === 0 ? 0 : 1
