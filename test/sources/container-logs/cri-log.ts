// Writes a log as a container runtime does, and rotates it as a kubelet does, in a folder of the test.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface CriLog {
  readonly folder: string
  /** Of a line of the runtime's own clock; `isPartial`: the rest of it comes later. */
  write(line: string, options?: { readonly isPartial?: boolean; readonly stream?: 'stdout' | 'stderr' }): void
  /** As it is. */
  append(text: string): void
  /** Renamed; a new file is there with the next line. */
  rotate(): void
  /** All that were renamed but the last one. */
  pack(): void
  /** The container is started again. */
  restart(): void
  truncate(): void
  /** The oldest file that was renamed. */
  removeOldest(): void
}

export function createCriLog(folder: string, startMs = 1_000_000_000_000): CriLog {
  mkdirSync(folder, { recursive: true })
  let container = 0
  let tick = 0
  const path = (): string => join(folder, `${container}.log`)
  const time = (): string => new Date(startMs + tick++).toISOString().replace('Z', '000001Z')
  const append = (text: string): void => appendFileSync(path(), text)
  const rotated = (): string[] =>
    readdirSync(folder)
      .filter((name) => /\.log\.\d/.test(name))
      .sort()

  return {
    folder,
    append,
    write: (line, { isPartial = false, stream = 'stdout' } = {}) => append(`${time()} ${stream} ${isPartial ? 'P' : 'F'} ${line}\n`),
    rotate() {
      const stamp = new Date(startMs + tick++ * 1000)
        .toISOString()
        .replaceAll(/[-:]|\..*/g, '')
        .replace('T', '-')
      if (existsSync(path())) renameSync(path(), `${path()}.${stamp}`)
    },
    pack() {
      for (const name of rotated().slice(0, -1)) {
        if (name.endsWith('.gz')) continue
        writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name))))
        rmSync(join(folder, name))
      }
    },
    restart() {
      container++
    },
    truncate: () => writeFileSync(path(), ''),
    removeOldest() {
      const [oldest] = rotated()
      if (oldest !== undefined) rmSync(join(folder, oldest))
    },
  }
}

const SINCE = '100ms since last change, 100ms since last push'

/** As istiod 1.30 writes it. */
export const pushLine = (name: string, events = 1): string =>
  `2026-11-21T05:46:20.275502Z\tinfo\tads\tPush debounce stable[7] ${events} for config ServiceEntry/shop/${name}: ${SINCE}, full=true`

/** As istiod 1.22 writes it. */
export const sentLine = (namespace: string, size = '1.0kB'): string =>
  `2026-11-21T05:46:20.275502Z\tinfo\tdelta\tCDS: PUSH for node:cart-1.${namespace} resources:1 removed:0 size:${size} cached:1/1`

/** As istiod 1.22 writes it. */
export const emptyLine = (name: string): string =>
  `2026-11-21T05:46:20.275502Z\tinfo\tmodel\tIncremental push, service ${name}.shop.svc.cluster.local at shard Kubernetes/c has no endpoints`
