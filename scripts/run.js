// What `npm run demo`, `npm test` and `npm run bench` do before anything of the project can run: packages, build, system programs.
// Plain JavaScript without dependencies, since on a fresh clone there is nothing else.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { PEERS } from '../test/peers/table.js'
import { buildWhenStale, changedAt, ROOT } from './built.js'
import { showPeers } from './peers.js'
import { fail, installPrograms, isDone } from './programs.js'

const MIN_NODE = [20, 18, 1]

/** Programs by the Debian package that brings them. */
const SYSTEM = {
  demo: { iproute2: ['ip'] },
  test: { iproute2: ['ip', 'tc'], nftables: ['nft'] },
  bench: { iproute2: ['ip'], nftables: ['nft'] },
}

function checkNode() {
  const version = process.versions.node.split('.').map(Number)
  const differs = MIN_NODE.findIndex((part, index) => part !== version[index])
  if (differs >= 0 && version[differs] < MIN_NODE[differs])
    fail(`Node ${process.versions.node} is too old; ${MIN_NODE.join('.')} or newer is needed`)
}

function installPackages() {
  if (changedAt('node_modules/.package-lock.json') >= changedAt('package-lock.json')) return
  const flags = ['--no-audit', '--no-fund', '--loglevel=error']
  if (!isDone('installing npm packages', 'npm', ['ci', ...flags])) fail('npm ci failed')
}

/** Runs the rest in the foreground with this terminal, and ends as it ends. */
function become(command, args) {
  const child = spawn(command, args, { cwd: process.cwd(), stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
}

const [task, ...rest] = process.argv.slice(2)
checkNode()
if (task === 'peers') process.exit((await showPeers(PEERS)) ? 0 : 1)
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
