// The demo as a user runs it: it tells the truth, and leaves nothing behind however it ends.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify, stripVTControlCharacters } from 'node:util'
import t, { type Test } from 'tap'
import { MAIN } from '../built.js'
import { eventually, reasonToSkip } from './world.js'

const run = promisify(execFile)
const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps=-all', '--']
// The test runner's hooks write into the project's folder, as somebody who may not.
const UNHOOKED = ['env', '-u', 'NODE_OPTIONS']
const MARK = 'MESHTOLL_TEST_DEMO'
const ETX = '\u0003'
const isRoot = process.getuid?.() === 0

interface Demo {
  readonly child: ChildProcess
  readonly output: () => string
  readonly ended: Promise<number | null>
  /** Its processes, those in its world included. */
  processes(): string[]
}

function startDemo(t: Test, argv: readonly string[]): Demo {
  const mark = String(Math.random())
  const [command = '', ...rest] = [...UNHOOKED, ...argv]
  const child = spawn(command, rest, { env: { ...process.env, [MARK]: mark, TERM: 'xterm' }, stdio: ['pipe', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, output: () => output, ended, processes: () => processesMarked(`${MARK}=${mark}`) }
}

function processesMarked(mark: string): string[] {
  const environmentOf = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8')
    } catch {
      return ''
    }
  }
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(mark))
}

/** What of the machine it could have changed. */
const machine = async () => ({
  namespaces: (await run('ip', ['netns', 'list'])).stdout,
  devices: (await run('ip', ['-o', 'link'])).stdout.replace(/state \w+/g, ''),
  mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
})

const urlOf = (output: string): string | undefined => /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(output)?.[0]
const isLive = ({ output }: Demo) => eventually('a table', () => (/counted [\d,]+/.test(output()) ? urlOf(output()) : undefined), 40_000)
const isGone = ({ processes }: Demo) => eventually('the end of all processes', () => (processes().length === 0 ? true : undefined), 5_000)

t.setTimeout(300_000)
const skip = await reasonToSkip()

t.test('the demo', skip === undefined ? {} : { skip }, async (t) => {
  const node = [process.execPath, MAIN]
  const untouched = await machine()

  t.test('a live table is served and shown, and kill -9 leaves nothing', async (t) => {
    const demo = startDemo(t, [...node, 'demo'])
    const url = await isLive(demo)
    t.match(await (await fetch(url)).text(), /^meshtoll_flow_bytes_total\{.*src_owner_name="istiod"/m)
    t.match(demo.output(), /istiod +-> .*recommendations .* cross_zone +\$ \d+\n/)
    t.notMatch(demo.output(), '\u001b', 'no escapes where there is no terminal')
    t.ok(demo.processes().length > 10)
    demo.child.kill('SIGKILL')
    await isGone(demo)
    await t.rejects(fetch(url), 'the port is closed')
    t.same(await machine(), untouched)
  })

  t.test('kill -9 of the part inside its world leaves nothing', async (t) => {
    const demo = startDemo(t, [...node, 'demo'])
    await isLive(demo)
    const inside = demo.processes().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${[...node, 'demo'].join('\0')}\0`)
    const inner = inside.find((pid) => pid !== String(demo.child.pid))
    process.kill(Number(inner), 'SIGKILL')
    t.equal(await demo.ended, 137)
    await isGone(demo)
    t.same(await machine(), untouched)
  })

  t.test('Ctrl-C on a terminal, handed on more than once, puts the terminal back and exits with 0', async (t) => {
    const command = `stty cols 80 rows 24; trap : INT; ${process.execPath} ${MAIN} demo; echo "status $?"`
    const demo = startDemo(t, ['script', '-qec', command, '/dev/null'])
    await eventually('a table', () => (demo.output().includes('Ctrl-C ends it') ? true : undefined), 40_000)
    const [, screen = ''] = demo.output().split('\u001b[H')
    const lines = stripVTControlCharacters(screen).split(/\r+\n/)
    t.equal(lines.length, 24)
    t.same(
      lines.filter((line) => line.length > 80),
      [],
      'nothing is wider than the terminal',
    )
    demo.child.stdin?.write(ETX)
    demo.child.stdin?.write(ETX)
    await eventually('its end', () => (/status \d/.test(demo.output()) ? true : undefined), 10_000)
    const [, after = ''] = demo.output().split('\u001b[?25h\u001b[?1049l')
    // A terminal that is busy echoes what was typed later.
    t.match(stripVTControlCharacters(after), /^(\^C)*zones us-east-/, 'cursor and screen are back, and the last table stays')
    t.match(after, /^status 0/m)
    await isGone(demo)
    t.same(await machine(), untouched)
  })

  const ways = [
    { name: 'as we are', before: [] },
    { name: 'as an ordinary user', before: NOBODY, ...(isRoot ? {} : { skip: 'needs root to become somebody else' }) },
  ]
  for (const { name, before, ...options } of ways) {
    t.test(`--once, ${name}: what is served is what was sent`, options, async (t) => {
      const demo = startDemo(t, [...before, ...node, 'demo', '--once'])
      t.equal(await demo.ended, 0, 'exit status')
      const [, ...checks] = demo.output().match(/^(?:books|ok|fail) .*$/gm) ?? []
      t.match(checks, [
        /^ok {4}sent = counted {2}[\d,]{9,} bytes by the interfaces of 14 namespaces/,
        /^ok {4}each sender {5}11 owners/,
        /^ok {4}UDP {13}4 owner pairs, [\d,]+ packets/,
        /^ok {4}books {11}balance on each of 3 nodes, difference 0/,
        /^ok {4}sums/,
      ])
      t.match(demo.output(), /^us-east-1b -> us-east-1c +orders-db +-> shop\/stock .* cross_zone +\$ \d+$/m, 'and back from the database')
      await isGone(demo)
      t.same(await machine(), untouched)
    })
  }
})
