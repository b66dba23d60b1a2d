// What `npm run demo`, `npm test` and `npm run bench` do before anything of the project can run: packages, build, system programs.
// Plain JavaScript without dependencies, since on a fresh clone there is nothing else.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildWhenStale, changedAt, ROOT } from './built.js'

const MIN_NODE = [20, 18, 1]

/** Programs by the Debian package that brings them. */
const SYSTEM = {
  demo: { iproute2: ['ip'] },
  test: { iproute2: ['ip', 'tc'], nftables: ['nft'], prometheus: ['promtool'] },
  bench: { iproute2: ['ip'], nftables: ['nft'] },
}

const say = (text) => process.stderr.write(`${text}\n`)

function fail(text) {
  say(`meshtoll: ${text}`)
  process.exit(1)
}

function run(title, command, args) {
  say(`${title} ...`)
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  if (error || status !== 0) fail(`${title} failed: ${command} ${args.join(' ')}`)
}

function checkNode() {
  const version = process.versions.node.split('.').map(Number)
  const differs = MIN_NODE.findIndex((part, index) => part !== version[index])
  if (differs >= 0 && version[differs] < MIN_NODE[differs])
    fail(`Node ${process.versions.node} is too old; ${MIN_NODE.join('.')} or newer is needed`)
}

function installPackages() {
  if (changedAt('node_modules/.package-lock.json') >= changedAt('package-lock.json')) return
  run('installing npm packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

const isInstalled = (program) => {
  const places = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  return places.some((place) => existsSync(join(place, program)))
}

/** Installs what is missing where it may; otherwise says the one command that does. */
function installPrograms(wanted, { isNeeded }) {
  const missing = Object.keys(wanted).filter((name) => !wanted[name].every(isInstalled))
  if (missing.length === 0) return
  const mayInstall = process.getuid?.() === 0 && isInstalled('apt-get')
  if (mayInstall) {
    const apt = 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install'
    return run(`installing ${missing.join(', ')}`, 'sh', ['-c', `{ ${apt} ${missing.join(' ')}; } >&2`])
  }
  const command = `sudo apt-get install -y ${missing.join(' ')}`
  if (isNeeded) fail(`${missing.join(' and ')} is missing; install it with\n  ${command}`)
  say(`meshtoll: ${missing.join(', ')} is missing, tests that need it will be skipped; install with\n  ${command}`)
}

/** Runs the rest in the foreground with this terminal, and ends as it ends. */
function become(command, args) {
  const child = spawn(command, args, { cwd: process.cwd(), stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
}

const [task, ...rest] = process.argv.slice(2)
checkNode()
installPackages()
if (!buildWhenStale()) fail('the build failed')
if (task === 'demo') {
  installPrograms(SYSTEM.demo, { isNeeded: true })
  become(process.execPath, [join(ROOT, 'dist/main.js'), 'demo', ...rest])
} else if (task === 'bench') {
  installPrograms(SYSTEM.bench, { isNeeded: true })
  become(process.execPath, ['--import', import.meta.resolve('tsx'), join(ROOT, 'bench/run.ts'), ...rest])
} else {
  installPrograms(SYSTEM.test, { isNeeded: false })
  become(process.execPath, [join(ROOT, 'scripts/test.js'), ...rest])
}
