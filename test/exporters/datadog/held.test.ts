import t from 'tap'
import { createHeld, type HeldTotals } from '../../../src/exporters/datadog/held.js'
import { createMoved, type Moved } from '../../../src/exporters/datadog/marks.js'
import type { Target } from '../../../src/exporters/datadog/targets.js'

const target = (metric: string, name = 'meshtoll_flow_bytes_total'): Target => ({
  ...{ key: metric, metric, labels: {}, value: 0, sum: 0, within: new Map(), turn: 0, count: 0, other: undefined, sentAs: undefined },
  family: { name, kind: 'counter', labels: [], help: 'Help.' },
})

function movedOf(rows: readonly (readonly [key: string, came: number, of: Target])[]): Moved {
  const moved = createMoved()
  for (const [key, came, of] of rows) moved.add(key, { value: came, sinceMs: 1 }, { came, target: of })
  return moved
}

function hold(held: HeldTotals, moved: Moved): void {
  for (const _ of held.hold(moved));
}

t.test('totals that are gone wait, as many as there is room for; bytes of the others are counted', async (t) => {
  const held = createHeld(2)
  const rows = [
    ['a', 1, target('m.a')],
    ['b', 2, target('m.b')],
    ['c', 3, target('m.c')],
    ['d', 4, target('m.c')],
    ['e', 5, target('m.e', 'meshtoll_pilot_pushes_total')],
  ] as const
  held.begin()
  hold(held, movedOf(rows))
  t.equal(held.lost.size, 0, 'all were there')
  held.begin()
  t.equal(held.see('d')?.came, 4)
  t.same(
    [...held.unseen()].map(([key]) => key),
    ['a', 'b', 'c', 'e'],
  )
  hold(held, movedOf(rows))
  t.same([...held.lost], [['m.c', 3]], 'what is no bytes is not counted')
  held.begin()
  t.same(
    [...held.unseen()].map(([key]) => key),
    ['a', 'b', 'd'],
  )
  held.release()
  t.same([[...held.unseen()], held.lost.size, held.see('a')], [[], 0, undefined])
})
