// What the intake of Datadog takes and what it keeps, and nothing forgiven: it has the limits of the real one (docs.datadoghq.com/api/latest/metrics/
// submit-metrics, the Datadog Agent's payload limits, its naming rules), refuses what the real one would clip, drop or rename without a word, and
// keeps what it keeps: of a series and second the value that came last.
import * as zlib from 'node:zlib'

export interface SentPoint {
  readonly metric: string
  readonly type: number
  readonly interval: number | undefined
  readonly unit: string | undefined
  readonly host: string
  readonly tags: readonly string[]
  readonly timestamp: number
  readonly value: number
}

export interface Judge {
  /** Undefined: taken and kept. */
  take(request: JudgedRequest, body: Buffer): { readonly status: number; readonly why: string } | undefined
  /** What was wrong with requests. */
  readonly problems: readonly string[]
  /** That were kept. */
  readonly bodies: readonly { readonly series: readonly unknown[]; readonly encoding: string; readonly bytes: number }[]
  points(): readonly SentPoint[]
  /** Of counts, what they come to. */
  sum(metric: string, tag?: string): number
}

export interface JudgedRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface JudgeOptions {
  readonly now: () => number
  readonly key?: string
  /** Smaller than the real one, so that a test meets it. */
  readonly maxPoints?: number
}

export const KEY = 'k'.repeat(32)
const MAX_BYTES = 512_000
const MAX_RAW_BYTES = 5_242_880
const MAX_POINTS = 10_000
const MAX_TAGS = 100
const MAX_TAG_LENGTH = 200
const MAX_TAGS_BYTES = 102_400
const MAX_NAME_LENGTH = 200
const MAX_HOST_LENGTH = 255
const OLDEST_S = 3_600
const AHEAD_S = 600

const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: (bytes: Buffer) => Buffer }
const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  deflate: (bytes) => zlib.inflateSync(bytes),
  gzip: (bytes) => zlib.gunzipSync(bytes),
  ...(zstdDecompressSync ? { zstd: zstdDecompressSync } : {}),
}

export function createJudge({ now, key = KEY, maxPoints = MAX_POINTS }: JudgeOptions): Judge {
  const problems: string[] = []
  const bodies: { series: readonly unknown[]; encoding: string; bytes: number }[] = []
  const kept = new Map<string, SentPoint>()
  /** Of a name, forever. */
  const types = new Map<string, number>()

  function take({ headers, method, url }: JudgedRequest, body: Buffer): { status: number; why: string } | undefined {
    const refuse = (status: number, why: string) => {
      problems.push(why)
      return { status, why }
    }
    if (method !== 'POST' || url !== '/api/v2/series') return refuse(404, `${method} ${url}`)
    if (headers['dd-api-key'] !== key) return refuse(403, 'Forbidden')
    if (!/^application\/json(;|$)/.test(String(headers['content-type']))) return refuse(415, `content type ${headers['content-type']}`)
    if (body.length >= MAX_BYTES) return { status: 413, why: 'Payload too large' }
    const encoding = String(headers['content-encoding'] ?? 'identity')
    const decode = DECODERS[encoding]
    if (!decode) return refuse(415, `content encoding ${encoding}`)
    let raw: Buffer
    let payload: { series?: unknown }
    try {
      raw = decode(body)
      payload = JSON.parse(raw.toString())
    } catch (error) {
      return refuse(400, `the body cannot be read: ${error}`)
    }
    if (raw.length > MAX_RAW_BYTES) return { status: 413, why: 'Payload too large' }
    if (!Array.isArray(payload.series)) return refuse(400, 'there are no series')
    const points: SentPoint[] = []
    const wrong = payload.series.flatMap((one) => problemsOf(one, points))
    if (wrong.length > 0) return refuse(400, wrong[0] ?? '')
    if (points.length > maxPoints) return { status: 413, why: 'Payload too large' }
    const again = saidAgain(points)
    if (again) return refuse(400, again)
    for (const point of points) keep(point)
    bodies.push({ series: payload.series, encoding, bytes: body.length })
    return undefined
  }

  /** The intake itself keeps the last; of us it is a mistake, other than to send again what was sent. */
  function saidAgain(points: readonly SentPoint[]): string | undefined {
    const keys = new Set<string>()
    for (const point of points) {
      const key = keyOf(point)
      if (keys.has(key)) return `twice in a second: ${key}`
      if ((kept.get(key)?.value ?? point.value) !== point.value) return `another value in the same second: ${key}`
      keys.add(key)
    }
    return undefined
  }

  function keep(point: SentPoint): void {
    types.set(point.metric, point.type)
    kept.set(keyOf(point), point)
  }

  function problemsOf(raw: unknown, points: SentPoint[]): string[] {
    const { metric, type, interval, unit, points: given, resources, tags, ...others } = raw as Readonly<Record<string, unknown>>
    const found: string[] = []
    const must = (holds: boolean, what: string): void => {
      if (!holds) found.push(`${String(metric)}: ${what}`)
    }
    must(Object.keys(others).length === 0, `unknown fields ${Object.keys(others)}`)
    must(typeof metric === 'string' && /^[a-z][a-z0-9_.]*$/.test(metric) && metric.length <= MAX_NAME_LENGTH, 'the name')
    must(!/__|_\.|\._|_$/.test(String(metric)), 'a name that would be changed')
    must([1, 2, 3].includes(type as number), 'the type')
    must((types.get(metric as string) ?? type) === type, 'a type other than before')
    must(type !== 1 || (Number.isInteger(interval) && (interval as number) > 0), 'a count without an interval of whole seconds')
    must(unit === undefined || ['byte', 'second'].includes(unit as string), 'the unit')
    const named = Array.isArray(resources) ? (resources as readonly { type: string; name: string }[]) : []
    const [host] = named
    must(named.length === 1 && host?.type === 'host' && host.name.length > 0 && host.name.length <= MAX_HOST_LENGTH, 'no host')
    must(Array.isArray(tags) && tags.length <= MAX_TAGS && new Set(tags).size === tags.length, 'the tags')
    must(Buffer.byteLength(String(tags)) <= MAX_TAGS_BYTES, 'too many bytes of tags')
    for (const tag of (tags ?? []) as readonly string[]) {
      must(Buffer.byteLength(tag) <= MAX_TAG_LENGTH, `a tag that would be clipped: ${tag}`)
      must(
        /^\p{L}[\p{L}\p{N}_\-:./]*$/u.test(tag) && tag === tag.toLowerCase() && !/__|[_:]$/.test(tag),
        `a tag that would be changed: ${tag}`,
      )
      must(!/^(device|dd\.internal\.resource|host):/.test(tag), `a reserved tag: ${tag}`)
    }
    const list = Array.isArray(given) ? (given as readonly { timestamp: number; value: number }[]) : []
    must(list.length > 0, 'no points')
    for (const { timestamp, value } of list) {
      const age = now() / 1000 - timestamp
      must(Number.isInteger(timestamp) && age <= OLDEST_S && age >= -AHEAD_S, `the time ${timestamp}, ${age} s ago`)
      must(Number.isFinite(value), 'the value')
      points.push({
        metric: metric as string,
        type: type as number,
        interval: interval as number | undefined,
        unit: unit as string | undefined,
        host: host?.name ?? '',
        tags: (tags ?? []) as readonly string[],
        timestamp,
        value,
      })
    }
    return found
  }

  return {
    take,
    problems,
    bodies,
    points: () => [...kept.values()],
    sum(metric, tag) {
      let sum = 0
      for (const point of kept.values()) if (point.metric === metric && (tag === undefined || point.tags.includes(tag))) sum += point.value
      return sum
    },
  }
}

const keyOf = ({ metric, host, tags, timestamp }: SentPoint): string => JSON.stringify([metric, host, [...tags].sort(), timestamp])
