// The push to Datadog: what it is given to send, under whose name, and with which key. Loaded only where it is switched on.
import type { Config } from '../config/fields.js'
import type { Deps, Disk } from '../deps.js'
import { DATADOG } from '../exporters/datadog/families.js'
import type { Push } from '../exporters/datadog/push.js'
import { fractionOf } from '../kube/backoff.js'
import type { Family, FamilySnapshot } from '../model.js'
import { proxyFor } from '../proxy/environment.js'
import { createJournalFile } from '../state/journal-file.js'
import { createDatadogKey } from './key.js'

export interface DatadogParts {
  readonly config: Pick<Config, 'datadog'>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** That nobody else sends as; undefined while it is not known. */
  readonly host: () => string | undefined
  /** `own`: added up here. `foreign`: served as it was read. */
  readonly withGroups: <T>(
    use: (groups: { readonly own: readonly FamilySnapshot[]; readonly foreign: readonly FamilySnapshot[] }) => Promise<T>,
  ) => Promise<T>
  /** What a process says about itself, counted since it began. */
  readonly self: () => Promise<readonly FamilySnapshot[]>
}

/** What becomes of what still waits at the end. */
export type Remains = 'stays' | 'is left' | 'is lost'

export interface Datadog extends Omit<Push, 'finish'> {
  /** Takes a last window, tries to send what waits until aborted, and says what remains. */
  finish(signal: AbortSignal, remains: Remains): Promise<void>
}

const REMAINS: Readonly<Record<Remains, string>> = {
  stays: 'what waits for Datadog stays in the state directory: the next start sends it',
  'is left': 'what waits for Datadog is left in the state directory: nobody sends it, unless an agent starts there again',
  'is lost': 'what waits for Datadog is lost',
}

export type DatadogDeps = Pick<Deps, 'clock' | 'log' | 'random' | 'readFile'> & { readonly disk: Disk }

/** Undefined where it is switched off. */
export function createDatadog(parts: DatadogParts, deps: DatadogDeps): Datadog | undefined {
  const { config, environment, host, withGroups, self } = parts
  const { datadog } = config
  if (!datadog.enabled) return undefined
  const { clock, log, random } = deps
  const url = urlOf(datadog)
  let proxy: URL | undefined
  const startedMs = clock.now()
  let push: Push | undefined
  let close = (): void => undefined

  async function open(): Promise<Push> {
    proxy = proxyFor(url, environment)
    const [{ createPush }, { createIntake }, { encodingHere }, { DATADOG_STATE }] = await Promise.all([
      import('../exporters/datadog/push.js'),
      import('../exporters/datadog/intake.js'),
      import('../exporters/datadog/body.js'),
      import('../exporters/datadog/state.js'),
    ])
    const intake = createIntake(url, deps, proxy)
    close = intake.close
    const { tags, excludeLabels, maxSeries, flushIntervalMs } = datadog
    const opened = createPush(
      {
        file: createJournalFile(DATADOG_STATE, deps),
        host,
        intake,
        encoding: encodingHere,
        key: createDatadogKey({ file: datadog.apiKeyFile, environment }, deps),
        random: () => fractionOf(random()),
        withGroups: (use) =>
          withGroups(async ({ own, foreign }) => {
            const ofProcess = (await self()).map((one) => begunAt(one, startedMs))
            return use([
              { families: [...own, ...ofProcess, ...opened.families()], origin: 'own' },
              { families: foreign, origin: 'foreign' },
            ])
          }),
      },
      { tags, excludeLabels, maxSeries, flushIntervalMs, startedMs },
      { clock, log },
    )
    return opened
  }

  return {
    async load() {
      push ??= await open()
      await push.load()
    },
    async run(signal) {
      log.info('what is counted is sent to Datadog', { url, proxy: proxy?.origin, interval_ms: datadog.flushIntervalMs })
      await push?.run(signal)
    },
    async finish(signal, remains) {
      await push?.finish(signal)
      close()
      const [windows, seconds] = [DATADOG.waiting, DATADOG.behind].map((family) => levelIn(push?.families() ?? [], family))
      if (windows) log.warn(REMAINS[remains], { windows, oldest_s: Math.round(seconds ?? 0) })
    },
    families: () => push?.families() ?? [],
    get writable() {
      return push?.writable ?? true
    },
  }
}

function levelIn(families: readonly FamilySnapshot[], of: Family): number | undefined {
  const found = families.find(({ family }) => family === of)
  return [...(found?.series ?? [])][0]?.value
}

/** Without `/api/v2/series`, and without a password: it is printed. */
export function urlOf({ url, site }: Pick<Config['datadog'], 'url' | 'site'>): string {
  const { origin, pathname } = new URL(url ?? `https://api.${site}`)
  return `${origin}${pathname.replace(/\/+$/, '')}`
}

/** Its counters began at zero with this process, which began then. */
const begunAt = ({ family, series }: FamilySnapshot, sinceMs: number): FamilySnapshot => ({
  family,
  series: [...series].map((one) => ({ ...one, sinceMs })),
})
