// What a pilot-agent says at port 15020 (prefix istio_agent_ since 1.10), behind what its Envoy and its application say:
//   istio_agent_process_start_time_seconds 1.79523991e+09
//   istio_agent_istiod_connection_failures 1
//   istio_agent_istiod_connection_terminations{type="error"} 2
import { isCount, readSamplesInPieces } from '../../formats/prometheus-samples.js'

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

/** Rejects where it is no pilot-agent that answers. */
export async function readAgentStats(pieces: AsyncIterable<string>): Promise<AgentStats> {
  let isAgent = false
  const sums = new Map([STARTED, FAILURES, TERMINATIONS].map((name) => [name, 0]))
  // What of it could not be understood is most likely the application's.
  await readSamplesInPieces(
    pieces,
    (name) => {
      isAgent ||= name.startsWith(OURS)
      return sums.has(familyOf(name))
    },
    (name, _, value) => {
      const family = familyOf(name)
      const sum = (sums.get(family) ?? 0) + value
      if (!isCount(value) || !isCount(sum)) return false
      sums.set(family, sum)
      return true
    },
  )
  if (!isAgent) throw new Error('it is no pilot-agent')
  const [started = 0, failures = 0, terminations = 0] = sums.values()
  return { startedMs: started > 0 ? Math.floor(started) * 1000 : undefined, failures, terminations }
}

const familyOf = (name: string): string => name.replace(/_total$/, '')
