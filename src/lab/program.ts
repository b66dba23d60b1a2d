// Programs inside a network namespace of the world. All of them end with the world, at the latest.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface ProgramOptions {
  /** Keep only these, such as `['net_admin']`; `[]` keeps none. Default: all. */
  readonly capabilities?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Written to standard input, which is then closed. */
  readonly input?: string
  /** `false`: somebody reads standard output as it comes, and it may grow without end. */
  readonly keepsOutput?: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Program {
  readonly pid: number
  readonly child: ChildProcess
  readonly exited: Promise<Exit>
  /** What it has printed so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when one of its streams holds `pattern`; rejects when it ends before, or after `ms`. */
  waitFor(pattern: RegExp, ms?: number): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Sends `signal`, and SIGKILL when it has not ended `ms` later; then ends what it started. */
  stop(signal?: NodeJS.Signals, ms?: number): Promise<Exit>
}

/** nsenter rather than `ip netns exec`: it leaves /sys and with it /sys/fs/cgroup as they are. Neither forks, so the pid is the program's own. */
export function inNamespace(namespace: string, argv: readonly string[], capabilities?: readonly string[]): string[] {
  const kept = ['-all', ...(capabilities ?? []).map((name) => `+${name}`)].join(',')
  const drop = capabilities === undefined ? [] : ['setpriv', `--bounding-set=${kept}`, `--inh-caps=${kept}`, '--']
  return ['nsenter', `--net=/run/netns/${namespace}`, '--', ...drop, ...argv]
}

/** Runs a file of this project: as it is after a build, through tsx from source. */
export function nodeCommand(path: string): string[] {
  return [process.execPath, ...(path.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : []), path]
}

/** A session of its own: the terminal's Ctrl-C is for the program that shows something, which then stops the others in order. */
export function startIn(namespace: string, argv: readonly string[], options: ProgramOptions = {}): Program {
  // A debugger or test runner puts its hooks into NODE_OPTIONS, at times behind spawn's back; they are not for the programs of the lab.
  const clean = options.env?.['NODE_OPTIONS'] === undefined ? ['env', '-u', 'NODE_OPTIONS'] : []
  const [command = '', ...rest] = inNamespace(namespace, [...clean, ...argv], options.capabilities)
  const { env = process.env, cwd = process.cwd() } = options
  const child = spawn(command, rest, { stdio: 'pipe', detached: true, env, cwd })
  // A program may end without having read its input (EPIPE).
  child.stdin.on('error', () => undefined)
  if (options.input !== undefined) child.stdin.end(options.input)
  return programOf(child, { name: `${namespace}: ${argv.join(' ')}`, keepsOutput: options.keepsOutput ?? true })
}

/** Runs to the end and answers what was printed; any failure is an error that says what. */
export async function runIn(namespace: string, argv: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const program = startIn(namespace, argv, { input: '', ...options })
  const { code, signal } = await program.exited
  if (code !== 0) throw new Error(`${namespace}: ${argv.join(' ')}: ${signal ?? `exit ${code}`}: ${program.stderr().trim()}`)
  return program.stdout()
}

function programOf(child: ChildProcess, { name, keepsOutput }: { readonly name: string; readonly keepsOutput: boolean }): Program {
  const printed = { stdout: '', stderr: '' }
  for (const stream of keepsOutput ? (['stdout', 'stderr'] as const) : (['stderr'] as const)) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      printed[stream] += text
    })
  }
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const output = (): string => printed.stdout + printed.stderr
  return {
    pid: child.pid ?? -1,
    child,
    exited,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    signal: (signal) => void child.kill(signal),
    async waitFor(pattern, ms = 10_000) {
      const signal = AbortSignal.timeout(ms)
      while (!pattern.test(output())) {
        if (signal.aborted) throw new Error(`${name}: no ${pattern} within ${ms} ms; printed: ${output()}`)
        if (isOver(child)) throw new Error(`${name}: ended before ${pattern}; printed: ${output()}`)
        await nextOutput(child, signal)
      }
    },
    stop(signal = 'SIGTERM', ms = 2_000) {
      const timer = setTimeout(() => child.kill('SIGKILL'), ms)
      // What it started and left behind would hold its output open.
      if (isOver(child)) killGroup(child)
      else child.once('exit', () => killGroup(child))
      child.kill(signal)
      return exited.finally(() => clearTimeout(timer))
    },
  }
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Returns at the next output, at the end of the program, or when aborted. */
async function nextOutput(child: ChildProcess, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const either = { signal: AbortSignal.any([signal, over.signal]) }
  const events = [
    child.stdout && once(child.stdout, 'data', either),
    child.stderr && once(child.stderr, 'data', either),
    once(child, 'close', either),
  ]
  await Promise.race(events.map((event) => Promise.resolve(event).catch(() => undefined)))
  over.abort()
}
