// Lines of Envoy's access log as Istio has it by default (pilot/pkg/model/telemetry_logging.go), the same from 1.9 on, that tell of a request, or
// a connection, which failed upstream:
//   [2026-11-22T03:04:05.678Z] "GET /cart HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{...} - "delayed_connect_error:_111" 0 152 14 - "-" "curl/8" "8c5f..." "cart:80" "10.1.2.2:80" outbound|80||cart.shop.svc.cluster.local - 10.96.0.7:80 10.1.1.2:41544 - default
//   {"start_time":"2026-11-22T03:04:05.678Z","duration":14,"response_flags":"UF,URX","upstream_host":"10.1.2.2:80","upstream_cluster":"outbound|80||cart.shop.svc.cluster.local",...}
// Callers write what they like into some fields of the text (path, agent, host), quotes among it: it is read from both ends, and only where it can
// be read in one way.
import { fieldsOf, type Raw, textOf } from './raw.js'

/** Times in milliseconds since 1970: when it began, and when it had failed. */
export interface FailedUpstream {
  readonly fromMs: number
  readonly toMs: number
  /** As Envoy writes them: `UF,URX`. */
  readonly flags: string
  /** Without its port; undefined where no host was chosen. */
  readonly address: string | undefined
}

/**
 * What lines of such requests have, and few others. They begin with a letter that is rare there, or are long: so they are found at the speed of
 * memory. A method is PUT, hence more words for timeouts.
 */
export const TELLING: readonly string[] = [
  ...['UF', 'UC', 'UH', 'UR', 'URX'].flatMap((flag) => [`${flag} `, `${flag},`, `${flag}"`]),
  ...['UT upstream_', 'UT response_', 'UT,UR', 'response_flags":"UT'],
]

/** Upstream connection failure, its termination, no healthy upstream, retries used up, upstream reset, upstream timeout. */
const FAILED = new Set(['UF', 'UC', 'UH', 'URX', 'UR', 'UT'])
const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`
const BEGINNING = new RegExp(`^\\[(${TIME})\\] "`)
const JSON_TIME = new RegExp(`^${TIME}$`)
/** From the end of what was asked for to how long it took. Looked for ahead, so that none is hidden within another. */
const MIDDLE = /" (?=(?:\d{1,3}|-) (-|[A-Z0-9]{2,6}(?:,[A-Z0-9]{2,6}){0,7}) [^"]*"[^"]*" \d{1,19} \d{1,19} (\d{1,15}) [^" ]+ ")/g
/** What comes behind the last of the fields that callers write. */
const END = /" "([^" ]+)" ([^" ]+) [^" ]+ [^" ]+ [^" ]+ [^" ]+ [^" ]+$/
/** What it begins with: a server's name, near its end, is a caller's as well. */
const LIKE_END = /" "(?=[^" ]+" [^" ]+ [^" ]+ [^" ]+ [^" ]+ )/g
const FLAGS = /^[A-Z0-9]{2,6}(,[A-Z0-9]{2,6}){0,7}$/
const HOST = /^(?:envoy:\/\/[\w.-]+\/)?(?:\[([0-9a-f:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3})):\d{1,5}$/
/** The proxy of the one who is called: what it sees is told by the caller's as well. */
const INBOUND = /^(?:inbound\||InboundPassthroughCluster)/

interface Fields {
  readonly time: string
  readonly duration: number
  readonly flags: string
  readonly host: string
  readonly cluster: string
}

/**
 * `undefined`: it tells of no such request, or is not of the access log. `malformed`: it looks like one of it, and cannot be understood, or in
 * more than one way.
 */
export function parseAccessLogLine(line: string): FailedUpstream | undefined | 'malformed' {
  const fields = line.startsWith('{') ? jsonFieldsOf(line) : textFieldsOf(line)
  if (!fields || fields === 'malformed') return fields
  const { time, duration, flags, host, cluster } = fields
  if (!flags.split(',').some((flag) => FAILED.has(flag)) || INBOUND.test(cluster)) return undefined
  const fromMs = Date.parse(time)
  const [, six, four] = HOST.exec(host) ?? []
  return Number.isNaN(fromMs) ? 'malformed' : { fromMs, toMs: fromMs + duration, flags, address: six ?? four }
}

function textFieldsOf(line: string): Fields | undefined | 'malformed' {
  const [, time] = BEGINNING.exec(line) ?? []
  if (time === undefined) return undefined
  const [middle, another] = line.matchAll(MIDDLE)
  const [, anotherEnd] = line.matchAll(LIKE_END)
  const [, host, cluster] = END.exec(line) ?? []
  if (!middle || another || anotherEnd || host === undefined || cluster === undefined) return 'malformed'
  const [, flags = '', duration] = middle
  return { time, duration: Number(duration), flags, host, cluster }
}

/** Whatever else a container writes as JSON has other fields. */
function jsonFieldsOf(line: string): Fields | undefined | 'malformed' {
  const raw = parseJson(line)
  if (!raw) return 'malformed'
  if (!('response_flags' in raw && 'upstream_host' in raw)) return undefined
  const { start_time, response_flags, upstream_host, upstream_cluster } = raw
  const [time, flags, duration] = [textOf(start_time), textOf(response_flags), Number(raw['duration'])]
  if (flags === '' || flags === '-') return undefined
  if (!JSON_TIME.test(time) || !FLAGS.test(flags) || !(duration >= 0 && Number.isSafeInteger(duration))) return 'malformed'
  return { time, duration, flags, host: textOf(upstream_host), cluster: textOf(upstream_cluster) }
}

function parseJson(text: string): Raw | undefined {
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    return undefined
  }
}
