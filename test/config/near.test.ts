import t from 'tap'
import { distanceOf, nearest } from '../../src/config/near.js'

t.test('distanceOf', async (t) => {
  const cases = [
    { name: 'equal', a: 'zone', b: 'zone', distance: 0 },
    { name: 'a letter too many', a: 'intervall', b: 'interval', distance: 1 },
    { name: 'a letter missing', a: 'serie', b: 'series', distance: 1 },
    { name: 'another letter', a: 'zome', b: 'zone', distance: 1 },
    { name: 'neighbours swapped', a: 'zoen', b: 'zone', distance: 1 },
    { name: 'nothing in common', a: 'abc', b: 'xyz', distance: 3 },
    { name: 'from nothing', a: '', b: 'zone', distance: 4 },
    { name: 'to nothing', a: 'zone', b: '', distance: 4 },
  ]
  for (const { name, a, b, distance } of cases) t.equal(distanceOf(a, b), distance, name)
})

t.test('nearest', async (t) => {
  const words = ['interval', 'maxPairs', 'ownership', 'table', 'config.file', 'state.dir']
  const cases = [
    { name: 'a typing mistake', word: 'intervall', found: 'interval' },
    { name: 'written with an underscore', word: 'max_pairs', found: 'maxPairs' },
    { name: 'another case', word: 'MAXPAIRS', found: 'maxPairs' },
    { name: 'a part of the word', word: 'config', found: 'config.file' },
    { name: 'too short a part', word: 'dir', found: undefined },
    { name: 'nothing like it', word: 'kubernetes', found: undefined },
  ]
  for (const { name, word, found } of cases) t.equal(nearest(word, words), found, name)
})
