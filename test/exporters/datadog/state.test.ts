import t from 'tap'
import { apply, createState, DATADOG_STATE, ROWS_PER_LINE, renderState } from '../../../src/exporters/datadog/state.js'
import { createGrowing } from '../../../src/exporters/datadog/windows.js'
import { renderLine } from '../../../src/state/lines.js'

t.test('a journal is read in turns, a window that is read as one no less', async (t) => {
  const points = createGrowing()
  for (let id = 1; id <= ROWS_PER_LINE * 30; id++) points.add(id, id)
  const window = { fromMs: 0, toMs: 30_000, ...points.points() }
  const rows = [...window.ids.keys()].map((at) => [window.ids[at], window.values[at]])
  const checkpoint = [...renderState(createState())]
  const lines = [
    ...checkpoint,
    ...Array.from({ length: 30 }, (_, at) => renderLine({ rows: rows.slice(at * ROWS_PER_LINE, (at + 1) * ROWS_PER_LINE) })),
    renderLine({ took: { fromMs: 0, toMs: 30_000 } }),
  ]
  let pauses = 0
  const { state } = await DATADOG_STATE.parse(Buffer.from(lines.join('')), async () => void pauses++)
  t.same(state?.windows, [window])
  t.equal(pauses, lines.length + 30, 'between two that are read, and between two that are taken')
})

t.test('when a window began, by the clock that never jumps, is known after all was written anew', async (t) => {
  const state = createState()
  apply(state, { rows: [[1, 100]] })
  apply(state, { took: { fromMs: 0, toMs: 30_000, began: ['boot-1', 5_000], ended: ['boot-1', 35_000] } })
  apply(state, { batch: { windows: 1, stamp: 30, interval: 30 } })
  apply(state, { rows: [[1, 7]] })
  apply(state, { took: { fromMs: 30_000, toMs: 60_000, began: ['boot-1', 35_000], ended: ['boot-1', 65_000] } })
  for (let times = 0, again = state; times < 2; times++) {
    const parsed = await DATADOG_STATE.parse(Buffer.from([...renderState(again)].join('')), async () => undefined)
    again = parsed.state ?? createState()
    t.same([again.batch?.began, again.windows.map(({ began }) => began)], [['boot-1', 5_000], [['boot-1', 35_000]]])
    t.same(again.taken, ['boot-1', 65_000])
  }
})
