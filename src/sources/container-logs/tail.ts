// Follows one log through whatever becomes of its files: it is renamed, packed, truncated, deleted while it is open, or not there yet. A file
// is known by its inode, and by how it begins, since an inode is given away anew and packing makes another one.
import { createHash } from 'node:crypto'
import { untilAborted } from '../../deadline.js'
import type { Clock, GrowingFile, GrowingFiles } from '../../deps.js'
import { chunksOf, headOf } from './bytes.js'
import type { Lines } from './lines.js'
import { isPacked, type LogPlace } from './segments.js'

/** How far a log is read. Before it everything was. */
export interface Position {
  readonly file: string
  /** How the file begins: of how many bytes, and their hash. */
  readonly head: readonly [bytes: number, hash: string]
  readonly offset: number
}

export interface Reading {
  readonly signal: AbortSignal
  /** By the monotonic clock; what is left then is read the next time. */
  readonly untilMs: number
}

/** One way to follow a log, which says how far it is read in its own way. */
export interface Tail<At = Position> {
  /** All that was written until now; false where the time was over first. Where it fails, it goes on from there the next time. */
  readOn(reading: Reading): Promise<boolean>
  /** Undefined while there is no log. */
  readonly position: At | undefined
  close(): Promise<void>
}

interface TailParts {
  readonly place: LogPlace
  readonly lines: Lines
  /** What the process before has read. */
  readonly position: Position | undefined
  /** Of a log that nobody has read: whether all of it is new, by how it begins. */
  readonly isNew: (beginning: string) => boolean
}

interface Current {
  readonly name: string
  readonly file: GrowingFile
  /** When it was opened. */
  readonly beginning: string
  head: Position['head']
  offset: number
  /** A packed file does not grow. */
  isDone: boolean
}

const HEAD_BYTES = 256
/** As much of a line as is waited for. */
const MAX_LINE_BYTES = 256 * 1024
/** What the writer still has for the file that it leaves. */
const SETTLE_MS = 50
const NOTHING = Buffer.alloc(0)

export function createTail(parts: TailParts, { files, clock }: { readonly files: GrowingFiles; readonly clock: Clock }): Tail {
  const { place, lines, isNew } = parts
  let last = parts.position
  let current: Current | undefined
  let underWay: Promise<unknown> = Promise.resolve()

  const pathOf = (name: string): string => `${place.folder}/${name}`

  async function openAt(name: string, offset: number): Promise<Current | undefined> {
    const file = await files.open(pathOf(name))
    if (!file) return undefined
    try {
      const beginning = await headOf(file, { isPacked: isPacked(name), bytes: HEAD_BYTES })
      return { name, file, beginning: beginning.toString('latin1'), head: hashed(beginning), offset, isDone: false }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  const isSame = async ({ file, name }: Pick<Current, 'file' | 'name'>, [bytes, hash]: Position['head']): Promise<boolean> =>
    hashed(await headOf(file, { isPacked: isPacked(name), bytes }))[1] === hash

  /** The one of the names that has what the position is of, by whatever name and packed or not. */
  async function nameOf({ file: id, head }: Pick<Position, 'file' | 'head'>, names: readonly string[]): Promise<string | undefined> {
    const ids = await Promise.all(names.map((name) => files.idOf(pathOf(name))))
    const byId = names[ids.indexOf(id)]
    for (const name of byId === undefined ? names : [byId, ...names]) {
      const file = await files.open(pathOf(name))
      if (!file) continue
      const isIt = (await isSame({ file, name }, head).finally(() => file.close())) && (name === byId || head[0] > 0)
      if (isIt) return name
    }
    return undefined
  }

  /** Where the file is gone all that is left was written after it; where it was begun anew, all from it on. */
  async function resumed(position: Position, names: readonly string[]): Promise<Current | undefined> {
    const name = await nameOf(position, names)
    if (name !== undefined) return openAt(name, position.offset)
    const ids = await Promise.all(names.map((one) => files.idOf(pathOf(one))))
    const first = names[Math.max(0, ids.indexOf(position.file))]
    return first === undefined ? undefined : openAt(first, 0)
  }

  async function firstSeen(names: readonly string[]): Promise<Current | undefined> {
    const [oldest] = names
    const youngest = names.filter((name) => !isPacked(name)).at(-1)
    if (oldest === undefined || youngest === undefined) return undefined
    const first = await openAt(oldest, 0)
    if (!first || isNew(first.beginning)) return first
    await first.file.close()
    const end = await openAt(youngest, 0)
    if (end) end.offset = await end.file.size()
    return end
  }

  async function begin(names: readonly string[]): Promise<void> {
    if (current && !isPacked(current.name) && !(await isSame(current, current.head))) await leave()
    current ??= await (last ? resumed(last, names) : firstSeen(names))
    // One that was short when it was opened has more of a beginning by now.
    if (current && current.head[0] < HEAD_BYTES)
      current.head = hashed(await headOf(current.file, { isPacked: isPacked(current.name), bytes: HEAD_BYTES }))
    keep()
  }

  function keep(): void {
    if (current) last = { file: current.file.id, head: current.head, offset: current.offset }
  }

  async function leave(): Promise<void> {
    await current?.file.close()
    current = undefined
  }

  /** Returns false when the time was over before its end. */
  async function drain(one: Current, { signal, untilMs }: Reading): Promise<boolean> {
    if (one.isDone) return true
    let rest = NOTHING
    for await (const chunk of chunksOf(one.file, { isPacked: isPacked(one.name), from: one.offset, signal })) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
      const taken = lines.take(bytes)
      one.offset += taken
      // A copy: the next chunk is read to the same place.
      rest = Buffer.from(bytes.subarray(taken))
      if (rest.length >= MAX_LINE_BYTES) {
        lines.passOver()
        one.offset += rest.length
        rest = NOTHING
      }
      keep()
      if (clock.monotonic() >= untilMs) return false
    }
    one.isDone = isPacked(one.name)
    return true
  }

  async function laterThan({ file, head }: Current, names: readonly string[]): Promise<readonly string[]> {
    const name = await nameOf({ file: file.id, head }, names)
    return name === undefined ? names : names.slice(names.indexOf(name) + 1)
  }

  /** Those that have something. One that is still empty may not be written to yet, and what is behind an empty one is. */
  async function* opened(names: readonly string[]): AsyncGenerator<Current> {
    for (const name of names) {
      const next = await openAt(name, 0)
      if (next && next.head[0] > 0) yield next
      else await next?.file.close()
    }
  }

  /** Its writer has gone over to the next one. Returns false when the time was over. */
  async function follow(one: Current, next: Current, reading: Reading): Promise<boolean> {
    await clock.sleep(SETTLE_MS, reading.signal)
    if (!(await drain(one, reading))) return false
    await leave()
    current = next
    keep()
    return drain(next, reading)
  }

  async function readAll(reading: Reading): Promise<boolean> {
    const names = place.inOrder(await files.list(place.folder))
    await begin(names)
    if (!current) return true
    const later = await laterThan(current, names)
    if (!(await drain(current, reading))) return false
    for await (const next of opened(later)) {
      try {
        if (!(await follow(current, next, reading))) return false
      } finally {
        if (current !== next) await next.file.close()
      }
    }
    return true
  }

  return {
    readOn(reading) {
      // One that hung may still be at it.
      const read = underWay.catch(() => undefined).then(() => readAll(reading))
      underWay = read
      return untilAborted(read, reading.signal)
    },
    get position() {
      return last
    },
    close: leave,
  }
}

const hashed = (bytes: Buffer): Position['head'] => [bytes.length, createHash('sha256').update(bytes).digest('base64url').slice(0, 16)]
