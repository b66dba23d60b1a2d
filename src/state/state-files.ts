// Which file a start goes on from, and what becomes of those that it cannot, or may not, go on from.
//   NAME             what is written
//   NAME.resumed     what could not be written over: perhaps good still, but no longer the last word
//   NAME.behind      what nobody may go on from: some of its bytes were served for somebody else since
//   NAME.unusable    damaged, or of another version; kept for people
import type { Clock, Disk, Log } from '../deps.js'
import { createPauses } from '../pauses.js'
import type { Pause } from './lines.js'

/** What is in a file, and how it is read. */
export interface StateFormat<State> {
  /** Its name in the state directory. */
  readonly file: string
  readonly version: number
  /** What comes of it where it cannot be written. */
  readonly otherwise?: string
  /** Gives way between lines. */
  parse(file: Buffer, pause: Pause): Promise<ParsedFile<State>>
  /** Of what could not be written over: what of it is good still. */
  resumed(state: State): State | undefined
}

export interface ParsedFile<State> {
  /** Undefined when there is no whole checkpoint. */
  readonly state: State | undefined
  /** Bytes behind the last good line. */
  readonly tornBytes: number
  /** 0 where the file does not say. */
  readonly version: number
}

/** To begin totals over, while what they were is still there, is for people to decide. */
export class StateUnreadable extends Error {
  constructor(file: string, { message }: { readonly message: string }) {
    super(`the state cannot be read (${message}); mend the disk or the permissions, or move ${file} away to let all totals start over`)
    this.name = 'StateUnreadable'
  }
}

export interface StateFiles<State> {
  /** The state of the process before; undefined when there is none that can be gone on from. Rejects with StateUnreadable. */
  load(): Promise<State | undefined>
  /** Before the file is written for the first time. */
  clear(): Promise<void>
  /**
   * The file could not be written. It is not the last word any more: should the table go, its totals are behind what was served. And where
   * a pair has moved, to go on from it would count its bytes twice. Other names take no room on a full disk.
   */
  fallBehind(moves: boolean): Promise<void>
  /** The file was written. */
  tidy(): Promise<void>
}

const READS = 5
const BETWEEN_READS_MS = 200

interface Deps {
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly disk: Disk
  readonly log: Log
}

export function createStateFiles<State>(format: StateFormat<State>, { clock, disk, log }: Deps): StateFiles<State> {
  const { file: name } = format
  const { pause } = createPauses(clock)
  const resumedName = `${name}.resumed`
  const behindName = `${name}.behind`
  /** The first ones stay, the last name is taken again and again. */
  const aside = [`${name}.unusable`, `${name}.unusable.2`, `${name}.unusable.3`]
  let isUnusable = false
  /** There are, or may be, files by other names. */
  let hasRemains = true

  /** Too many open files, a disk that is slow to come back: what fails now may not fail at once again. */
  async function read(path: string, failures = 0): Promise<Buffer | undefined> {
    try {
      return await disk.read(path)
    } catch (error) {
      if (failures + 1 === READS) throw new StateUnreadable(name, error as Error)
    }
    await clock.sleep(BETWEEN_READS_MS)
    return read(path, failures + 1)
  }

  async function stateIn(file: Buffer): Promise<State | undefined> {
    const { state, tornBytes, version } = await format.parse(file, pause)
    const isForeign = version !== 0 && version !== format.version
    if (!state)
      log.warn(`state is not usable: ${isForeign ? 'written by another version' : 'damaged'}`, {
        file: name,
        version,
        wanted: format.version,
      })
    if (state && tornBytes > 0) log.info('state ends in a torn line, cut off', { file: name, bytes: tornBytes })
    isUnusable = !state
    return state
  }

  async function load(): Promise<State | undefined> {
    const file = await read(name)
    if (file) return stateIn(file)
    const resumed = await read(resumedName)
    const state = resumed && (await stateIn(resumed))
    const good = state && format.resumed(state)
    if (good) return good
    const behind = state ? resumedName : (await read(behindName)) && behindName
    if (behind) log.warn('state is behind what was served, since it could not be written', { file: behind })
    return undefined
  }

  async function freeName(): Promise<string> {
    for (const free of aside.slice(0, -1)) if ((await disk.read(free).catch(() => NOT_READ)) === undefined) return free
    return aside[aside.length - 1] as string
  }

  return {
    load,
    // Only once we may write: the table is ours by then. Where it cannot be kept, it is written over.
    async clear() {
      if (!isUnusable) return
      isUnusable = false
      const free = await freeName()
      await disk.rename(name, free).then(
        () => log.info('the state that cannot be used is kept', { file: free }),
        () => undefined,
      )
    },
    async fallBehind(moves) {
      hasRemains = true
      await disk.rename(name, resumedName).catch(() => undefined)
      if (moves) await disk.rename(resumedName, behindName).catch(() => undefined)
    },
    async tidy() {
      if (hasRemains) for (const path of [resumedName, behindName]) await disk.remove(path)
      hasRemains = false
    },
  }
}

const NOT_READ = Buffer.alloc(0)
