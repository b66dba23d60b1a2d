// The program as a user starts it.
import { type ChildProcess, spawn } from 'node:child_process'
import { MAIN } from './built.js'

// The test runner's hooks in NODE_OPTIONS are not for it.
export const PROGRAM: readonly string[] = ['env', '-u', 'NODE_OPTIONS', process.execPath, MAIN]

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when stderr has said it; rejects when the program ends before. */
  says(words: string): Promise<void>
}

/** `enter`: a command line that runs what follows it elsewhere. */
export function startProgram(
  argv: readonly string[],
  { enter = [], env = {} }: { enter?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Started {
  const [command = '', ...args] = [...enter, ...PROGRAM, ...argv]
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
  const says = (words: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stderr.includes(words)) resolve()
      }
      look()
      child.stderr.on('data', look)
      child.on('close', () => reject(new Error(`ended without saying "${words}": ${stderr}`)))
    })
  return { child, ended, says }
}

export const runProgram = (argv: readonly string[], where: Parameters<typeof startProgram>[1] = {}): Promise<Ended> =>
  startProgram(argv, where).ended
