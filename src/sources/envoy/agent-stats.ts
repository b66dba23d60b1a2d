// What a pilot-agent says at port 15020 (prefix istio_agent_ since 1.10), behind what its Envoy and its application say:
//   istio_agent_process_start_time_seconds 1.79523991e+09
//   istio_agent_istiod_connection_failures 1
//   istio_agent_istiod_connection_terminations{type="error"} 2
import { parseSamplesInTurns } from '../../formats/prometheus-samples.js'

export interface AgentStats {
  /** Whole seconds, rounded down. */
  readonly startedMs: number | undefined
  /** Running totals; those that it does not say never were. */
  readonly failures: number
  readonly terminations: number
}

const STARTED = 'istio_agent_process_start_time_seconds'
const FAILURES = 'istio_agent_istiod_connection_failures'
const TERMINATIONS = 'istio_agent_istiod_connection_terminations'
const OURS = 'istio_agent_'

/** Nothing that Envoy says is wanted of it: that is asked elsewhere, and more often. */
export const NOTHING_OF_ENVOY = '^$'

/** Throws where it is no pilot-agent that answers. */
export async function parseAgentStats(text: string): Promise<AgentStats> {
  let isAgent = false
  // What of it could not be understood is most likely the application's.
  const { samples } = await parseSamplesInTurns(text, (name) => {
    isAgent ||= name.startsWith(OURS)
    return [STARTED, FAILURES, TERMINATIONS].includes(name.replace(/_total$/, ''))
  })
  if (!isAgent) throw new Error('it is no pilot-agent')
  const sumOf = (wanted: string): number =>
    samples
      .filter(({ name, value }) => name.replace(/_total$/, '') === wanted && value >= 0 && Number.isFinite(value))
      .reduce((sum, { value }) => sum + value, 0)
  const started = sumOf(STARTED)
  return {
    startedMs: started > 0 ? Math.floor(started) * 1000 : undefined,
    failures: sumOf(FAILURES),
    terminations: sumOf(TERMINATIONS),
  }
}
