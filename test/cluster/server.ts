// A server of the cluster: started with a log file, ends with this process at the latest.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Server {
  readonly pid: number
  /** Polls until `isReady`. When the server ends before, or takes too long, it is stopped and the error holds the end of its log. */
  ready(isReady: () => Promise<boolean>): Promise<void>
  /** kill -9; returns when it has ended. */
  stop(): Promise<void>
}

const READY_WITHIN_MS = 120_000
const POLL_MS = 25
const LAST_LINES = 15

/** `logFile` is written anew. */
export function startServer(argv: readonly string[], logFile: string): Server {
  const [program = ''] = argv
  const log = openSync(logFile, 'w')
  // The kernel kills it when this process ends. Nothing of this environment is for it: etcd takes any flag from there.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'] },
  })
  closeSync(log)
  const ended = once(child, 'exit')
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  const stop = async (): Promise<void> => {
    if (isOver()) return
    child.kill('SIGKILL')
    await ended
  }
  const failure = async (what: string): Promise<Error> => {
    await stop()
    const tail = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-LAST_LINES).join('\n')
    return new Error(`${basename(program)} ${what}; its log ends with\n${tail}`)
  }
  return {
    pid: child.pid ?? -1,
    async ready(isReady) {
      const deadline = performance.now() + READY_WITHIN_MS
      while (!(await isReady())) {
        if (isOver()) throw await failure('ended before it was ready')
        if (performance.now() > deadline) throw await failure(`was not ready within ${READY_WITHIN_MS} ms`)
        await sleep(POLL_MS)
      }
    },
    stop,
  }
}
