import t from 'tap'
import { timeMsOf } from '../../src/formats/raw.js'

t.test('timeMsOf', async (t) => {
  const cases = [
    { name: 'as the API server writes it', value: '2026-03-02T08:15:30Z', ms: Date.UTC(2026, 2, 2, 8, 15, 30) },
    { name: 'with microseconds', value: '2026-03-02T08:15:30.250000Z', ms: Date.UTC(2026, 2, 2, 8, 15, 30, 250) },
    { name: 'with an offset', value: '2026-03-02T10:15:30+02:00', ms: Date.UTC(2026, 2, 2, 8, 15, 30) },
    { name: "Go's zero time", value: '0001-01-01T00:00:00Z', ms: undefined },
    { name: "a runtime's zero time", value: '1970-01-01T00:00:00Z', ms: undefined },
    { name: 'null, for a time that is not known', value: null, ms: undefined },
    { name: 'a thirteenth month', value: '2026-13-02T08:15:30Z', ms: undefined },
    { name: 'a date', value: '2026-03-02', ms: undefined },
    { name: 'local time', value: '2026-03-02T08:15:30', ms: undefined },
    { name: 'a number', value: 1772439330000, ms: undefined },
  ]
  for (const { name, value, ms } of cases) t.equal(timeMsOf(value), ms, name)
})
