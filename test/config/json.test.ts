import t from 'tap'
import { parseJson } from '../../src/config/json.js'
import { type Node, parseYaml } from '../../src/config/yaml.js'
import { fc } from '../property.js'
import { anyString, listTokens, mappingTokens, renderJson, scalarTokens, stringTokens, type Tokens } from './json-texts.js'

/** What a tree says, without where; the order of keys means nothing. */
function meaning(node: Node): unknown {
  if (node.kind === 'list') return node.items.map(meaning)
  if (node.kind === 'scalar') return { text: node.text, quoted: node.quoted }
  if (node.kind === 'empty') return null
  const entries = node.entries.map(({ key, value }) => ({ key, value: meaning(value) }))
  return { entries: entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)) }
}

t.test('what JSON says', async (t) => {
  const text = '{"entries": [{"cidr": "10.0.0.0/8", "external": true, "zone": null}], "caf\\u00e9": "a \\"b\\" \\\\"}'
  t.same(meaning(parseJson(text) ?? { kind: 'empty', at: { line: 0, column: 0 } }), meaning(parseYaml(text).root))
})

t.test('what is left to YAML', async (t) => {
  const cases = [
    { name: 'nothing', text: '' },
    { name: 'YAML', text: 'entries: []' },
    { name: 'a word, which a tab before it makes a mistake', text: '\n\t"a"' },
    { name: 'a comma too many, which YAML forgives', text: '{"entries": [],}' },
    { name: 'a text cut short', text: '{"entries": [{"cidr": "10.0' },
    { name: 'a key given twice', text: '{"a": {"b": "c", "b": "c"}}' },
    { name: 'a key given twice, in two spellings', text: '{"a": true, "\\u0061": true}' },
    { name: 'a number, whose text may be another', text: '{"a": 1.0}' },
    { name: 'a return that ends no line', text: '{"a":\r"b"}' },
    { name: 'a mark of the order of bytes', text: '\ufeff{"a": "b"}' },
    { name: 'more levels than any file of ours', text: `${'['.repeat(100_000)}${']'.repeat(100_000)}` },
  ]
  for (const { name, text } of cases) t.equal(parseJson(text), undefined, name)
})

t.test('JSON is YAML', async (t) => {
  const key = stringTokens(fc.oneof(fc.constantFrom('a', 'b', '__proto__', '7'), anyString))
  const { root } = fc.letrec<{ root: Tokens; value: Tokens }>((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, scalarTokens, tie('root')),
    root: fc.oneof(
      { maxDepth: 4 },
      listTokens(fc.array(tie('value'), { maxLength: 4 })),
      mappingTokens(fc.array(fc.tuple(key, tie('value')), { maxLength: 4 })),
    ),
  }))
  let read = 0
  fc.assert(
    fc.property(renderJson(root), (text) => {
      const node = parseJson(text)
      if (node === undefined) return
      read++
      const tree = parseYaml(text)
      const [json, yaml] = [meaning(node), meaning(tree.root)].map((said) => JSON.stringify(said))
      if (tree.mistakes.length > 0 || json !== yaml) throw new Error(`${JSON.stringify(tree.mistakes)}\n${json}\n${yaml}`)
    }),
    { numRuns: 3_000 },
  )
  t.ok(read > 500, `${read} of 3,000 texts`)
})
