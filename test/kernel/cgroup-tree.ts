// Cgroups as a kubelet makes them, below the real root: programs can be started in them. They go with the test.
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface CgroupTree {
  readonly root: string
  make(path: string): void
  /** Takes in processes that run already. */
  take(path: string, pids: readonly number[]): void
  remove(): Promise<void>
}

/** Of the root below the real one: deeper than an agent looks for a kubelet's, so that no other test finds it. */
export const ROOT_DEPTH = 2

/** The mount of version 2 that may be written to. */
function mountPoint(): string | undefined {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return mounts
    .flatMap((line) => (/ - cgroup2 /.test(line) && line.split(' ')[3] === '/' ? [line.split(' ')[4] ?? ''] : []))
    .find(isWritable)
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return process.getuid?.() === 0
  } catch {
    return false
  }
}

/** Why there can be none here. */
export const noCgroups = (): string | undefined => (mountPoint() ? undefined : 'no cgroups (version 2) that this user may make')

export function createCgroupTree(): CgroupTree {
  const top = join(mountPoint() ?? '', `meshtoll-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`)
  const root = join(top, 'host')
  mkdirSync(root, { recursive: true })
  return {
    root,
    make: (path) => void mkdirSync(join(root, path), { recursive: true }),
    take(path, pids) {
      for (const pid of pids) writeFileSync(join(root, path, 'cgroup.procs'), String(pid))
    },
    remove: () => removeTree(top),
  }
}

/** What runs in it ends first. */
async function removeTree(path: string): Promise<void> {
  for (const name of readdirSync(path, { withFileTypes: true })) if (name.isDirectory()) await removeTree(join(path, name.name))
  const deadline = performance.now() + 5_000
  while (existsSync(path)) {
    for (const pid of readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) kill(Number(pid))
    try {
      rmdirSync(path)
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(10)
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

const ENTER = 'echo $$ > "$1" && shift && exec "$@"'

/** A command line whose sockets are of that cgroup from the first. */
export const inCgroup = (tree: CgroupTree, path: string, argv: readonly string[]): readonly string[] => [
  'sh',
  '-c',
  ENTER,
  'sh',
  join(tree.root, path, 'cgroup.procs'),
  ...argv,
]

/**
 * For who is to see the tree as the host's cgroups, and the machine's own no more, from within one of them, as a container is in a namespace of its
 * own. Keeps one capability.
 */
export function inContainerOf(tree: CgroupTree, path: string, argv: readonly string[]): readonly string[] {
  const mount = 'umount "$1" && mount -t cgroup2 none "$1" && echo $$ > "$1/$2/cgroup.procs" && shift 2 && exec unshare --cgroup "$@"'
  const kept = ['setpriv', '--bounding-set=-all,+net_admin', '--inh-caps=-all,+net_admin', '--']
  return inCgroup(tree, '', ['unshare', '--cgroup', '--mount', 'sh', '-c', mount, 'sh', mountPoint() ?? '', path, ...kept, ...argv])
}

export function startInCgroup(tree: CgroupTree, path: string, program: string): ChildProcess {
  const [command = '', ...args] = inCgroup(tree, path, [process.execPath, '-e', program])
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}
