import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { VERSION } from '../src/version.js'
import { PROGRAM, runProgram, type Started, startProgram } from './program.js'

t.setTimeout(120_000)

t.test('what a user sees, and the exit status', async (t) => {
  const folder = t.testdir({ 'meshtoll.yaml': 'flows:\n  intervall: 1s\nserie: {}\n', 'one.yaml': 'serie: {}' })
  const cases = [
    { name: 'the version', argv: ['--version'], status: 0, stdout: `meshtoll ${VERSION}\n` },
    {
      name: 'help for an unknown command',
      argv: ['node', '--help'],
      status: 2,
      stderr: 'meshtoll: node is not a command\n  expected agent, directory, check, demo, datadog preview, datadog sync\n',
    },
    { name: 'an unknown command', argv: ['agnet'], status: 2, stderr: 'meshtoll: agnet is not a command; did you mean agent?\n' },
    {
      name: 'two wrong flags',
      argv: ['agent', '--log.level=loud', '--once'],
      status: 2,
      stderr: `meshtoll: the command line has 2 mistakes
  --log.level is "loud"; expected debug, info, warn or error
  --once is not a flag of meshtoll agent, but of meshtoll demo
`,
    },
    {
      name: 'a wrong file',
      argv: ['agent', '--config.file', join(folder, 'meshtoll.yaml')],
      status: 2,
      stderr: `meshtoll: meshtoll.yaml has 2 mistakes
  2:3  flows.intervall is not an option; did you mean flows.interval?
  3:1  serie is not an option; did you mean series?
`,
    },
    {
      name: 'no agent to ask',
      argv: ['datadog', 'preview', '--agent.url=http://127.0.0.1:1'],
      status: 1,
      stderr: 'meshtoll: no agent answers at http://127.0.0.1:1: nobody listens there\n  start one, or say where it is with --agent.url\n',
    },
    {
      name: 'no file',
      argv: ['agent', '--config.file=/nowhere/a.yaml'],
      status: 2,
      stderr: 'meshtoll: cannot read /nowhere/a.yaml: there is no such file\n  set --config.file to the right path\n',
    },
  ]
  for (const { name, argv, status, stdout = '', stderr = '' } of cases) t.same(await runProgram(argv), { status, stdout, stderr }, name)
})

t.test('help', async (t) => {
  const asked = await runProgram(['--help'])
  t.equal(asked.status, 0)
  t.match(asked.stdout, /^Usage: meshtoll COMMAND \[flags\]\n[\s\S]*\n {2}agent {2}[\s\S]*\n {2}check {2}/)
  t.same(await runProgram([]), { status: 2, stdout: '', stderr: asked.stdout }, 'without a command')
  const group = await runProgram(['datadog', '--help'])
  t.match(group, { status: 0, stdout: /^Usage: meshtoll datadog COMMAND [\s\S]*\n {2}preview {2}[\s\S]*\n {2}sync {5}/ })
  t.notMatch(group.stdout, /^ {2}agent /m)
  t.same(await runProgram(['datadog']), { status: 2, stdout: '', stderr: group.stdout }, 'with the first of its two words')
  t.match((await runProgram(['check', '--help'])).stdout, /\nExit status:\n {2}0 .*\n {2}1 .*\n {2}2 /)
  t.notMatch((await runProgram(['directory', '--help'])).stdout, /^ {2}flows\./m, 'options that it does not read')
  t.match((await runProgram(['demo', '--help'])).stdout, /Default:\s+127\.0\.0\.1:10042/, 'as the demo serves')
  const agent = await runProgram(['agent', '--xyzzy', '--help'])
  t.equal(agent.status, 0, 'help wins over mistakes')
  t.match(agent.stdout, /^Usage: meshtoll agent \[flags\]\n[\s\S]*--uninstall[\s\S]*flows\.rotateInterval/)
})

t.test('whoever reads only the first line has read enough', async (t) => {
  const line = `"$@" check --state.dir=${t.testdir()} | head -1`
  const { stdout, stderr } = spawnSync('sh', ['-c', line, 'sh', ...PROGRAM], { encoding: 'utf8' })
  t.equal(stdout, 'ok    configuration  no file, all options have their defaults\n')
  t.equal(stderr, '')
})

function startAgent(t: Test, ...more: readonly string[]): Started {
  const folder = t.testdir({ 'meshtoll.yaml': 'flows: {enabled: false}' })
  const argv = [`--config.file=${folder}/meshtoll.yaml`, `--state.dir=${folder}/state`, '--web.listen-address=127.0.0.1:0', ...more]
  const started = startProgram(['agent', ...argv])
  t.teardown(() => started.child.kill('SIGKILL'))
  return started
}

t.test('an inventory that is too large to be parsed at once', async (t) => {
  const lines = Array.from({ length: 300 }, (_, index) => `  - {cidr: 10.${index >> 8}.${index & 255}.0/24, ownerName: owner-${index}}\n`)
  const right = `entries:\n${lines.join('')}`
  const wrong = `${right}  - {cidr: 10.1.2.3/24}\n`
  const mistake = '302:12  cidr is "10.1.2.3/24"; host bits are set, the network is 10.1.2.0/24'
  const folder = t.testdir({ 'meshtoll.yaml': 'flows: {enabled: false, interval: 100ms}\ninventory: {file: i.yaml}', 'i.yaml': wrong })
  const argv = ['agent', `--config.file=${folder}/meshtoll.yaml`, `--state.dir=${folder}/state`, '--web.listen-address=127.0.0.1:0']
  const expected = { status: 2, stdout: '', stderr: `meshtoll: i.yaml has 1 mistake\n  ${mistake}\n` }
  t.same(await runProgram(argv), expected, 'wrong from the beginning')

  writeFileSync(`${folder}/i.yaml`, right)
  const { child, ended, says } = startProgram(argv)
  t.teardown(() => child.kill('SIGKILL'))
  await says('msg="agent is running"')
  writeFileSync(`${folder}/i.yaml`, wrong)
  await says('host bits are set')
  writeFileSync(`${folder}/i.yaml`, right.replaceAll('owner-', 'workload-'))
  await says('msg="source can be read again" source=inventory')
  child.kill('SIGTERM')
  t.match(await ended, { status: 0 })
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} stops the agent`, async (t) => {
    const { child, ended, says } = startAgent(t)
    await says('msg="agent is running"')
    child.kill(signal)
    t.match(await ended, { status: 0, stdout: '' })
  })
}

t.test('logs as JSON', async (t) => {
  const { child, ended, says } = startAgent(t, '--log.format=json')
  await says('"msg":"agent is running"')
  child.kill('SIGTERM')
  const { stderr } = await ended
  for (const line of stderr.trimEnd().split('\n')) t.type(JSON.parse(line), 'object')
})

t.test('one Ctrl-C that arrives twice, from the terminal and from npm, is one', async (t) => {
  const { child, ended, says } = startAgent(t)
  await says('msg="agent is running"')
  child.kill('SIGINT')
  await sleep(1)
  child.kill('SIGINT')
  t.match(await ended, { status: 0 })
})

t.test('a second signal ends it at once, whatever it waits for', async (t) => {
  const pipe = join(t.testdir(), 'never-written')
  execFileSync('mkfifo', [pipe])
  const { child, ended } = startProgram(['agent', `--config.file=${pipe}`])
  t.teardown(() => child.kill('SIGKILL'))
  const writer = await openForReader(pipe)
  t.teardown(() => closeSync(writer))
  child.kill('SIGTERM')
  await sleep(1000)
  t.equal(child.exitCode ?? child.signalCode, null, 'the first alone cannot end it')
  child.kill('SIGTERM')
  await ended
  t.equal(child.signalCode, 'SIGTERM')
})

/** Resolves once the program has the pipe open and waits for what is never written. */
async function openForReader(pipe: string): Promise<number> {
  const deadline = performance.now() + 30_000
  for (;;) {
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await sleep(20)
  }
}

t.test('a port in use is one line and the remedy below it, with a stack only for whoever asks', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const folder = t.testdir({ 'meshtoll.yaml': 'flows: {enabled: false}' })
  const argv = ['agent', `--config.file=${folder}/meshtoll.yaml`, `--state.dir=${folder}/state`, `--web.listen-address=127.0.0.1:${port}`]
  const { status, stderr } = await runProgram([...argv, '--log.level=error'])
  t.equal(status, 1)
  t.match(stderr, new RegExp(`^meshtoll: .*127\\.0\\.0\\.1:${port}.*\\n {2}.*--web\\.listen-address.*\\n$`))
  const debug = await runProgram([...argv, '--log.level=debug'])
  t.equal(debug.status, 1)
  t.match(debug.stderr, /\n {4}at /)
})
