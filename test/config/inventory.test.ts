import t from 'tap'
import { parseInventory } from '../../src/config/inventory.js'
import { parseJson } from '../../src/config/json.js'
import { fc } from '../property.js'
import { anyString, listTokens, mappingTokens, renderJson, scalarTokens, stringTokens, type Tokens } from './json-texts.js'

t.test('an inventory', async (t) => {
  const text = `
entries:
  - {cidr: 10.1.0.10/32, zone: us-east-1a, region: us-east-1, namespace: shop, ownerKind: Deployment, ownerName: cart, node: "\${NODE}"}
  - {cidr: 2001:DB8::/64, zone: us-east-1b, ownerKind: Database, ownerName: orders-db}
  - {cidr: 198.51.100.0/24, external: true, ownerKind: Service, ownerName: payments.example.com}
`
  const nobody = { zone: '', region: '', namespace: '', ownerKind: '', ownerName: '', node: '', external: false }
  t.same(parseInventory(text, { NODE: 'n1' }), {
    entries: [
      {
        cidr: '10.1.0.10/32',
        zone: 'us-east-1a',
        region: 'us-east-1',
        namespace: 'shop',
        ownerKind: 'Deployment',
        ownerName: 'cart',
        node: 'n1',
        external: false,
      },
      { ...nobody, cidr: '2001:db8::/64', zone: 'us-east-1b', ownerKind: 'Database', ownerName: 'orders-db' },
      { ...nobody, cidr: '198.51.100.0/24', external: true, ownerKind: 'Service', ownerName: 'payments.example.com' },
    ],
    mistakes: [],
  })
})

t.test('nobody is named', async (t) => {
  for (const text of ['entries: []', '{"entries": []}']) t.same(parseInventory(text, {}), { entries: [], mistakes: [] }, text)
})

t.test('mistakes, each with where and what instead', async (t) => {
  const cases = [
    {
      name: 'host bits',
      entry: '{cidr: 10.1.2.1/24}',
      lines: ['1:18 cidr is "10.1.2.1/24"; host bits are set, the network is 10.1.2.0/24'],
    },
    {
      name: 'loopback',
      entry: '{cidr: "::1/128"}',
      lines: ['1:18 cidr is "::1/128"; loopback addresses never cross nodes, remove the entry'],
    },
    { name: 'no range', entry: '{zone: a}', lines: ['1:11 this entry has no cidr; expected the range of addresses that it names'] },
    { name: 'nothing', entry: '', lines: ['1:11 this entry has no cidr; expected the range of addresses that it names'] },
    { name: 'a near word', entry: '{cidr: 10.0.0.0/8, zonee: a}', lines: ['1:30 zonee is not a key of an entry; did you mean zone?'] },
    {
      name: 'in kubectl spelling',
      entry: '{cidr: 10.0.0.0/8, owner_kind: a}',
      lines: ['1:30 owner_kind is not a key of an entry; did you mean ownerKind?'],
    },
    {
      name: 'a reserved name',
      entry: '{cidr: 10.0.0.0/8, ownerName: _other}',
      lines: ['1:41 ownerName is "_other"; meshtoll itself says that of what it cannot name, choose another'],
    },
    { name: 'not a truth value', entry: '{cidr: 10.0.0.0/8, external: yes}', lines: ['1:40 external is "yes"; expected true or false'] },
    {
      name: 'outside and inside',
      entry: '{cidr: 8.0.0.0/8, external: true, zone: a, region: b, node: n}',
      lines: [
        '1:45 an external entry has no zone; remove zone or external',
        '1:54 an external entry has no region; remove region or external',
        '1:65 an external entry has no node; remove node or external',
      ],
    },
    { name: 'not outside, hence inside', entry: '{cidr: 8.0.0.0/8, external: false, zone: a}', lines: [] },
    {
      name: 'a word',
      entry: 'foo',
      lines: ['1:11 an entry is "foo"; expected a mapping with cidr, zone, region, namespace, ownerKind, ownerName, node, external'],
    },
  ]
  for (const { name, entry, lines } of cases) {
    const { mistakes } = parseInventory(`entries: [${entry || '~'}]`, {})
    t.same(
      mistakes.map(({ at, text }) => `${at?.line}:${at?.column} ${text}`),
      lines,
      name,
    )
  }
})

t.test('mistakes of the whole', async (t) => {
  const cases = [
    {
      name: 'a range named twice, in two spellings',
      text: 'entries:\n- cidr: fd00::/8\n- cidr: FD00:0::/8',
      lines: ['3:9 cidr fd00::/8 is named twice; the first is on line 2'],
    },
    {
      name: 'a wrong range twice is wrong, not double',
      text: 'entries:\n- cidr: a\n- cidr: a',
      lines: [
        '2:9 cidr is "a"; expected a range such as 10.1.2.0/24 or 2001:db8::/64',
        '3:9 cidr is "a"; expected a range such as 10.1.2.0/24 or 2001:db8::/64',
      ],
    },
    {
      name: 'not a list',
      text: 'entries: {cidr: 10.0.0.0/8}',
      lines: ['1:10 entries is a mapping; expected a list of mappings, each with a cidr'],
    },
    { name: 'an empty file', text: '', lines: ['1:1 the file has no entries; expected entries: [] where nobody is to be named'] },
    { name: 'a comment', text: '\n# none', lines: ['1:1 the file has no entries; expected entries: [] where nobody is to be named'] },
    { name: 'an empty mapping', text: '--- {}', lines: ['1:5 the file has no entries; expected entries: [] where nobody is to be named'] },
    {
      name: 'a list that was never filled',
      text: 'entries:\n# - cidr: 10.0.0.0/8',
      lines: ['1:9 entries is empty; expected entries: [] where nobody is to be named'],
    },
    {
      name: 'a list that was never filled, in JSON',
      text: '{"entries": null}',
      lines: ['1:13 entries is empty; expected entries: [] where nobody is to be named'],
    },
    {
      name: 'an alias for a list is said once',
      text: 'entries: *all',
      lines: ['1:10 *all is an alias, which is not supported; write the value out'],
    },
    { name: 'a list without its name', text: '- cidr: 10.0.0.0/8', lines: ['1:1 the file is a list; expected a mapping with entries'] },
    { name: 'entries without their list', text: 'cart: {}', lines: ['1:1 cart is not a key of an inventory; expected entries'] },
    { name: 'another name', text: 'entrys: []', lines: ['1:1 entrys is not a key of an inventory; did you mean entries?'] },
  ]
  for (const { name, text, lines } of cases) {
    const { mistakes } = parseInventory(text, {})
    t.same(
      mistakes.map(({ at, text: sentence }) => `${at?.line}:${at?.column} ${sentence}`),
      lines,
      name,
    )
  }
})

t.test('JSON is read as YAML is: the same names, the same mistakes', async (t) => {
  const word = (...words: readonly string[]) => stringTokens(fc.constantFrom(...words))
  const fields: readonly (readonly [name: string, value: fc.Arbitrary<Tokens>])[] = [
    ['cidr', word('10.0.0.0/8', '10.1.0.1/32', '2001:DB8::/64', 'fd00::1/128', '10.1.0.1/8', '::1/128')],
    ['zone', word('us-east-1a', `\${ZONE}`, `$\${x}`, `\${NONE}`, ' a')],
    ['region', word('us-east-1', '_other', '')],
    ['ownerName', stringTokens(anyString)],
    ['external', fc.constantFrom(['true'], ['false'], ['null'], ['"true"'], ['1'])],
    ['zonee', word('a')],
    ['node', fc.oneof(scalarTokens, listTokens(fc.constant([])))],
  ]
  const right = fc.tuple(
    ...fields.slice(0, 2).map(([name, value]) => fc.tuple(word(name), value)),
    fc.tuple(word('namespace'), stringTokens(fc.string({ minLength: 1 }))),
  )
  const wild = fc.array(fc.oneof(...fields.map(([name, value]) => fc.tuple(word(name), value))), { maxLength: 5 })
  const item = fc.oneof({ weight: 8, arbitrary: mappingTokens(right) }, mappingTokens(wild), scalarTokens)
  const entries = fc.oneof({ weight: 9, arbitrary: listTokens(fc.array(item, { maxLength: 3 })) }, scalarTokens)
  const key = fc.oneof({ weight: 9, arbitrary: word('entries') }, word('entrys'))
  const mostlyRight = fc.tuple(word('entries'), listTokens(fc.array(mappingTokens(right), { maxLength: 2 }))).map((entry) => [entry])
  const file = mappingTokens(fc.oneof(mostlyRight, fc.array(fc.tuple(key, entries), { maxLength: 2 })))
  const found = { right: 0, wrong: 0 }
  fc.assert(
    fc.property(renderJson(file), (text) => {
      if (parseJson(text) === undefined) return
      // A comment, which JSON does not know, leaves the whole to YAML.
      const [json, yaml] = [text, `${text}\n# YAML`].map((one) => parseInventory(one, { ZONE: 'z1' }))
      if (JSON.stringify(json) !== JSON.stringify(yaml)) throw new Error(`${JSON.stringify(json)}\n${JSON.stringify(yaml)}`)
      found[json?.mistakes.length === 0 ? 'right' : 'wrong']++
    }),
    { numRuns: 3_000 },
  )
  t.ok(found.right > 300 && found.wrong > 300, `${found.right} right ones, ${found.wrong} wrong ones`)
})
