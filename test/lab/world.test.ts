// A world holds everything that is made in it, and takes all of it along when it ends.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { nodeCommand } from '../../src/lab/program.js'
import { canMakeWorld, enterWorld, worldCommand } from '../../src/lab/world.js'
import { eventually, reasonToSkip } from './world.js'

const run = promisify(execFile)
const PROGRAM = new URL('enters-world.ts', import.meta.url).pathname
const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps=-all', '--']
// The test runner's hooks write into the project's folder, as somebody who may not.
const UNHOOKED = ['env', '-u', 'NODE_OPTIONS']
const uid = process.getuid?.() ?? -1

interface Started {
  readonly child: ChildProcess
  readonly ready: { readonly port: number; readonly uid: number }
  readonly said: string[]
}

/** `mark` tells its processes from all others of the machine. */
async function start(t: Test, mark: string, before: readonly string[] = []): Promise<Started> {
  const [command = '', ...rest] = [...before, ...UNHOOKED, ...nodeCommand(PROGRAM), mark]
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, HOME: '/nonexistent' },
  })
  t.teardown(() => {
    for (const pid of processesOf(mark)) process.kill(Number(pid), 'SIGKILL')
  })
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line))
  const ready = await eventually('the program in its world', () => (said[0] === undefined ? undefined : JSON.parse(said[0])), 20_000)
  return { child, ready, said }
}

function processesOf(mark: string): string[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  return all.filter((pid) => commandLineOf(pid).includes(mark))
}

/** Empty when the process is gone, or a zombie. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** What of the machine a world could have changed. */
const machine = async () => ({
  namespaces: (await run('ip', ['netns', 'list'])).stdout,
  devices: (await run('ip', ['-o', 'link'])).stdout.replace(/state \w+/g, ''),
  mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
})

const skip = await reasonToSkip()
const options = skip === undefined ? {} : { skip }

t.test('this machine can make one', options, async (t) => {
  t.same(await canMakeWorld(), { ok: true, how: uid === 0 ? 'root' : 'user namespace' })
})

const ways = [
  { name: 'as we are', before: [], skip },
  { name: 'as an ordinary user', before: NOBODY, skip: skip ?? (uid === 0 ? undefined : 'needs root to become somebody else') },
]
for (const { name, before, skip } of ways) {
  t.test(name, skip === undefined ? {} : { skip }, async (t) => {
    const untouched = await machine()

    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      t.test(`a program enters, builds three zones, is reached from the machine, and ends in order on ${signal}`, async (t) => {
        const mark = `mark-${Math.random()}`
        const { child, ready, said } = await start(t, mark, before)
        t.ok(processesOf(mark).length >= 3, 'outside, pid 1, inside')
        const response = await fetch(`http://127.0.0.1:${ready.port}/`)
        t.equal(await response.text(), 'hello from n1')
        child.kill(signal)
        const [code] = await once(child, 'exit')
        t.equal(code, 7, 'the exit code is that of the program inside')
        t.match(said, [/port/, `stopped on ${signal}`])
        t.same(processesOf(mark), [])
        t.same(await machine(), untouched)
      })
    }

    t.test('nothing is left after kill -9 of the process outside', async (t) => {
      const mark = `mark-${Math.random()}`
      const { child, ready } = await start(t, mark, before)
      const peers = processesOf(mark)
      t.ok(peers.length >= 3)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await eventually('the end of all its processes', () => (processesOf(mark).length === 0 ? true : undefined), 2_000)
      await t.rejects(fetch(`http://127.0.0.1:${ready.port}/`), 'the port is closed')
      t.same(await machine(), untouched)
    })
  })
}

t.test('what a command in a world ends with', options, async (t) => {
  const cases = [
    { name: 'its exit code', script: 'exit 3', code: 3 },
    { name: 'a signal', script: 'kill -TERM $$', code: 143 },
  ]
  for (const { name, script, code } of cases) t.equal(await enterWorld(['sh', '-c', script]), code, name)
})

t.test('pid 1 reaps what nobody waits for', options, async (t) => {
  const orphan = '(sh -c "sleep 0.05 & exec true") ; sleep 0.3; cat /proc/[0-9]*/stat'
  const [command = '', ...rest] = [...worldCommand({ uid }), 'sh', '-c', orphan]
  const { stdout } = await run(command, rest)
  t.notMatch(stdout, /\) Z /)
  t.match(stdout, /^1 \(sh\) S /m)
})
