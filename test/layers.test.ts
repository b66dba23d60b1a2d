// The design, held by a test: who may import whom. No stage imports the next; only the composition roots know two stages.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'

const SRC = join(import.meta.dirname, '../src')

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  deps: [],
  config: ['model'],
  kernel: ['deps', 'formats'],
  kube: ['deps'],
  formats: ['model'],
  // kube: endpoints of a cluster are asked as its API server is, by its authority and with its tokens.
  sources: ['model', 'deps', 'deadline', 'kernel', 'formats', 'kube', 'pauses', 'slots'],
  identity: ['model', 'deps', 'formats', 'slots'],
  // What is written down, whoever writes it: lines with their checksums, and which file a start goes on from.
  state: ['deps', 'pauses'],
  ledger: ['model', 'deps', 'pauses', 'state'],
  exporters: ['model', 'deps', 'deadline', 'formats', 'pauses', 'proxy', 'state', 'turns'],
  catalogue: ['model', 'sources', 'ledger', 'exporters', 'directory'],
  cluster: ['deps', 'kube', 'identity', 'slots'],
  // What agents and directories push alike.
  datadog: ['model', 'deps', 'config', 'identity', 'kube', 'exporters', 'proxy', 'state'],
  agent: [
    'model',
    'deps',
    'deadline',
    'cluster',
    'config',
    'datadog',
    'kernel',
    'kube',
    'sources',
    'identity',
    'ledger',
    'exporters',
    'pauses',
    'pulse',
    'set-clock',
    'turns',
    'version',
  ],
  directory: [
    'model',
    'deps',
    'deadline',
    'cluster',
    'config',
    'datadog',
    'kube',
    'identity',
    'exporters',
    'formats',
    'http',
    'pulse',
    'set-clock',
    'slots',
  ],
  http: ['model', 'deps', 'exporters'],
  lab: [],
  cli: [
    'model',
    'deps',
    'catalogue',
    'deadline',
    'cluster',
    'config',
    'datadog',
    'kernel',
    'kube',
    'sources',
    'identity',
    'agent',
    'directory',
    'http',
    'lab',
    'disk',
    'proxy',
    'slots',
    'version',
  ],
  disk: ['deps', 'turns'],
  files: ['deps', 'growing-files'],
  'inventory-parser': ['config'],
  'inventory-worker': ['config', 'inventory-parser'],
  'growing-files': ['deps'],
  deadline: ['deps'],
  pauses: ['deps'],
  pulse: ['deps'],
  proxy: [],
  'set-clock': ['deps'],
  slots: [],
  turns: [],
  log: ['deps'],
  version: [],
  main: ['cli', 'deps', 'kernel', 'config', 'disk', 'files', 'inventory-parser', 'log'],
}
const MAX_LINES = 250

interface Import {
  readonly from: string
  readonly to: string
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const layerOf = (path: string): string => path.split('/')[0]?.replace(/\.(ts|js)$/, '') ?? path
const read = (file: string): string => readFileSync(join(SRC, file), 'utf8')

function importsOf(file: string): Import[] {
  const targets = [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1] ?? '')
  return targets.map((target) => ({ from: layerOf(file), to: layerOf(relative(SRC, join(SRC, file, '..', target))) }))
}

t.test('every import goes one way', async (t) => {
  t.ok(files.length > 0, 'there is something to check')
  for (const file of files) {
    const layer = layerOf(file)
    const allowed = MAY_IMPORT[layer]
    t.ok(allowed, `${file}: the layer "${layer}" is in the table`)
    const wrong = importsOf(file).filter(({ to }) => to !== layer && !allowed?.includes(to))
    t.same(wrong, [], `${file} imports only what its layer may`)
  }
})

t.test('no layer may import what it does not', async (t) => {
  const used = new Set(files.flatMap(importsOf).map(({ from, to }) => `${from} ${to}`))
  for (const [layer, allowed] of Object.entries(MAY_IMPORT))
    t.same(
      allowed.filter((to) => !used.has(`${layer} ${to}`)),
      [],
      layer,
    )
})

t.test('native code is loaded by one layer', async (t) => {
  const loading = files.filter((file) => /\b(from|import)\s*\(?\s*'koffi'/.test(read(file)))
  t.same([...new Set(loading.map(layerOf))], ['kernel'])
})

t.test('files stay small enough to read', async (t) => {
  for (const file of files) {
    const lines = read(file).split('\n').length - 1
    t.ok(lines <= MAX_LINES, `${file} has ${lines} lines`)
  }
})

t.test('clock, console and process are touched at the edge only', async (t) => {
  const EDGE = ['main.ts', 'lab/', 'cli/demo']
  const outside = files.filter((file) => !EDGE.some((edge) => file.startsWith(edge)))
  for (const file of outside) {
    t.notMatch(read(file), /\b(console\.|process\.|Date\.now\(|new Date\(\)|setInterval\()/, `${file} is handed what it needs`)
  }
})
