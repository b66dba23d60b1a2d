#!/usr/bin/env node
// The process edge: nothing below this file touches `process`.
import { randomUUID } from 'node:crypto'
import { availableParallelism, hostname, totalmem } from 'node:os'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { COMMANDS, type CommandDeps } from './cli/commands.js'
import { type Edge, renderFailure, runCommandLine } from './cli/run.js'
import { parseCommandLine } from './config/command-line.js'
import type { Flags } from './config/flags.js'
import type { Clock, LockFile } from './deps.js'
import { createDisk } from './disk.js'
import { files } from './files.js'
import { createInventoryParser, heapFor } from './inventory-parser.js'
import { createLog, openStderr } from './log.js'

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sinceBoot: () => Number(process.hrtime.bigint() / 1_000_000n),
  async sleep(ms, signal) {
    try {
      // A timer takes a millisecond at least; who only gives way need not wait.
      await (ms === 0 ? setImmediate(undefined, signal && { signal }) : sleep(ms, undefined, signal && { signal }))
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id'

async function createDeps(flags: Flags): Promise<CommandDeps> {
  const { lockFile, ...kernel } = await loadKernel()
  const bootId = await files.readFile(BOOT_ID).then(
    (text) => text.trim(),
    () => undefined,
  )
  return {
    clock: { ...clock, bootId },
    log: createLog({ level: flags['log.level'], format: flags['log.format'], now: clock.now }, openStderr()),
    ...kernel,
    ...files,
    parseInventory: createInventoryParser({ heapMiB: heapFor({ limit: process.constrainedMemory(), total: totalmem() }) }),
    random: () => randomUUID(),
    disk: createDisk(flags['state.dir'], lockFile),
    cpuUsage: () => process.cpuUsage(),
  }
}

/** Where the native part cannot be loaded, all that needs no kernel works still. */
async function loadKernel(): Promise<Pick<CommandDeps, 'openNetlink' | 'takeLock'> & { readonly lockFile?: LockFile }> {
  try {
    const [{ loadNetlink }, { loadLock, loadLockFile }] = await Promise.all([import('./kernel/netlink.js'), import('./kernel/lock.js')])
    return { openNetlink: await loadNetlink(), takeLock: await loadLock(), lockFile: await loadLockFile() }
  } catch (error) {
    const refuse = (): never => {
      throw error
    }
    return { openNetlink: refuse, takeLock: refuse }
  }
}

const edge: Edge = {
  argv: process.argv.slice(2),
  environment: process.env,
  hostName: hostname(),
  host: { cpus: availableParallelism(), memoryBytes: totalmem(), nodeVersion: process.version },
  terminal: {
    columns: process.stdout.isTTY ? process.stdout.columns : 0,
    hasColors: process.stdout.isTTY && process.stdout.hasColors(),
  },
  print: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
  createDeps,
}

/** Terminal, npm and its script each hand on the same Ctrl-C: within this time a repeated signal is one. */
const ONE_SIGNAL_MS = 500

/** Whatever hangs by then - a file on a dead mount, a full disk - is left behind. */
const STOP_WITHIN_MS = 12_000

function stopOnSignals(): AbortSignal {
  const stopping = new AbortController()
  let first: { readonly name: string; readonly atMs: number } | undefined
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      const atMs = clock.monotonic()
      if (first && (first.name !== name || atMs - first.atMs > ONE_SIGNAL_MS)) dieBy(name)
      if (!first) setTimeout(() => dieBy(name), STOP_WITHIN_MS).unref()
      first ??= { name, atMs }
      stopping.abort(new Error(`stopped by ${first.name}`))
    })
  }
  return stopping.signal
}

/** Long enough for what was only given up, such as the read that a stop interrupted. */
const LAST_READS_MS = 300

/** Whether a read or write is still waited for, after some time for it to end. */
async function hangs(): Promise<boolean> {
  const isWaiting = (): boolean => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'))
  const deadline = clock.monotonic() + LAST_READS_MS
  while (isWaiting() && clock.monotonic() < deadline) await clock.sleep(10)
  return isWaiting()
}

/** As if it had never been caught. `process.exit` would wait for a read or write that hangs (libuv joins its threads). */
function dieBy(signal: 'SIGTERM' | 'SIGINT'): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}

function failHard(error: unknown): void {
  const { flags } = parseCommandLine(edge.argv, COMMANDS)
  edge.complain(renderFailure(error, { terminal: edge.terminal, withStack: flags['log.level'] === 'debug' }))
  process.exit(1)
}

process.on('uncaughtException', failHard)
process.on('unhandledRejection', failHard)
// `meshtoll check | head -1`: whoever read has read enough.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))
const status = await runCommandLine(edge, stopOnSignals())
if (await hangs()) dieBy('SIGTERM')
process.exit(status)
