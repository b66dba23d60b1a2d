import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { loadLock } from '../../src/kernel/lock.js'
import { inNamespace } from './in-namespace.js'

const LOCK = import.meta.resolve('../../src/kernel/lock.js')
/** Says whether it has the lock, and ends with its standard input. */
const holder = (name: string): string => `
  const { loadLock } = await import('${LOCK}')
  const lock = (await loadLock())('${name}')
  console.log(lock ? 'taken' : 'refused')
  process.stdin.resume().on('end', () => process.exit())`
const run = (name: string): string[] => [...process.execArgv, '--input-type=module', '-e', holder(name)]

await inNamespace(t, import.meta.filename, () => {
  t.test('one holder at a time, by name', async (t) => {
    const takeLock = await loadLock()
    const first = takeLock('a')
    t.ok(first)
    t.equal(takeLock('a'), undefined, 'held')
    t.ok(takeLock('b'), 'another name is another lock')
    first?.release()
    t.ok(takeLock('a'), 'released')
  })

  t.test('it dies with its process, also when that is killed', async (t) => {
    const takeLock = await loadLock()
    const child = spawn(process.execPath, run('held'), { stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    t.equal(String((await once(child.stdout, 'data'))[0]).trim(), 'taken')
    t.equal(takeLock('held'), undefined, 'held by another process')
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.ok(takeLock('held'), 'free again')
  })

  t.test('it belongs to the network namespace', async (t) => {
    const takeLock = await loadLock()
    t.ok(takeLock('c'))
    const elsewhere = spawnSync('unshare', ['--net', process.execPath, ...run('c')], { encoding: 'utf8' })
    t.equal(elsewhere.stdout.trim(), 'taken', elsewhere.stderr)
  })

  t.test('a name too long for the kernel', async (t) => {
    const takeLock = await loadLock()
    t.throws(() => takeLock('x'.repeat(200)), { code: 'EINVAL', message: /take the lock @meshtoll/ })
  })
})
