// What the recording rules cost a real Prometheus (test/peers) that scrapes a tenth of a thousand nodes with 2,000 flow series each.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeCommand } from '../src/lab/program.js'
import { placeOf } from '../test/peers/place.js'
import { peerOf } from '../test/peers/table.js'
import type { BenchOptions, Figure } from './figure.js'

const RULES = join(import.meta.dirname, '../deploy/prometheus/recording.yaml')
const ADDRESS = '127.0.0.1:9090'
const INTERVAL_SECONDS = 15
/** The windows of the rules are full then. */
const FULL_AFTER_MS = 330_000
const QUICK_MS = 60_000
const WITHIN_MS = 30_000
const KIBIBYTES = 1_024

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const { path, reason } = placeOf(peerOf('prometheus'), 'prometheus', process.env)
  if (path === undefined) throw new Error(`${reason}; \`npm run peers\` builds it`)
  const [nodes, series, pairs] = quick ? [10, 200, 200] : [100, 2_000, 20_000]
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  const folder = await mkdtemp(join(tmpdir(), 'meshtoll-rules-'))
  const [command = '', ...rest] = [
    ...nodeCommand(new URL('rule-target.ts', import.meta.url).pathname),
    ...[nodes, series, pairs].map(String),
  ]
  const target = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = await once(target.stdout, 'data')
  await writeFile(join(folder, 'prometheus.yml'), configOf(nodes, String(port).trim()))
  const flags = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${ADDRESS}`]
  const server = spawn(path, [...flags, '--log.level=error'], { stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    await sleep(quick ? QUICK_MS : FULL_AFTER_MS)
    yield* await figuresOf(server.pid ?? 0, { nodes, series, pairs })
  } finally {
    server.kill('SIGKILL')
    await once(server, 'close')
    target.kill()
    await rm(folder, { recursive: true })
  }
}

function configOf(nodes: number, port: string): string {
  const job = (node: number): object => ({
    job_name: `node-${node}`,
    metrics_path: `/${node}`,
    static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    relabel_configs: [
      { target_label: 'job', replacement: 'meshtoll' },
      { target_label: 'instance', replacement: `node-${node}` },
    ],
  })
  const global = { scrape_interval: `${INTERVAL_SECONDS}s`, evaluation_interval: `${INTERVAL_SECONDS}s` }
  return JSON.stringify({ global, rule_files: [RULES], scrape_configs: Array.from({ length: nodes }, (_, node) => job(node)) })
}

interface Sizes {
  readonly nodes: number
  readonly series: number
  readonly pairs: number
}

async function figuresOf(pid: number, { nodes, series, pairs }: Sizes): Promise<Figure[]> {
  const metrics = await (await fetch(`http://${ADDRESS}/metrics`, { signal: AbortSignal.timeout(WITHIN_MS) })).text()
  const [, resident = '0'] = /^VmRSS:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  const secondsOf = (group: string): number =>
    Number(new RegExp(`^prometheus_rule_group_last_duration_seconds\\{rule_group="[^"]*;${group}"\\} (\\S+)$`, 'm').exec(metrics)?.[1])
  const [, head] = /^prometheus_tsdb_head_series (\S+)$/m.exec(metrics) ?? []
  if (Number(head) < nodes * series) throw new Error(`Prometheus has ${head} series of ${nodes * series}`)
  const of = `${(nodes * series).toLocaleString('en-US')} flow series of ${nodes} nodes`
  const beside = `${pairs.toLocaleString('en-US')} pairs of owners; every ${INTERVAL_SECONDS} s`
  return [
    { number: `rules: meshtoll-bytes over ${of}`, unit: 'ms', measured: secondsOf('meshtoll-bytes') * 1_000, beside },
    { number: `rules: meshtoll-dollars over ${of}`, unit: 'ms', measured: secondsOf('meshtoll-dollars') * 1_000, beside },
    {
      number: `rules: memory of Prometheus with ${of}`,
      unit: 'MiB',
      measured: Number(resident) / KIBIBYTES,
      beside: `${head} series in all`,
    },
  ]
}
