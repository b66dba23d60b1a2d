import t from 'tap'
import type { Expression } from '../../src/kernel/commands.js'
import { encodeExpression } from '../../src/kernel/expressions.js'
import { attributesOf, textOf } from '../../src/kernel/message.js'

/** Attributes by number, as the headers of the kernel number them; a nested one goes on with `/`. */
function attributes(data: Buffer, nested: readonly string[], prefix = ''): Record<string, string> {
  const entries = [...attributesOf(data)].flatMap(([type, value]) => {
    const path = `${prefix}${type}`
    return nested.includes(path) ? Object.entries(attributes(value, nested, `${path}/`)) : [[path, value.toString('hex')] as const]
  })
  return Object.fromEntries(entries)
}

const zeros = (bytes: number): string => '00'.repeat(bytes)

t.test('expressions as the kernel reads them', async (t) => {
  const cases: { expression: Expression; name: string; nested?: readonly string[]; wanted: Record<string, string> }[] = [
    { expression: { kind: 'meta', key: 'nfproto', register: 1 }, name: 'meta', wanted: { 1: '00000001', 2: '0000000f' } },
    { expression: { kind: 'meta', key: 'oif', register: 9 }, name: 'meta', wanted: { 1: '00000009', 2: '00000005' } },
    {
      expression: { kind: 'compare', register: 1, operator: 'gte', value: Uint8Array.of(224, 0, 0, 0) },
      name: 'cmp',
      nested: ['3'],
      wanted: { 1: '00000001', 2: '00000005', '3/1': 'e0000000' },
    },
    {
      expression: { kind: 'payload', base: 'transport', offset: 2, length: 2, register: 1 },
      name: 'payload',
      wanted: { 1: '00000001', 2: '00000002', 3: '00000002', 4: '00000002' },
    },
    { expression: { kind: 'lookup', set: 's', register: 1 }, name: 'lookup', wanted: { 1: '7300', 2: '00000001' } },
    {
      expression: { kind: 'lookup', set: 's', setId: 7, register: 1, invert: true, verdict: true },
      name: 'lookup',
      wanted: { 1: '7300', 2: '00000001', 3: '00000000', 4: '00000007', 5: '00000001' },
    },
    { expression: { kind: 'update', set: 's', register: 1 }, name: 'dynset', wanted: { 1: '7300', 3: '00000001', 4: '00000001' } },
    {
      expression: { kind: 'update', set: 's', setId: 3, register: 2 },
      name: 'dynset',
      wanted: { 1: '7300', 2: '00000003', 3: '00000001', 4: '00000002' },
    },
    {
      expression: { kind: 'update', set: 's', register: 1, invert: true },
      name: 'dynset',
      wanted: { 1: '7300', 3: '00000001', 4: '00000001', 9: '00000001' },
    },
    { expression: { kind: 'counter', name: 'c' }, name: 'objref', wanted: { 1: '00000001', 2: '6300' } },
    {
      expression: { kind: 'hash', source: 2, length: 8, register: 1, modulus: 16, seed: 0x6d657368 },
      name: 'hash',
      wanted: { 1: '00000002', 2: '00000001', 3: '00000008', 4: '00000010', 5: '6d657368', 7: '00000000' },
    },
    {
      expression: { kind: 'fib', address: 'daddr', result: 'type', register: 1 },
      name: 'fib',
      wanted: { 1: '00000001', 2: '00000003', 3: '00000002' },
    },
    { expression: { kind: 'ct', key: 'status', register: 1 }, name: 'ct', wanted: { 1: '00000001', 2: '00000002' } },
    {
      expression: { kind: 'ct', key: 'dst_ip6', direction: 'reply', register: 1 },
      name: 'ct',
      wanted: { 1: '00000001', 2: '00000016', 3: '01' },
    },
    {
      expression: { kind: 'bitwise', register: 1, mask: Uint8Array.of(0x10, 0, 0, 0) },
      name: 'bitwise',
      nested: ['4', '5'],
      wanted: { 1: '00000001', 2: '00000001', 3: '00000004', '4/1': '10000000', '5/1': zeros(4) },
    },
    { expression: { kind: 'accept' }, name: 'immediate', nested: ['2', '2/2'], wanted: { 1: zeros(4), '2/2/1': '00000001' } },
    { expression: { kind: 'return' }, name: 'immediate', nested: ['2', '2/2'], wanted: { 1: zeros(4), '2/2/1': 'fffffffb' } },
    {
      expression: { kind: 'jump', chain: 'c' },
      name: 'immediate',
      nested: ['2', '2/2'],
      wanted: { 1: zeros(4), '2/2/1': 'fffffffd', '2/2/2': '6300' },
    },
    {
      expression: { kind: 'goto', chain: 'c' },
      name: 'immediate',
      nested: ['2', '2/2'],
      wanted: { 1: zeros(4), '2/2/1': 'fffffffc', '2/2/2': '6300' },
    },
  ]
  for (const { expression, name, nested = [], wanted } of cases) {
    const element = attributesOf(attributesOf(encodeExpression(expression)).get(1))
    t.equal(textOf(element.get(1)), name)
    t.same(attributes(element.get(2) ?? Buffer.alloc(0), nested), wanted, JSON.stringify(expression))
  }
})
