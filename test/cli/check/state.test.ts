import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { probeState } from '../../../src/cli/check/state.js'
import { createDisk } from '../../../src/disk.js'
import { loadLockFile } from '../../../src/kernel/lock.js'

t.test('a probe leaves nothing behind', async (t) => {
  const folder = t.testdir({ there: { journal: 'kept' }, file: '' })
  const at = (path: string): string => join(folder, path)
  t.same(await probeState(at('there'), 'x'), { folder: at('there'), exists: true, isHeld: false })
  t.same(readdirSync(at('there')), ['journal'])
  t.same(await probeState(at('a/b/c'), 'x'), { folder: at('a/b/c'), exists: false, isHeld: false })
  t.notOk(existsSync(at('a')))
})

t.test('what stands in the way', async (t) => {
  const folder = t.testdir({ file: '' })
  const cases = [
    { name: 'a file', path: join(folder, 'file'), code: 'EEXIST' },
    { name: 'a file on the way', path: join(folder, 'file/state'), code: 'EEXIST' },
    { name: 'where nobody can make one', path: '/proc/meshtoll', code: 'ENOENT' },
  ]
  for (const { name, path, code } of cases) t.equal((await probeState(path, 'x')).refused?.code, code, name)
})

t.test('somebody holds it', async (t) => {
  const folder = t.testdir()
  const disk = createDisk(folder, await loadLockFile())
  await disk.claim()
  t.ok((await probeState(folder, 'x')).isHeld)
  await disk.close()
  t.notOk((await probeState(folder, 'x')).isHeld, 'and no more')
})
