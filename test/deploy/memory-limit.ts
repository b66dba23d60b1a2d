// A cgroup with a limit of memory, as a container runtime makes one, where this machine lets us.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MemoryLimit {
  /** Whoever writes its process id there is within the limit. */
  readonly procs: string
  /** The most that was in use at a time, in bytes. */
  peak(): number
  /** After the last process in it has ended. */
  remove(): void
}

const MOUNT = '/sys/fs/cgroup'

/** Of both versions: where a new cgroup may be, and what its files are called. */
function placeOf(): { readonly parent: string; readonly limit: string; readonly peak: string } {
  const own = readFileSync('/proc/self/cgroup', 'utf8').split('\n')
  const [, path] = own.map((line) => /^\d+:memory:(.*)$/.exec(line)).find(Boolean) ?? []
  if (path !== undefined) return { parent: join(MOUNT, 'memory', path), limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' }
  // In version 2 no cgroup has both processes and others below it, but the topmost one.
  return { parent: MOUNT, limit: 'memory.max', peak: 'memory.peak' }
}

/** undefined where none can be made. */
export function createMemoryLimit(name: string, bytes: number): MemoryLimit | undefined {
  const { parent, limit, peak } = placeOf()
  const folder = join(parent, name)
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, limit), String(bytes))
  } catch {
    return undefined
  }
  return {
    procs: join(folder, 'cgroup.procs'),
    peak: () => Number(readFileSync(join(folder, peak), 'utf8')),
    remove: () => rmdirSync(folder),
  }
}
