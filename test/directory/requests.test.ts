import t from 'tap'
import { parseWatch, parseWish } from '../../src/directory/requests.js'

const body = (fields: object): string => JSON.stringify(fields)
const MANY = Array.from({ length: 100_001 }, (_, index) => String(index))

t.test('what a watch asks for', async (t) => {
  const cases = [
    {
      name: 'the first one of a node',
      text: body({ node: 'n1', addresses: ['10.0.0.1'], instance: '', revision: 0 }),
      asks: { node: 'n1', addresses: ['10.0.0.1'], instance: '', revision: 0 },
    },
    {
      name: 'one that goes on',
      text: body({ node: 'n1', addresses: [], instance: 'f3a0', revision: 42 }),
      asks: { node: 'n1', addresses: [], instance: 'f3a0', revision: 42 },
    },
    { name: 'the least', text: body({ node: 'n1', addresses: [] }), asks: { node: 'n1', addresses: [], instance: '', revision: 0 } },
    {
      name: 'of a later version',
      text: body({ node: 'n1', addresses: ['::1', 7, null], more: { a: 1 } }),
      asks: { node: 'n1', addresses: ['::1'], instance: '', revision: 0 },
    },
  ]
  for (const { name, text, asks } of cases) t.same(parseWatch(text), asks, name)
})

t.test('what an open watch is asked for', async (t) => {
  const cases = [
    { name: 'more', text: body({ session: 's', add: ['10.0.0.1'] }), wish: { session: 's', add: ['10.0.0.1'], drop: [] } },
    { name: 'less', text: body({ session: 's', drop: ['10.0.0.1'], x: 1 }), wish: { session: 's', add: [], drop: ['10.0.0.1'] } },
  ]
  for (const { name, text, wish } of cases) t.same(parseWish(text), wish, name)
})

t.test('what is not understood', async (t) => {
  const cases = [
    { name: 'nothing', parse: parseWatch, text: '', says: /^the body is no JSON: / },
    { name: 'half of it', parse: parseWish, text: '{"session": ', says: /^the body is no JSON: / },
    { name: 'a list', parse: parseWatch, text: '[]', says: /^the body is no JSON object$/ },
    { name: 'null', parse: parseWish, text: 'null', says: /^the body is no JSON object$/ },
    {
      name: 'no node',
      parse: parseWatch,
      text: body({ addresses: [] }),
      says: /^node is missing; expected the name of the node that asks$/,
    },
    { name: 'a nameless node', parse: parseWatch, text: body({ node: '', addresses: [] }), says: /^node is ""; expected the name/ },
    { name: 'no addresses', parse: parseWatch, text: body({ node: 'n1' }), says: /^addresses is missing; expected a list of addresses$/ },
    { name: 'one address', parse: parseWatch, text: body({ node: 'n1', addresses: '::1' }), says: /^addresses is "::1"; expected a list/ },
    {
      name: 'a wrong revision',
      parse: parseWatch,
      text: body({ node: 'n1', addresses: [], revision: -1 }),
      says: /^revision is -1; expected/,
    },
    {
      name: 'a wrong instance',
      parse: parseWatch,
      text: body({ node: 'n1', addresses: [], instance: 7 }),
      says: /^instance is 7; expected that of the watch before, or an empty text$/,
    },
    {
      name: 'no session',
      parse: parseWish,
      text: body({ add: [] }),
      says: /^session is missing; expected that of the first line of a watch$/,
    },
    { name: 'wrong ones to drop', parse: parseWish, text: body({ session: 's', drop: {} }), says: /^drop is \{\}; expected a list/ },
    {
      name: 'too many',
      parse: parseWatch,
      text: body({ node: 'n1', addresses: MANY }),
      says: /^more than 100000 addresses on one watch; drop some first$/,
    },
  ]
  for (const { name, parse, text, says } of cases) t.throws(() => parse(text), { name: 'WrongRequest', message: says }, name)
})
