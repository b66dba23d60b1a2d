// What would be sent to Datadog: the push itself, with a disk that forgets and before an intake that keeps what it gets.
import { inflateSync } from 'node:zlib'
import type { Config } from '../config/fields.js'
import type { Clock, Log } from '../deps.js'
import type { FamilySnapshot } from '../model.js'
import { createJournalFile } from '../state/journal-file.js'
import { createNowhere } from './nowhere.js'

export interface PreviewedSeries {
  readonly metric: string
  readonly type: 'count' | 'gauge'
  readonly unit?: string
  readonly tags: readonly string[]
  readonly value: number
}

export interface PreviewedWindow {
  readonly series: readonly PreviewedSeries[]
  /** How many lost the names of their owners. */
  readonly folded: number
}

export interface DatadogPreview {
  /** What came since the window before; of the first one levels only, unless totals say that they began since `startedMs`. */
  take(families: readonly FamilySnapshot[], signal: AbortSignal): Promise<PreviewedWindow>
}

export interface PreviewParts {
  readonly datadog: Pick<Config['datadog'], 'tags' | 'excludeLabels' | 'maxSeries' | 'flushIntervalMs'>
  readonly startedMs: number
}

/** As a body has it. */
interface SentSeries {
  readonly metric: string
  readonly type: number
  readonly unit?: string
  readonly tags: readonly string[]
  readonly points: readonly { readonly value: number }[]
}

const COUNT = 1
/** What a push says of itself costs as well, where the agent does not push yet. */
const isOfPush = ({ family }: FamilySnapshot): boolean => family.name.startsWith('meshtoll_datadog_')
const FOLDED = 'meshtoll_datadog_folded_series'

export async function createDatadogPreview({ datadog, startedMs }: PreviewParts, { clock }: { clock: Clock }): Promise<DatadogPreview> {
  const [{ createPush }, { DATADOG_STATE }] = await Promise.all([
    import('../exporters/datadog/push.js'),
    import('../exporters/datadog/state.js'),
  ])
  let families: readonly FamilySnapshot[] = []
  let series: PreviewedSeries[] = []
  const complaints: string[] = []
  const log = createListeningLog(complaints)
  const push = createPush(
    {
      file: createJournalFile(DATADOG_STATE, { clock, disk: createNowhere(), log }),
      host: () => 'preview',
      encoding: 'deflate',
      key: async () => 'preview',
      random: () => 0,
      intake: {
        send: (body) => {
          const sent = JSON.parse(inflateSync(body).toString()) as { readonly series: readonly SentSeries[] }
          series = [...series, ...sent.series.map(previewed)]
          return Promise.resolve({ kind: 'accepted', complaint: '' })
        },
      },
      withGroups: (use) => use([{ families: families.some(isOfPush) ? families : [...families, ...push.families()], origin: 'own' }]),
    },
    { ...datadog, startedMs },
    { clock, log },
  )
  await push.load()
  return {
    async take(now, signal) {
      families = now
      series = []
      await push.finish(signal)
      if (complaints.length > 0) throw new Error(complaints[0])
      const folded = push.families().find(({ family }) => family.name === FOLDED)
      return { series, folded: [...(folded?.series ?? [])][0]?.value ?? 0 }
    },
  }
}

/** How many custom metrics all that was counted until now comes to, with nothing folded. */
export async function countCustomMetrics(
  families: readonly FamilySnapshot[],
  { datadog }: Pick<PreviewParts, 'datadog'>,
  deps: { readonly clock: Clock },
  signal: AbortSignal,
): Promise<number> {
  const preview = await createDatadogPreview({ datadog: { ...datadog, maxSeries: Number.MAX_SAFE_INTEGER }, startedMs: 0 }, deps)
  const sinceEver = families.map(({ family, series }) => ({ family, series: [...series].map((one) => ({ ...one, sinceMs: 1 })) }))
  return (await preview.take(sinceEver, signal)).series.length
}

function previewed({ metric, type, unit, tags, points }: SentSeries): PreviewedSeries {
  return { metric, type: type === COUNT ? 'count' : 'gauge', ...(unit === undefined ? {} : { unit }), tags, value: points[0]?.value ?? 0 }
}

function createListeningLog(complaints: string[]): Log {
  const listen: Log['warn'] = (message, { error = '' } = {}) => void complaints.push(`${message}: ${error}`)
  return { debug: () => undefined, info: () => undefined, warn: listen, error: listen }
}
