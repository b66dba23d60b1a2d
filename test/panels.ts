// Panels of dashboards/grafana as Grafana reads them, and their queries as a data source gets them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../dashboards/grafana')

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat?: string
  readonly datasource: unknown
}

export interface Link {
  readonly title: string
  readonly url?: string
}

export interface Transformation {
  readonly id: string
  readonly options: {
    readonly indexByName?: Readonly<Record<string, number>>
    readonly rowField?: string
    readonly columnField?: string
  }
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: unknown
  readonly targets?: readonly Target[]
  readonly links?: readonly Link[]
  readonly transformations?: readonly Transformation[]
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly query: string
}

export interface Dashboard {
  readonly file: string
  readonly text: string
  readonly uid: string
  readonly title: string
  readonly tags: readonly string[]
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}

export interface PanelQuery {
  /** Dashboard, panel and refId, to be found by. */
  readonly where: string
  readonly expr: string
}

export function readDashboards(): readonly Dashboard[] {
  return readdirSync(FOLDER).map((file) => {
    const text = readFileSync(join(FOLDER, file), 'utf8')
    return { ...JSON.parse(text), file, text }
  })
}

/** `values`: of variables by name; the others are all. */
export function panelQueries(values: Readonly<Record<string, string>> = {}): readonly PanelQuery[] {
  return readDashboards().flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ refId, expr }) => ({
        where: `${title} / ${panel.title} ${refId}`,
        expr: expr.replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? '.*'),
      })),
    ),
  )
}
