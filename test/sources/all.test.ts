import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sources } from '../../src/sources/all.js'

const SRC = join(import.meta.dirname, '../../src/sources')
const SHARED = ['all', 'source', 'http-get', 'scraping', 'slots', 'container-logs']

t.test('every source on disk is in the list, and has tests', async (t) => {
  const onDisk = readdirSync(SRC).map((file) => file.replace(/\.ts$/, ''))
  const names = onDisk.filter((name) => !SHARED.includes(name)).sort()
  t.same(sources.map(({ name }) => name).sort(), names)
  for (const name of names) {
    const tests = join(import.meta.dirname, name)
    t.ok(existsSync(`${tests}.test.ts`) || existsSync(tests), `test/sources/${name}`)
  }
})

t.test('no family has two sources', async (t) => {
  const names = sources.flatMap(({ families }) => families.map(({ name }) => name))
  t.same([...new Set(names)], names)
})
