// The push of a node with as many series as are promised: eighty seconds of a core.
import t from 'tap'
import { holdThroughOutage } from '../exporters/datadog/outage.js'

t.setTimeout(900_000)

t.test('100,000 series, the intake down for ten minutes, hanging and resetting, and two kills', async (t) => {
  await holdThroughOutage(t, { series: 100_000, counted: [0, 7, 14] })
})
