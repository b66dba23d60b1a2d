// Another host: a network namespace that lives as long as the process in it, at the far end of a wire of ours.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Neighbour {
  run(command: string, ...args: readonly string[]): string
  /** A program of Node.js that goes on until `leave`; resolves once it prints something. */
  start(program: string): Promise<void>
  leave(): void
}

/** `wire`: the device at our end; `addresses`: of the two ends, ours first, each with its prefix length. */
export async function addNeighbour(wire: string, ...addresses: readonly (readonly [string, string])[]): Promise<Neighbour> {
  const children: ChildProcess[] = []
  const holder = spawn('unshare', ['--net', 'setpriv', '--pdeathsig', 'KILL', 'sleep', 'infinity'], { stdio: 'ignore' })
  children.push(holder)
  const pid = String(holder.pid)
  const ours = readlinkSync('/proc/self/ns/net')
  const deadline = performance.now() + 5000
  while (readlinkSync(`/proc/${pid}/ns/net`) === ours) {
    if (performance.now() > deadline) throw new Error('no namespace for a neighbour')
    await sleep(5)
  }
  const enter = ['-t', pid, '-n']
  const run = (command: string, ...args: readonly string[]): string =>
    execFileSync('nsenter', [...enter, command, ...args], { encoding: 'utf8', timeout: 10_000 })
  const ip = (line: string): string => execFileSync('ip', line.split(' '), { encoding: 'utf8' })
  ip(`link add ${wire} type veth peer name eth0 netns ${pid}`)
  ip(`link set ${wire} up`)
  run('ip', 'link', 'set', 'lo', 'up')
  run('ip', 'link', 'set', 'eth0', 'up')
  for (const [here, there] of addresses) {
    const nodad = here.includes(':') ? ['nodad'] : []
    ip(['addr add', here, 'dev', wire, ...nodad].join(' '))
    run('ip', 'addr', 'add', there, 'dev', 'eth0', ...nodad)
    run('ip', 'route', 'add', 'default', 'via', here.replace(/\/.*/, ''))
  }
  return {
    run,
    async start(program) {
      const child = spawn('nsenter', [...enter, 'setpriv', '--pdeathsig', 'KILL', process.execPath, '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      children.push(child)
      await new Promise((resolve) => child.stdout.once('data', resolve))
    },
    leave() {
      ip(`link del ${wire}`)
      for (const child of children) child.kill('SIGKILL')
    },
  }
}
