import t from 'tap'
import { createState, DATADOG_STATE, ROWS_PER_LINE, renderState } from '../../../src/exporters/datadog/state.js'
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
