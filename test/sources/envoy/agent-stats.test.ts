import t from 'tap'
import { readAgentStats } from '../../../src/sources/envoy/agent-stats.js'
import { piecesOf } from '../mesh.js'

const readText = (text: string) => readAgentStats(piecesOf(text))

const AGENT = `# TYPE istio_agent_istiod_connection_failures counter
istio_agent_istiod_connection_failures 3
istio_agent_istiod_connection_terminations{type="cancelled"} 1
istio_agent_istiod_connection_terminations{type="error"} 4
istio_agent_process_start_time_seconds 1.79523991967e+09
istio_agent_startup_duration_seconds 2.1
`
const APPLICATION = `{"a.b"} nonsense
http_requests_total{code="200"} 5 # {trace="1"} 1
# EOF
`

t.test('what a pilot-agent says', async (t) => {
  const all = { startedMs: 1_795_239_919_000, failures: 3, terminations: 5 }
  const cases = [
    { name: 'alone', text: AGENT, found: all },
    { name: 'among others', text: `envoy_server_live 1\n${APPLICATION}${AGENT}`, found: all },
    {
      name: 'before anything happened',
      text: 'istio_agent_scrapes_total 1\n',
      found: { startedMs: undefined, failures: 0, terminations: 0 },
    },
    { name: 'as OpenMetrics', text: AGENT.replace(/(failures|terminations)( |\{)/g, '$1_total$2'), found: all },
    { name: 'no number', text: AGENT.replace(' 3', ' NaN'), found: { ...all, failures: 0 } },
  ]
  for (const { name, text, found } of cases) t.same(await readText(text), found, name)
  await t.rejects(readText(APPLICATION), { message: 'it is no pilot-agent' })
})
