// A temporary folder that goes with the process that made it, however that ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isInWorld } from '../../src/lab/world.js'

export interface Folder {
  readonly path: string
  remove(): Promise<void>
}

// Removes when its input ends. What was written to until now may still be dying then, hence the second try.
const SWEEP = 'cat; for try in 1 2 3 4 5; do rm -rf "$1" && exit; sleep 0.2; done'

export async function createFolder(name: string): Promise<Folder> {
  // A world's own folder ends with the world, in which nobody would be left to sweep.
  const path = await mkdtemp(join(isInWorld() ? '/run/lab' : tmpdir(), `${name}-`))
  // A session of its own, so that Ctrl-C does not end it before its work.
  const sweeper = spawn('sh', ['-c', SWEEP, 'sweeper', path], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const isSwept = once(sweeper, 'close')
  return {
    path,
    async remove() {
      sweeper.stdin.end()
      await isSwept
    },
  }
}
