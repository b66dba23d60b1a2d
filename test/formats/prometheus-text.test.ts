import t from 'tap'
import { createPrometheusText, type Format, renderValue } from '../../src/formats/prometheus-text.js'
import type { Family, FamilySnapshot } from '../../src/model.js'

const BYTES: Family = { name: 'x_bytes_total', kind: 'counter', labels: ['src', 'dst'], help: 'Bytes "sent" by a \\ or\nb.' }
const PAIRS: Family = { name: 'x_pairs', kind: 'gauge', labels: [], help: 'Pairs held.' }

const render = (families: readonly FamilySnapshot[], format: Format): string =>
  [...createPrometheusText({ created: true }).renderChunks(families, format)].join('')

t.test('one rendering of everything', async (t) => {
  const families = [
    {
      family: BYTES,
      series: [
        { labels: { src: 'a', dst: 'b' }, value: 2 ** 53 - 1, sinceMs: 1700000000123 },
        { labels: { src: 'a\\b "c"\nd', dst: 'zone-ü' }, value: 0 },
      ],
    },
    { family: { ...BYTES, name: 'x_unseen_bytes_total' }, series: [] },
    { family: PAIRS, series: [{ labels: {}, value: 12.5, sinceMs: 1700000000000 }] },
  ]
  const text = [
    '# HELP x_bytes_total Bytes "sent" by a \\\\ or\\nb.',
    '# TYPE x_bytes_total counter',
    'x_bytes_total{src="a",dst="b"} 9007199254740991',
    'x_bytes_total{src="a\\\\b \\"c\\"\\nd",dst="zone-ü"} 0',
    '# HELP x_pairs Pairs held.',
    '# TYPE x_pairs gauge',
    'x_pairs 12.5',
    '',
  ]
  const openmetrics = [
    '# HELP x_bytes Bytes \\"sent\\" by a \\\\ or\\nb.',
    '# TYPE x_bytes counter',
    'x_bytes_total{src="a",dst="b"} 9007199254740991',
    'x_bytes_created{src="a",dst="b"} 1700000000.123',
    'x_bytes_total{src="a\\\\b \\"c\\"\\nd",dst="zone-ü"} 0',
    '# HELP x_pairs Pairs held.',
    '# TYPE x_pairs gauge',
    'x_pairs 12.5',
    '# EOF',
    '',
  ]
  t.equal(render(families, 'text'), text.join('\n'), 'text 0.0.4: families without series are left out, _created is not known')
  t.equal(render(families, 'openmetrics'), openmetrics.join('\n'), 'OpenMetrics 1.0')
  const plain = [...createPrometheusText().renderChunks(families, 'openmetrics')].join('')
  t.equal(
    plain,
    openmetrics.filter((line) => !line.includes('_created')).join('\n'),
    'OpenMetrics without what an older Prometheus would store',
  )
  t.equal(render([], 'text'), '', 'nothing to say in text')
  t.equal(render([], 'openmetrics'), '# EOF\n', 'nothing to say in OpenMetrics')
})

t.test('a histogram', async (t) => {
  const family: Family = { name: 'x_debounce_seconds', kind: 'histogram', labels: ['at'], help: 'Time.' }
  const buckets = [
    { le: 0.5, count: 2 },
    { le: 1, count: 5 },
    { le: Number.POSITIVE_INFINITY, count: 6 },
  ]
  const one = { value: 6, sinceMs: 1700000000123, histogram: { sum: 4.25, buckets } }
  const cases = [
    {
      name: 'with labels',
      labels: { at: 'a"b' },
      lines: [
        'x_debounce_seconds_bucket{at="a\\"b",le="0.5"} 2',
        'x_debounce_seconds_bucket{at="a\\"b",le="1"} 5',
        'x_debounce_seconds_bucket{at="a\\"b",le="+Inf"} 6',
        'x_debounce_seconds_sum{at="a\\"b"} 4.25',
        'x_debounce_seconds_count{at="a\\"b"} 6',
      ],
    },
    {
      name: 'without labels',
      labels: {},
      lines: [
        'x_debounce_seconds_bucket{le="0.5"} 2',
        'x_debounce_seconds_bucket{le="1"} 5',
        'x_debounce_seconds_bucket{le="+Inf"} 6',
        'x_debounce_seconds_sum 4.25',
        'x_debounce_seconds_count 6',
      ],
    },
  ]
  for (const { name, labels, lines } of cases) {
    const families = [{ family, series: [{ ...one, labels }] }]
    const head = ['# HELP x_debounce_seconds Time.', '# TYPE x_debounce_seconds histogram']
    t.equal(render(families, 'text'), [...head, ...lines, ''].join('\n'), `${name}, in text`)
    const created = lines.at(-1)?.replace('_count', '_created').replace(/ 6$/, ' 1700000000.123')
    const open = lines.map((line) => line.replace('le="1"', 'le="1.0"'))
    t.equal(render(families, 'openmetrics'), [...head, ...open, created, '# EOF', ''].join('\n'), `${name}, in OpenMetrics`)
  }
  const [, , ...lines] = render([{ family, series: [{ labels: {}, value: 0 }] }], 'text').split('\n')
  t.same(lines, ['x_debounce_seconds_bucket{le="+Inf"} 0', 'x_debounce_seconds_sum 0', 'x_debounce_seconds_count 0', ''], 'of nothing')
})

t.test('escaping of label values', async (t) => {
  const cases = [
    { name: 'nothing to escape', value: 'us-east-1a', text: 'us-east-1a' },
    { name: 'empty', value: '', text: '' },
    { name: 'a quote', value: 'a"b', text: 'a\\"b' },
    { name: 'a backslash', value: 'a\\b', text: 'a\\\\b' },
    { name: 'a line feed', value: 'a\nb', text: 'a\\nb' },
    { name: 'a backslash before an n is not a line feed', value: 'a\\nb', text: 'a\\\\nb' },
    { name: 'a backslash before a quote', value: '\\"', text: '\\\\\\"' },
    { name: 'beyond ASCII', value: 'größe 大', text: 'größe 大' },
    { name: 'a brace and a comma', value: '},{', text: '},{' },
  ]
  const sample = (value: string): string =>
    render([{ family: PAIRS, series: [{ labels: { at: value }, value: 1 }] }], 'text').split('\n')[2] ?? ''
  for (const { name, value, text } of cases) t.equal(sample(value), `x_pairs{at="${text}"} 1`, name)
})

t.test('values', async (t) => {
  const cases = [
    { name: 'zero', value: 0, text: '0' },
    { name: 'negative zero', value: -0, text: '0' },
    { name: 'the largest exact integer', value: Number.MAX_SAFE_INTEGER, text: '9007199254740991' },
    { name: 'a hundred petabytes, no exponent', value: 1e17, text: '100000000000000000' },
    { name: 'a fraction', value: 0.1, text: '0.1' },
    { name: 'a tiny fraction', value: 1e-9, text: '1e-9' },
    { name: 'negative', value: -3, text: '-3' },
    { name: 'not a number', value: Number.NaN, text: 'NaN' },
    { name: 'infinite', value: Number.POSITIVE_INFINITY, text: '+Inf' },
    { name: 'infinite below zero', value: Number.NEGATIVE_INFINITY, text: '-Inf' },
  ]
  for (const { name, value, text } of cases) t.equal(renderValue(value), text, name)
})

t.test('many series come in pieces that end at a line, and a second rendering shows new values', async (t) => {
  const series = Array.from({ length: 5000 }, (_, i) => ({ labels: { src: `owner-${i}`, dst: 'b' }, value: i }))
  const { renderChunks } = createPrometheusText()
  const pieces = [...renderChunks([{ family: BYTES, series }], 'text')]
  t.ok(pieces.length > 2, `${pieces.length} pieces`)
  for (const piece of pieces) t.ok(piece.endsWith('\n') && piece.length < 66 * 1024, 'a whole number of lines')
  t.equal(pieces.join('').split('\n').length, 5003, 'nothing lost between pieces')
  for (const one of series) one.value += 1
  const again = [...renderChunks([{ family: BYTES, series }], 'text')].join('')
  t.match(again, '\nx_bytes_total{src="owner-4999",dst="b"} 5000\n', 'kept label text, new value')
})
