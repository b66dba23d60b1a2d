// Runs the tests and says at the end how many there were: `N passed, N failed, N skipped`.
//   node scripts/test.js              all: first those of parts, then those that load the machine, one at a time
//   node scripts/test.js unit         those of parts only
//   node scripts/test.js FILE...      these files
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { Parser } from 'tap-parser'
import { peerOf, peersOf } from '../test/peers/table.js'
import { buildWhenStale, ROOT } from './built.js'
import { havePeers } from './peers.js'

const files = readdirSync(`${ROOT}test`, { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file}`)
  .sort()
const HEAVY = ['test/lab/', 'test/cluster/']
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
    process.stdout.write(`\nnot ok: ${name}\n${diag ? `${JSON.stringify(diag, undefined, 2)}\n` : ''}`)
  }
}

function tap(chosen, jobs) {
  return new Promise((resolve) => {
    const args = [
      `${ROOT}node_modules/tap/dist/esm/run.mjs`,
      'run',
      '--reporter=tap',
      '--disable-coverage',
      `--jobs=${jobs}`,
      '--timeout=1200',
      ...chosen,
    ]
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
    const parser = new Parser()
    listen(parser)
    // A line per file, when it is done: so that one sees that it goes on.
    parser.on('assert', ({ ok, name, time }) =>
      process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name}${time ? `  ${(time / 1000).toFixed(1)} s` : ''}\n`),
    )
    child.stdout.pipe(parser)
    child.on('exit', (code) => resolve(code === 0))
  })
}

function buildTap() {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`${ROOT}node_modules/tap/dist/esm/run.mjs`, 'build'], { cwd: ROOT, stdio: 'ignore' })
    child.on('exit', resolve)
  })
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
await buildTap()
let isGood = true
if (light.length > 0) isGood = await tap(light, 2)
if (heavy.length > 0) isGood = (await tap(heavy, 1)) && isGood
for (const [reason, times] of reasons) process.stdout.write(`skipped ${times}: ${reason}\n`)
if (!isGood && count.failed === 0) count.failed = 1
process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`)
process.exitCode = isGood && count.failed === 0 ? 0 : 1
