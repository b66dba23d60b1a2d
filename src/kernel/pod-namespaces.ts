// The network namespace of a pod: that of a process which the kernel says is in one of the pod's cgroups. The host's /proc says it of each
//   0::/../../kubepods-burstable-pod0a1b_22.slice/cri-containerd-3c4d.scope
// even to who is in a process namespace of its own, to whom cgroup.procs says 0 of every other one.
import type { Deps } from '../deps.js'
import { podOf } from './cgroups.js'
import { KernelError } from './errors.js'
import type { NetworkNamespace, OpenNetworkNamespace } from './network-namespaces.js'

export interface PodNamespaces {
  /** `pod`: its uid. Rejects with NoProcess, or as the kernel refuses. */
  open(pod: string, signal: AbortSignal): Promise<NetworkNamespace>
}

export type PodNamespacesDeps = Pick<Deps, 'clock' | 'readFile' | 'listFolders'>

/** In words that are the same for all pods. */
export class NoProcess extends Error {
  override readonly name = 'NoProcess'

  constructor() {
    super('no process of its pod is to be seen')
  }
}

interface Process {
  readonly pid: string
  /** Of its cgroup: what runs deeper may be in a namespace that the pod has made itself. */
  readonly depth: number
}

const MOUNTS = '/proc/self/mountinfo'
const OWN = '/proc'
/** Behind the separator: type, device, options. */
const MOUNT = /^\S+ \S+ \S+ \/ (\S+) .* - proc /
/** No more often, however many pods are not found: who begins another process is asked again. */
const LOOK_EVERY_MS = 5_000
const AT_ONCE = 64
/** A process may end, and another have its number, at any time. */
const ATTEMPTS = 3
const GONE = ['ENOENT', 'ESRCH']

/** `openNamespace` is called with paths in the host's /proc, which may be mounted anywhere. */
export function createPodNamespaces(openNamespace: OpenNetworkNamespace, deps: PodNamespacesDeps): PodNamespaces {
  const { clock, readFile } = deps
  let processes: ReadonlyMap<string, Process> = new Map()
  let looking: { readonly atMs: number; readonly done: Promise<void> } | undefined
  let root: Promise<string> | undefined

  const rootOf = (): Promise<string> => {
    root ??= readFile(MOUNTS).then(hostProcOf, () => OWN)
    return root
  }

  async function find(pod: string): Promise<Process | undefined> {
    if (!processes.has(pod)) await look()
    return processes.get(pod)
  }

  async function look(): Promise<void> {
    if (!looking || looking.atMs + LOOK_EVERY_MS <= clock.monotonic()) {
      const done = rootOf().then(async (path) => {
        processes = await findProcesses(path, deps)
      })
      looking = { atMs: clock.monotonic(), done }
    }
    await looking.done
  }

  function forget(pod: string): void {
    const kept = new Map(processes)
    kept.delete(pod)
    processes = kept
  }

  async function openOf(pod: string, { pid }: Process): Promise<NetworkNamespace | undefined> {
    const folder = `${await rootOf()}/${pid}`
    const namespace = orGone(() => openNamespace(`${folder}/ns/net`))
    // Opened it stays what it is; whose it is, is certain only from here on.
    const isStillOf = namespace && podIn(await readFile(`${folder}/cgroup`).catch(() => ''))?.pod === pod
    if (isStillOf) return namespace
    namespace?.close()
    return undefined
  }

  return {
    async open(pod, signal) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        signal.throwIfAborted()
        const found = await find(pod)
        if (!found) break
        const namespace = await openOf(pod, found)
        if (namespace) return namespace
        forget(pod)
      }
      throw new NoProcess()
    },
  }
}

/** A proc that is mounted beside our own is the host's. */
export function hostProcOf(mounts: string): string {
  const paths = mounts.split('\n').flatMap((line) => MOUNT.exec(line)?.[1] ?? [])
  return paths.find((path) => path !== OWN) ?? OWN
}

async function findProcesses(root: string, { readFile, listFolders }: PodNamespacesDeps): Promise<ReadonlyMap<string, Process>> {
  const found = new Map<string, Process>()
  const pids = (await listFolders(root)).filter((name) => /^\d+$/.test(name))
  for (let at = 0; at < pids.length; at += AT_ONCE)
    await Promise.all(
      pids.slice(at, at + AT_ONCE).map(async (pid) => {
        const of = podIn(await readFile(`${root}/${pid}/cgroup`).catch(() => ''))
        if (of && isBetter({ pid, depth: of.depth }, found.get(of.pod))) found.set(of.pod, { pid, depth: of.depth })
      }),
    )
  return found
}

/** Of two alike the older, most likely: answers come in any order. */
function isBetter({ pid, depth }: Process, other: Process | undefined): boolean {
  if (!other || depth !== other.depth) return !other || depth < other.depth
  return Number(pid) < Number(other.pid)
}

/** Of the text of /proc/PID/cgroup, of either version. */
function podIn(cgroups: string): { readonly pod: string; readonly depth: number } | undefined {
  for (const line of cgroups.split('\n')) {
    const names = line.slice(line.indexOf('/')).split('/')
    const at = names.findIndex((name) => podOf(name) !== undefined)
    if (at >= 0) return { pod: podOf(names[at] as string) as string, depth: names.length - at }
  }
  return undefined
}

function orGone<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (error instanceof KernelError && GONE.includes(error.code)) return undefined
    throw error
  }
}
