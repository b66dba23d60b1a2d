// What nobody catches fails the test that is under way, and no other.
import { spawnSync } from 'node:child_process'
import t from 'tap'

const LATE = {
  'an exception': `setTimeout(() => { throw new Error('late') })`,
  'a rejection': `Promise.reject(new Error('late'))`,
}
const programOf = (late: string): string => `
import t from ${JSON.stringify(import.meta.resolve('tap'))}
const soon = () => new Promise((resolve) => setTimeout(resolve, 50))
t.test('before', async () => soon())
t.test('one', async () => { ${late}; await soon() })
t.test('outer', async (t) => {
  t.test('inner', async () => { ${late}; await soon() })
})
t.test('after', async () => soon())
`

/** By its own means tap tells it by the promise; so it is when a file runs from source. */
const skip = import.meta.resolve('tap').includes('/.compiled/') ? false : 'runs from source'

for (const [name, late] of Object.entries(LATE)) {
  t.test(`${name} that nobody catches`, { skip }, async (t) => {
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', programOf(late)], { encoding: 'utf8' })
    t.equal(status, 1)
    const said = new Set([...stdout.matchAll(/((?:not )?ok) \d+ - (\w+)/g)].map(([, ok, name]) => `${ok} ${name}`))
    t.same([...said], ['ok before', 'not ok late', 'not ok one', 'not ok inner', 'not ok outer', 'ok after'])
  })
}
