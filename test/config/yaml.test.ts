import t from 'tap'
import { parseConfig } from '../../src/config/config.js'
import { parseInventory } from '../../src/config/inventory.js'
import { parseYaml } from '../../src/config/yaml.js'

const DEEP = 10_000
const TEXT = 'nested more than 100 levels deep; close what was opened before, or nest less'

t.test('nested too deep', async (t) => {
  const indented = Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')
  const cases = [
    { name: 'lists', text: '['.repeat(DEEP), at: { line: 1, column: 101 } },
    { name: 'lists that are closed', text: '['.repeat(DEEP) + ']'.repeat(DEEP), at: { line: 1, column: 101 } },
    { name: 'mappings', text: `# ours\nflows: ${'{a: '.repeat(DEEP)}`, at: { line: 2, column: 404 } },
    { name: 'lists of lists, by dashes', text: '- '.repeat(DEEP), at: { line: 1, column: 201 } },
    { name: 'mappings, by indentation', text: indented, at: { line: 101, column: 101 } },
    { name: 'after another mistake', text: `serie: {}\nflows: ${'['.repeat(DEEP)}`, at: { line: 2, column: 107 } },
  ]
  for (const { name, text, at } of cases) {
    t.same(parseConfig(text, {}).mistakes, [{ at, text: TEXT }], `${name}: a configuration`)
    t.same(parseInventory(text, {}).mistakes, [{ at, text: TEXT }], `${name}: an inventory`)
  }
})

t.test('nested deep, but not too deep, is judged by what it stands for', async (t) => {
  const [mistake] = parseConfig(`flows: ${'['.repeat(90)}${']'.repeat(90)}`, {}).mistakes
  t.match(mistake, { at: { line: 1, column: 8 }, text: /^flows is a list; expected a mapping/ })
})

t.test('a second document', async (t) => {
  const { mistakes } = parseYaml('a: 1\n---\nb: 2\n---\nc: 3\n')
  t.same(mistakes, [{ at: { line: 2, column: 1 }, text: 'a second document begins; expected one' }])
})
