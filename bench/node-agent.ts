// The built agent on a node of a topology, with CAP_NET_ADMIN and nothing else, spoken to as Prometheus does.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { Agent as HttpAgent, type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { Program } from '../src/lab/program.js'
import type { Topology } from '../src/lab/topology.js'
import type { InventoryEntry } from '../src/model.js'

export type Entry = Partial<InventoryEntry> & Pick<InventoryEntry, 'cidr'>

export interface NodeAgent {
  readonly pid: number
  /** As Prometheus 3 asks: OpenMetrics, compressed, over one connection. */
  scrape(): Promise<string>
  stop(): Promise<void>
  /** Takes the kernel table away too. */
  uninstall(): Promise<void>
}

/** Another build may be measured. */
const MAIN = join(process.env['MESHTOLL_DIST'] ?? fileURLToPath(new URL('../dist', import.meta.url)), 'main.js')
const NODE_FLAGS = (process.env['MESHTOLL_NODE_FLAGS'] ?? '').split(' ').filter(Boolean)
const LOOP_WATCH = new URL('loop-watch.js', import.meta.url).href
const PORT = 10042
const READY_WITHIN_MS = 20_000
const PROMETHEUS = {
  accept:
    'application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  'accept-encoding': 'gzip',
}

export interface AgentSpec {
  readonly entries: readonly Entry[]
  /** Beside its name and its inventory. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string>>
  /** Each second it says here how long its loop was held (loop-watch.js). */
  readonly loopFile?: string
}

export async function startAgent(topology: Topology, node: string, spec: AgentSpec): Promise<NodeAgent> {
  const { entries, options = {}, environment = {}, loopFile } = spec
  const folder = await mkdtemp('/run/lab/bench-')
  await writeFile(join(folder, 'inventory.yaml'), JSON.stringify({ entries }))
  const config = join(folder, 'meshtoll.yaml')
  await writeFile(config, JSON.stringify({ node: { name: node, zone: 'zone-1' }, inventory: { file: 'inventory.yaml' }, ...options }))
  const flags = [`--config.file=${config}`, `--state.dir=${folder}`, `--web.listen-address=127.0.0.1:${PORT}`]
  const watching = loopFile === undefined ? [] : [`--import=${LOOP_WATCH}?to=${loopFile}`]
  const run = (...more: readonly string[]): Program =>
    topology.start(node, [process.execPath, ...watching, ...NODE_FLAGS, MAIN, 'agent', ...flags, ...more], {
      capabilities: ['net_admin'],
      env: { ...process.env, ...environment },
    })
  const socketPath = await topology.peer(node).relay({ port: PORT })
  const program = run()
  await program.waitFor(/agent is running/, READY_WITHIN_MS)
  const connection = new HttpAgent({ keepAlive: true, maxSockets: 1 })
  const stop = async (): Promise<void> => {
    connection.destroy()
    await program.stop('SIGTERM', 5_000)
  }
  return {
    pid: program.pid,
    scrape: () => get({ socketPath, path: '/metrics', agent: connection, headers: PROMETHEUS }),
    stop,
    async uninstall() {
      await stop()
      await run('--uninstall').exited
    },
  }
}

interface Asked {
  readonly socketPath: string
  readonly path: string
  readonly agent: HttpAgent
  readonly headers: IncomingHttpHeaders
}

function get(asked: Asked): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(asked, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.once('error', reject).once('end', () => {
        const body = Buffer.concat(pieces)
        const text = (response.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`${asked.path}: ${response.statusCode} ${text}`))
      })
    })
    sent.once('error', reject).end()
  })
}

/** A process as /proc shows it (proc_pid_stat(5), proc_pid_status(5)). */
export interface Usage {
  readonly cpuSeconds: number
  readonly rssMiB: number
  readonly peakMiB: number
}

const TICKS_PER_SECOND = 100

export async function readUsage(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/status`, 'utf8')])
  // The name, in parentheses, may hold anything; behind it utime and stime are the 12th and 13th.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
  return {
    cpuSeconds: ((fields[11] ?? 0) + (fields[12] ?? 0)) / TICKS_PER_SECOND,
    rssMiB: kibibytes('VmRSS') / 1024,
    peakMiB: kibibytes('VmHWM') / 1024,
  }
}
