// The queries of all panels, asked of a Prometheus that scraped real agents.
import { namesIn, readRules } from './known-series.js'
import { panelQueries } from './panels.js'
import type { Prometheus } from './prometheus.js'

type Server = Pick<Prometheus, 'query'>

export interface Asking {
  /** Those that had no answer so far; what is only there for a while is asked then. */
  ask(prometheus: Server): Promise<void>
  /** By dashboard, panel and query, each name once, in the order of the alphabet. */
  readonly unanswered: readonly string[]
  /** Of these the ones whose families all have samples. */
  unansweredThough(prometheus: Server): Promise<readonly string[]>
}

/** Of a day and of a week ago. */
export const AGO = ['B', 'C'].map((query) => `Overview / What crosses, against a day and a week ago ${query}`)

/** What has no answer in any test with a real Prometheus, and why. */
export const NOWHERE: Readonly<Record<string, string>> = {
  'Itself / Bytes that Datadog lacks B': 'no window waits for Datadog until nobody can say whether it was taken',
  ...Object.fromEntries(AGO.map((query) => [query, 'nothing was counted so long ago'])),
}

/** Of rates. */
const RATE_INTERVAL = '10s'

export function createAsking(): Asking {
  let open = panelQueries({ __rate_interval: RATE_INTERVAL })
  const namesOf = (queries: typeof open): readonly string[] =>
    [...new Set(queries.map(({ where }) => where.replace(/^meshtoll \/ /, '')))].sort()
  return {
    async ask(prometheus) {
      const answers = await Promise.all(open.map(({ expr }) => prometheus.query(`(${expr}) >= 0`)))
      open = open.filter((_, i) => answers[i]?.length === 0)
    },
    get unanswered() {
      return namesOf(open)
    },
    async unansweredThough(prometheus) {
      const there = new Set((await prometheus.query('group by (__name__) ({__name__!=""})')).map(({ metric }) => metric['__name__']))
      const families = servedBy()
      return namesOf(open.filter(({ expr }) => families(expr).every((name) => there.has(name))))
    },
  }
}

/** What an expression asks of scrapes, through all that rules record. */
function servedBy(): (expr: string) => readonly string[] {
  const recorded = new Map<string, string[]>()
  for (const { record, expr } of readRules()) if (record !== undefined) recorded.set(record, [...(recorded.get(record) ?? []), expr])
  const familiesIn = (expr: string): readonly string[] =>
    namesIn(expr).flatMap(({ name }) => recorded.get(name)?.flatMap(familiesIn) ?? [name])
  return familiesIn
}
