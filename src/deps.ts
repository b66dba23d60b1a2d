// What is handed in to every part: clock, disk, kernel, log. Tests hand in their own. Imports nothing.

/** A netlink socket that never blocks. Every failure is a KernelError with its errno. */
export interface Netlink {
  send(message: Uint8Array): void
  /** Length of the next datagram written into `buffer`; 0 when none waits. */
  receive(buffer: Buffer): number
  close(): void
}

export type OpenNetlink = (protocol: 'route' | 'netfilter', groups?: readonly number[]) => Netlink

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/** A static sentence and its values. */
export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

export interface Clock {
  /** Milliseconds since 1970; may jump. */
  now(): number
  /** Milliseconds since some start; never goes back. */
  monotonic(): number
  /** Milliseconds since the machine's start, the same for all processes; never goes back. Absent: not known. */
  sinceBoot?(): number
  /** Of that start: another one each time, as the kernel says (/proc/sys/kernel/random/boot_id). Absent: not known. */
  readonly bootId?: string | undefined
  /** Resolves after `ms`, rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Absent: nobody looks whether it is set. */
  readonly settings?: ClockSettings
  /** Absent: nobody looks whether this process stands still. */
  readonly pulse?: Pulse
}

/** Whether this process stood still for longer than it takes to hear of a change: then all that it has heard is as old. */
export interface Pulse {
  /** Before anything that goes by what was heard: whoever is to hear of it has then. */
  look(): void
  /** How often it stood still so far, as far as was looked; only while this runs. */
  readonly stops: number
  /** `stood` is called for each time, until what is answered is called. */
  onStop(stood: (error: Error) => void): () => void
  /** Looks again and again, until aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>
}

/** How a clock was set of late. */
export interface ClockSettings {
  /** By so much times of the last while may be off, beside what clocks differ anyway. As of the last look at the clock. */
  doubtMs(): number
  /** To be written down for another process; undefined where the machine's start is not known. */
  mark(): ClockMark | undefined
  /** What another process of this machine wrote down. */
  resume(past: ClockMark): void
  /** A time that it wrote down with this mark, by the clock of now. */
  byNow(past: ClockMark | undefined): (thenMs: number) => number
}

/** In milliseconds: since the machine's start when it was made and from when the clock is trusted, since 1970 when that start was, and between what it was of late. */
export interface ClockMark {
  readonly atMs: number
  readonly trustedMs: number
  readonly bootedMs: number
  readonly leastMs: number
  readonly mostMs: number
  /** Absent where it is not known, and in what an earlier version wrote. */
  readonly bootId?: string | undefined
}

/** False when another process has locked the file. The lock goes when the descriptor is closed. */
export type LockFile = (fd: number) => boolean

/** The state directory, as narrow as the journal needs it. Paths are relative to it. */
export interface Disk {
  /** For this process alone, until it ends. Rejects when another has it; what cannot be written yet is claimed when it is. */
  claim(): Promise<void>
  /** Undefined when there is no such file. */
  read(path: string): Promise<Buffer | undefined>
  append(path: string, data: string): Promise<void>
  /** Whole or not at all: written beside, then renamed over. */
  replace(path: string, data: Iterable<string | Uint8Array>, options?: { readonly sync?: boolean }): Promise<void>
  rename(path: string, to: string): Promise<void>
  /** Also where there is no such file. */
  remove(path: string): Promise<void>
}

/** A file that another process writes to, whatever becomes of its name. */
export interface GrowingFile {
  /** Of the file itself; no other has it while this one is open. */
  readonly id: string
  size(): Promise<number>
  /** How many bytes were read into `buffer`; 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>
  close(): Promise<void>
}

export interface GrowingFiles {
  /** Names in a folder; none where there is no folder. */
  list(folder: string): Promise<readonly string[]>
  /** Undefined when there is no such file. */
  idOf(path: string): Promise<string | undefined>
  open(path: string): Promise<GrowingFile | undefined>
}

export interface Deps {
  readonly clock: Clock
  readonly log: Log
  readonly openNetlink: OpenNetlink
  readonly readFile: (path: string, signal?: AbortSignal) => Promise<string>
  /** Names of the folders in a folder. */
  readonly listFolders: (path: string) => Promise<readonly string[]>
  /** In decimal digits: an inode may be larger than what a number holds exactly. */
  readonly inodeOf: (path: string) => Promise<string>
  readonly growingFiles: GrowingFiles
  readonly random: () => string
}
