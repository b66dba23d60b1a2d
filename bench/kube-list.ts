// A list of 20,000 pods is read, and of each the few fields are kept that say who an address is. The API server is another process.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createKubeClient, type KubeClient } from '../src/kube/client.js'
import { type FollowOptions, followObjects } from '../src/kube/follow.js'
import { nodeCommand } from '../src/lab/program.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { CLOCK, SILENT } from './flow-series.js'
import { timed } from './timing.js'

interface Kept {
  readonly uid: string
  readonly node: string
  readonly addresses: readonly string[]
  readonly ownerKind: string
  readonly ownerName: string
}

interface RawPod {
  readonly metadata: { readonly uid: string; readonly ownerReferences: readonly { readonly kind: string; readonly name: string }[] }
  readonly spec: { readonly nodeName: string }
  readonly status: { readonly podIPs: readonly { readonly ip: string }[] }
}

const PATH = '/api/v1/pods'
const FEW = { fieldSelector: 'spec.nodeName=node-1' }
const SETTLE_MS = 100
const SAMPLE_MS = 5
const MEBIBYTE = 1 << 20

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const count = quick ? 2_000 : 20_000
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  const [command = '', ...rest] = [...nodeCommand(new URL('pod-server.ts', import.meta.url).pathname), String(count)]
  const server = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = await once(server.stdout, 'data')
  const client = createKubeClient({ server: `http://127.0.0.1:${String(port).trim()}` }, { clock: CLOCK })
  yield* await measureList(client, count)
  await client.close()
  server.kill()
}

async function measureList(client: KubeClient, count: number): Promise<Figure[]> {
  const what = `a list of ${count.toLocaleString('en-US')} pods`
  const kept = new Map<string, Kept>()
  // What comes with the first request is not the list's.
  await read({ client, path: PATH, query: FEW, prune }, new Map())
  await settle()
  const before = { rss: process.memoryUsage.rss(), heap: process.memoryUsage().heapUsed }
  let peak = before.rss
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, SAMPLE_MS)
  const timing = await timed(() => read({ client, path: PATH, prune }, kept))
  clearInterval(sampler)
  await settle()
  const objects = process.memoryUsage().heapUsed - before.heap
  const growth = Math.max(peak, process.memoryUsage.rss()) - before.rss
  return [
    { number: what, unit: 'ms', measured: timing.wallMs, beside: `CPU ${timing.cpuMs.toFixed(0)} ms` },
    blockFigure(what, [timing]),
    {
      number: `memory above the objects kept, ${what}`,
      unit: 'MiB',
      measured: (growth - objects) / MEBIBYTE,
      beside: `the objects ${(objects / MEBIBYTE).toFixed(1)} MiB, ${kept.size} of them`,
    },
  ]
}

/** Until it is synced. */
async function read(options: FollowOptions<Kept>, kept: Map<string, Kept>): Promise<void> {
  const stopping = new AbortController()
  await followObjects(
    options,
    { clock: CLOCK, log: SILENT, random: () => crypto.randomUUID() },
    {
      put: (key, object) => void kept.set(key, object),
      remove: (key) => void kept.delete(key),
      synced: () => stopping.abort(),
    },
    stopping.signal,
  )
}

function prune(raw: unknown): Kept {
  const { metadata, spec, status } = raw as RawPod
  const [owner] = metadata.ownerReferences
  return {
    uid: metadata.uid,
    node: spec.nodeName,
    addresses: status.podIPs.map(({ ip }) => ip),
    ownerKind: owner?.kind ?? '',
    ownerName: owner?.name ?? '',
  }
}

async function settle(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let times = 0; times < 4; times++) {
    collect()
    await sleep(SETTLE_MS)
  }
}
