// @ts-check
// Runs a program to its end, and no longer than this process lives.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Why a peer cannot be had: one line that ends with what to do. `output`: what the program that failed printed. */
export class NotBuilt extends Error {
  /**
   * @param {string} reason
   * @param {string} [output]
   */
  constructor(reason, output = '') {
    super(reason)
    this.output = output
  }
}

/**
 * What it printed; a NotBuilt with its last line when it fails.
 * @param {readonly string[]} argv
 * @param {{ env: NodeJS.ProcessEnv, cwd?: string }} where
 */
export async function run(argv, { env, cwd }) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const [code, signal] = await once(child, 'close').catch((error) => {
    throw new NotBuilt(`${error.message}; install util-linux`)
  })
  if (code === 0) return output
  const last = output.trim().split('\n').at(-1)?.slice(0, 300)
  throw new NotBuilt(`${argv.slice(0, 2).join(' ')} failed: ${last || signal || `exit ${code}`}`, output)
}

/**
 * Waits until no other process holds the lock. The kernel gives it back when this process ends, however it ends.
 * @param {string} path
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<() => void>} Gives it back.
 */
export async function lock(path, env) {
  // It holds the lock until its input ends.
  const child = spawn('flock', [path, 'sh', '-c', 'echo locked; exec cat'], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const failed = Promise.race([once(child, 'error').then(([error]) => error.message), once(child, 'close').then(() => said.trim())])
  const reason = await Promise.race([once(child.stdout, 'data').then(() => undefined), failed])
  if (reason !== undefined) throw new NotBuilt(`no lock on ${path}: ${reason}`)
  return () => void child.stdin.end()
}
