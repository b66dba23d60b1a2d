import t from 'tap'
import { fail, ok, warn } from '../../../src/cli/check/finding.js'
import { renderFindings } from '../../../src/cli/check/render.js'

const configuration = { name: 'configuration', ...ok('meshtoll.yaml, 14 options set') }
const state = { name: 'state', ...fail('/var/lib/meshtoll is read-only', 'mount a writable directory or set --state.dir') }
const seen = { name: 'not seen here', ...warn('Cilium is here', 'read coverage', 'as a lower bound') }
const FILE = { columns: 0, hasColors: false }

t.test('a line each, the remedy under it, the verdict last', async (t) => {
  t.equal(
    renderFindings([configuration, seen, state], FILE),
    `ok    configuration  meshtoll.yaml, 14 options set
warn  not seen here  Cilium is here
        read coverage
        as a lower bound
fail  state          /var/lib/meshtoll is read-only
        mount a writable directory or set --state.dir
1 failure, 1 warning
`,
  )
})

t.test('on a terminal words stay whole', async (t) => {
  const says = `${'abc '.repeat(20)}end`
  const findings = [
    { name: 'table', ...ok(says) },
    { name: 'configuration', ...fail('has mistakes', `  12:3  ${says}`) },
  ]
  t.equal(
    renderFindings(findings, { columns: 200, hasColors: false }),
    `ok    table          abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc
                     abc abc abc abc abc end
fail  configuration  has mistakes
          12:3  abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc
                abc abc abc abc end
1 failure
`,
  )
  const narrow = renderFindings(findings, { columns: 40, hasColors: false })
  for (const line of narrow.split('\n')) t.ok(line.length <= 40, line)
})

t.test('the verdict', async (t) => {
  const cases = [
    { name: 'all well', findings: [configuration], verdict: 'no failures, no warnings' },
    { name: 'warnings', findings: [configuration, seen, seen], verdict: '2 warnings' },
    { name: 'failures', findings: [state, state], verdict: '2 failures' },
  ]
  for (const { name, findings, verdict } of cases) t.equal(renderFindings(findings, FILE).trimEnd().split('\n').at(-1), verdict, name)
})

t.test('colours', async (t) => {
  t.ok(renderFindings([state], { columns: 0, hasColors: true }).startsWith('\u001b[31mfail\u001b[0m  state  '))
  t.notOk(renderFindings([state], FILE).includes('\u001b'))
})
