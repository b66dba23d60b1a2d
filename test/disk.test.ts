import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createDisk, makeFolder } from '../src/disk.js'
import { loadLockFile } from '../src/kernel/lock.js'

function diskAt(t: { teardown(close: () => Promise<void>): unknown }, folder: string): ReturnType<typeof createDisk> {
  const disk = createDisk(folder)
  t.teardown(() => disk.close())
  return disk
}

t.test('a file that is not there', async (t) => {
  const disk = diskAt(t, t.testdir())
  t.equal(await disk.read('journal'), undefined)
})

t.test('the folder is made when it is needed', async (t) => {
  const folder = join(t.testdir(), 'a/b')
  const disk = diskAt(t, folder)
  t.equal(await disk.read('journal'), undefined)
  t.notOk(existsSync(folder))
  await disk.replace('journal', ['a\n'])
  t.equal(readFileSync(join(folder, 'journal'), 'utf8'), 'a\n')
})

t.test('appends and replacements, in the order they were asked for', async (t) => {
  const folder = t.testdir()
  const disk = diskAt(t, folder)
  await Promise.all([
    disk.replace('journal', ['a\n']),
    disk.append('journal', 'b\n'),
    disk.replace('journal', ['c\n', 'd\n']),
    disk.append('journal', 'e\n'),
  ])
  t.equal(String(await disk.read('journal')), 'c\nd\ne\n')
})

t.test('texts and bytes, in their order', async (t) => {
  const disk = diskAt(t, t.testdir())
  await disk.replace('read', [Buffer.from([0xff]), 'a', 'ä', new Uint8Array(0), Buffer.from([0, 0xc3]), 'b'])
  t.same([...((await disk.read('read')) ?? [])], [0xff, 0x61, 0xc3, 0xa4, 0, 0xc3, 0x62])
})

t.test('a file gets another name, and the next one begins anew', async (t) => {
  const folder = t.testdir({ 'journal.old': 'older\n' })
  const disk = diskAt(t, folder)
  await disk.replace('journal', ['a\n'])
  await disk.append('journal', 'b\n')
  await disk.rename('journal', 'journal.old')
  await t.rejects(disk.append('journal', 'c\n'), { code: 'ENOENT' }, 'lines alone are no file')
  await disk.replace('journal', ['d\n'])
  t.equal(String(await disk.read('journal.old')), 'a\nb\n')
  t.equal(String(await disk.read('journal')), 'd\n')
  await t.rejects(disk.rename('missing', 'journal'))
})

t.test('what was there before stays in front', async (t) => {
  const folder = t.testdir({ journal: 'old\n' })
  const disk = diskAt(t, folder)
  await disk.append('journal', 'new\n')
  t.equal(String(await disk.read('journal')), 'old\nnew\n')
})

t.test('two files by turns', async (t) => {
  const disk = diskAt(t, t.testdir({ a: '', b: '' }))
  for (const path of ['a', 'b', 'a', 'b']) await disk.append(path, `${path}\n`)
  t.same([String(await disk.read('a')), String(await disk.read('b'))], ['a\na\n', 'b\nb\n'])
})

t.test('a replacement', async (t) => {
  await t.test('larger than a chunk, with fsync', async (t) => {
    const disk = diskAt(t, t.testdir())
    const line = `${'x'.repeat(999)}\n`
    await disk.replace('state', Array<string>(300).fill(line), { sync: true })
    t.equal(String(await disk.read('state')), line.repeat(300))
  })
  await t.test('that fails leaves the old file and nothing beside it', async (t) => {
    const folder = t.testdir({ state: 'old' })
    const disk = diskAt(t, folder)
    function* failing(): Generator<string> {
      yield 'new'
      throw new Error('no more')
    }
    await t.rejects(disk.replace('state', failing()), { message: 'no more' })
    t.equal(String(await disk.read('state')), 'old')
    t.notOk(existsSync(join(folder, 'state.tmp')))
  })
  await t.test('over what a crash left beside it', async (t) => {
    const folder = t.testdir({ 'state.tmp': 'x'.repeat(1000) })
    const disk = diskAt(t, folder)
    await disk.replace('state', ['new'])
    t.equal(String(await disk.read('state')), 'new')
    t.notOk(existsSync(join(folder, 'state.tmp')))
  })
  await t.test('is for its owner alone to read', async (t) => {
    const folder = t.testdir()
    await diskAt(t, folder).replace('state', ['new'])
    t.equal(statSync(join(folder, 'state')).mode & 0o777, 0o600)
  })
})

t.test('a file that is not where it was while it is open', async (t) => {
  const cases: Record<string, (path: string) => void> = {
    removed: (path) => rmSync(path),
    'moved away': (path) => renameSync(path, `${path}.away`),
    'replaced by another': (path) => {
      writeFileSync(`${path}.new`, 'theirs\n')
      renameSync(`${path}.new`, path)
    },
  }
  for (const [name, change] of Object.entries(cases)) {
    const folder = t.testdir({ journal: 'a\n' })
    const disk = diskAt(t, folder)
    await disk.append('journal', 'b\n')
    change(join(folder, 'journal'))
    await t.rejects(disk.append('journal', 'c\n'), { message: /journal was removed or replaced by somebody else/ }, name)
    await disk.replace('journal', ['d\n'])
    await disk.append('journal', 'e\n')
    t.equal(String(await disk.read('journal')), 'd\ne\n', name)
  }
})

t.test('one process at a time', async (t) => {
  const folder = t.testdir()
  const lockFile = await loadLockFile()
  const [one, other] = [createDisk(folder, lockFile), createDisk(folder, lockFile)]
  await one.claim()
  await one.claim()
  await t.rejects(other.claim(), { name: 'StateInUse', message: /another meshtoll agent that runs.*--state\.dir of its own/ })
  await t.rejects(other.replace('journal', ['theirs']), { name: 'StateInUse' })
  t.notOk(existsSync(join(folder, 'journal')), 'nothing is written')
  t.equal(statSync(join(folder, 'lock')).mode & 0o777, 0o600, 'nobody else can hold it')
  await one.close()
  await other.replace('journal', ['theirs'])
  await t.rejects(one.claim(), { name: 'StateInUse' }, 'writing claims it too')
  await other.close()
  const unwritable = createDisk('/proc/nope', lockFile)
  await unwritable.claim()
  await t.rejects(unwritable.replace('journal', ['a']), { name: 'DiskError' }, 'what cannot be written is found then')
})

t.test('a folder that is moved away is claimed anew', async (t) => {
  const parent = t.testdir({ state: {} })
  const folder = join(parent, 'state')
  const lockFile = await loadLockFile()
  const [one, other] = [createDisk(folder, lockFile), createDisk(folder, lockFile)]
  await one.claim()
  renameSync(folder, join(parent, 'away'))
  await other.claim()
  await t.rejects(one.replace('journal', ['ours']), { name: 'StateInUse' }, 'the one in its place is of another')
  await other.close()
  await one.replace('journal', ['ours'])
  await t.rejects(other.claim(), { name: 'StateInUse' })
  await one.close()
})

t.test('a failed task does not stop the next', async (t) => {
  const folder = t.testdir({ file: '' })
  const disk = diskAt(t, join(folder, 'file/state'))
  await t.rejects(disk.replace('journal', ['a']), { code: 'EEXIST' })
  rmSync(join(folder, 'file'))
  await disk.replace('journal', ['b'])
  t.equal(String(await disk.read('journal')), 'b')
})

// A file system of 64 KiB in a mount namespace of its own: the real ENOSPC, short writes included.
const FULL = `
import { createDisk } from ${JSON.stringify(import.meta.resolve('../src/disk.js'))}
const disk = createDisk(process.argv[1])
const line = (size) => 'x'.repeat(size - 1) + '\\n'
await disk.replace('journal', [line(1000)])
const failures = []
for (const size of [200_000, 70_000]) await disk.append('journal', line(size)).catch(({ code }) => failures.push(code))
const afterFailures = (await disk.read('journal')).length
await disk.append('journal', line(500))
const replaced = await disk.replace('journal', [line(200_000)]).catch(({ code }) => code)
console.log(JSON.stringify({ failures, afterFailures, replaced, end: (await disk.read('journal')).length }))
`

const maySeparate = ((): boolean => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

t.test(
  'a full disk costs the record that does not fit, and no other',
  { skip: maySeparate ? false : 'needs a mount namespace' },
  async (t) => {
    const folder = t.testdir({ mount: {} })
    const mount = join(folder, 'mount')
    const node = [process.execPath, ...process.execArgv, '--input-type=module'].join(' ')
    const script = `mount -t tmpfs -o size=64k none ${mount} && exec ${node} -e "$PROGRAM" ${mount}`
    const out = execFileSync('unshare', ['-m', 'sh', '-c', script], { env: { ...process.env, PROGRAM: FULL }, encoding: 'utf8' })
    t.same(JSON.parse(out), { failures: ['ENOSPC', 'ENOSPC'], afterFailures: 1000, replaced: 'ENOSPC', end: 1500 })
  },
)

t.test('makeFolder', async (t) => {
  const folder = t.testdir({ there: {}, file: '' })
  t.equal(await makeFolder(join(folder, 'there')), undefined, 'there already')
  t.equal(await makeFolder(join(folder, 'a/b/c')), join(folder, 'a'), 'the first that was made')
  t.ok(existsSync(join(folder, 'a/b/c')))
  await t.rejects(makeFolder(join(folder, 'file/a')), { code: 'EEXIST' }, 'under a file')
  await t.rejects(makeFolder('/proc/meshtoll/a'), { code: 'ENOENT' }, 'where nobody can make one')
  mkdirSync(join(folder, 'b'))
  t.same(
    (await Promise.all([makeFolder(join(folder, 'b/c')), makeFolder(join(folder, 'b/c'))])).filter(Boolean).length,
    1,
    'made by one of two at once',
  )
})

t.test('what cannot be written says so in one sentence', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file')
  const cases = [
    { name: 'a file', folder: file, code: 'EEXIST', message: `${file} is no directory; set --state.dir to a directory` },
    { name: 'where nobody can make one', folder: '/proc/nope', code: 'ENOENT', message: '/proc/nope cannot be made; set --state.dir' },
  ]
  for (const { name, folder, code, message } of cases) {
    const disk = diskAt(t, folder)
    await t.rejects(disk.append('journal', 'a'), { name: 'DiskError', code, message }, name)
    await t.rejects(disk.replace('journal', ['a']), { name: 'DiskError', code, message }, `${name}, replaced`)
  }
})
