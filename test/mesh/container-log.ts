// What a node keeps of a container's output, as containerd writes it and the kubelet rotates it:
//   /var/log/pods/istio-system_istiod-0_<uid>/discovery/0.log
//   2026-11-21T05:45:12.243136000Z stdout F 2026-11-21T05:45:12.243136Z	info	FLAG: --caCertFile=""
//   time                           stream F or P, which the next line goes on
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'

export interface ContainerLog {
  /** Where it is written now. */
  readonly file: string
  /** Takes all that comes from a stream of the container. */
  take(name: 'stdout' | 'stderr', stream: Readable): void
  /** The next container in the same pod: a file of its own. */
  restart(): void
  /** As the kubelet at `containerLogMaxSize`. Between renaming and reopening the runtime goes on writing to what was renamed. */
  rotate(beforeReopening?: () => Promise<unknown>): Promise<void>
  /** All lines without what was put before them, of this container and the rotated files that are still there. */
  text(): string
  close(): void
}

export interface ContainerGiven {
  /** As /var/log/pods. */
  readonly root: string
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly container: string
}

/** Of containerd (`max_container_log_line_size`). */
const MAX_LINE_BYTES = 16 * 1024
/** `containerLogMaxFiles` of the kubelet: with the one that is written. */
const MAX_FILES = 5

/** Of the kubelet: 20060102-150405. */
const stampOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)

export function createContainerLog({ root, pod, container }: ContainerGiven): ContainerLog {
  const folder = join(root, `${pod.namespace}_${pod.name}_${pod.uid}`, container)
  mkdirSync(folder, { recursive: true })
  let restarts = 0
  let rotatedAt = 0
  const file = (): string => join(folder, `${restarts}.log`)
  let open = openSync(file(), 'a')

  function write(stream: string, line: Buffer): void {
    const time = new Date().toISOString().replace('Z', '000000Z')
    for (let from = 0; from === 0 || from < line.length; from += MAX_LINE_BYTES) {
      const isLast = from + MAX_LINE_BYTES >= line.length
      const piece = line.subarray(from, from + MAX_LINE_BYTES)
      writeSync(open, Buffer.concat([Buffer.from(`${time} ${stream} ${isLast ? 'F' : 'P'} `), piece, Buffer.from('\n')]))
    }
  }

  function reopen(): void {
    closeSync(open)
    open = openSync(file(), 'a')
  }

  return {
    get file() {
      return file()
    },
    take(name, stream) {
      let rest: Buffer = Buffer.alloc(0)
      stream.on('data', (chunk: Buffer | string) => {
        rest = Buffer.concat([rest, Buffer.from(chunk)])
        for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
          write(name, rest.subarray(0, end))
          rest = rest.subarray(end + 1)
        }
      })
      stream.on('end', () => {
        if (rest.length > 0) write(name, rest)
      })
    },
    restart() {
      restarts++
      reopen()
    },
    async rotate(beforeReopening) {
      for (const old of rotatedOf(file()).slice(0, -(MAX_FILES - 2))) rmSync(old)
      for (const old of rotatedOf(file()).filter((path) => !path.endsWith('.gz'))) compress(old)
      // Its own rotations are ten seconds apart.
      rotatedAt = Math.max(Math.floor(Date.now() / 1000), rotatedAt + 1)
      renameSync(file(), `${file()}.${stampOf(rotatedAt)}`)
      await beforeReopening?.()
      reopen()
    },
    text: () =>
      rotatedOf(file())
        .filter((path) => !path.endsWith('.gz'))
        .concat(file())
        .map(linesOf)
        .join(''),
    close: () => closeSync(open),
  }
}

/** The oldest first. */
function rotatedOf(file: string): readonly string[] {
  const names = readdirSync(dirname(file)).filter((name) => name.startsWith(`${basename(file)}.`))
  return names.sort().map((name) => join(dirname(file), name))
}

function compress(path: string): void {
  writeFileSync(`${path}.tmp`, gzipSync(readFileSync(path)))
  renameSync(`${path}.tmp`, `${path}.gz`)
  rmSync(path)
}

function linesOf(path: string): string {
  if (!existsSync(path)) return ''
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => line.replace(/^\S+ \S+ [FP] /, '') + (/^\S+ \S+ P /.test(line) ? '' : '\n')).join('')
}

/** All lines without what was put before them, of all containers of a folder and in whatever files they are. */
export function readFolder(folder: string): string {
  const texts = readdirSync(folder).map((name) => {
    const bytes = readFileSync(join(folder, name))
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  })
  return texts.join('').replaceAll(/^\S+ \S+ [FP] /gm, '')
}
