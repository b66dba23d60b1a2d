import t from 'tap'
import { renderMistakes } from '../../src/config/mistakes.js'

t.test('renderMistakes', async (t) => {
  const cases = [
    { name: 'nothing wrong', places: [], text: '' },
    {
      name: 'a whole file',
      places: [{ where: 'a.yaml', found: [{ text: 'cannot read a.yaml' }] }],
      text: 'meshtoll: cannot read a.yaml\n',
    },
    {
      name: 'one with a position',
      places: [{ where: 'a.yaml', found: [{ at: { line: 1, column: 2 }, text: 'x' }] }],
      text: 'meshtoll: a.yaml has 1 mistake\n  1:2  x\n',
    },
    {
      name: 'several, out of order',
      places: [
        {
          where: 'a.yaml',
          found: [
            { at: { line: 10, column: 1 }, text: 'last' },
            { at: { line: 2, column: 11 }, text: 'second' },
            { at: { line: 2, column: 3 }, text: 'first' },
          ],
        },
      ],
      text: 'meshtoll: a.yaml has 3 mistakes\n  2:3   first\n  2:11  second\n  10:1  last\n',
    },
    {
      name: 'without positions',
      places: [{ where: 'the command line', found: [{ text: 'x' }, { text: 'y' }] }],
      text: 'meshtoll: the command line has 2 mistakes\n  x\n  y\n',
    },
  ]
  for (const { name, places, text } of cases) t.equal(renderMistakes(places), text, name)
})

t.test('some of many mistakes', async (t) => {
  const found = Array.from({ length: 200_000 }, (_, index) => ({ at: { line: 200_000 - index, column: 1 }, text: 'x' }))
  const places = [{ where: 'a.yaml', found }]
  t.equal(renderMistakes(places, { most: 2 }), 'meshtoll: a.yaml has 200000 mistakes\n  1:1  x\n  2:1  x\n  and 199998 more\n')
  t.equal(renderMistakes(places).split('\n').length, 200_002, 'or all of them')
  t.equal(
    renderMistakes([{ where: 'a.yaml', found: found.slice(-2) }], { most: 2 }),
    'meshtoll: a.yaml has 2 mistakes\n  1:1  x\n  2:1  x\n',
  )
})
