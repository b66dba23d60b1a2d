import t from 'tap'
import { fail, ok, warn } from '../../../src/cli/check/finding.js'
import { renderFindings } from '../../../src/cli/check/render.js'

const configuration = { name: 'configuration', ...ok('meshtoll.yaml, 14 options set') }
const state = { name: 'state', ...fail('/var/lib/meshtoll is read-only', 'mount a writable directory or set --state.dir') }
const seen = { name: 'not seen here', ...warn('Cilium is here', 'read coverage', 'as a lower bound') }

t.test('a line each, the remedy under it, the verdict last', async (t) => {
  t.equal(
    renderFindings([configuration, seen, state], false),
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

t.test('the verdict', async (t) => {
  const cases = [
    { name: 'all well', findings: [configuration], verdict: 'no failures, no warnings' },
    { name: 'warnings', findings: [configuration, seen, seen], verdict: '2 warnings' },
    { name: 'failures', findings: [state, state], verdict: '2 failures' },
  ]
  for (const { name, findings, verdict } of cases) t.equal(renderFindings(findings, false).trimEnd().split('\n').at(-1), verdict, name)
})

t.test('colours', async (t) => {
  t.ok(renderFindings([state], true).startsWith('\u001b[31mfail\u001b[0m  state  '))
  t.notOk(renderFindings([state], false).includes('\u001b'))
})
