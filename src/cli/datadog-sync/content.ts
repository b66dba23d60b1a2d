// Monitors and dashboards of the project, with what the user set for them.
import { basename, join } from 'node:path'
import type { Config } from '../../config/fields.js'
import type { Mistake } from '../../config/mistakes.js'
import { didYouMean, nearest } from '../../config/near.js'
import type { Deps } from '../../deps.js'
import { idOf, type Json, type Kind, type Wanted } from './objects.js'

const FOLDERS: Readonly<Record<Kind, string>> = { monitor: 'deploy/datadog/monitors', dashboard: 'dashboards/datadog' }

export interface Content {
  /** Monitors by the names of their files. */
  readonly monitors: Readonly<Record<string, Json>>
  readonly dashboards: readonly Json[]
}

/** `root`: the folder of the project. Rejects where files are missing, or are none of ours. */
export async function readContent(root: string, deps: Pick<Deps, 'readFile' | 'growingFiles'>, signal: AbortSignal): Promise<Content> {
  const [monitors, dashboards] = [await readFolder('monitor', root, deps, signal), await readFolder('dashboard', root, deps, signal)]
  return { monitors: Object.fromEntries(monitors), dashboards: dashboards.map(([, body]) => body) }
}

async function readFolder(
  kind: Kind,
  root: string,
  { readFile, growingFiles }: Pick<Deps, 'readFile' | 'growingFiles'>,
  signal: AbortSignal,
): Promise<readonly (readonly [name: string, body: Json])[]> {
  const folder = join(root, FOLDERS[kind])
  const files = (await growingFiles.list(folder)).filter((file) => file.endsWith('.json')).toSorted()
  if (files.length === 0) throw new Error(`${folder} has no ${kind}s; run meshtoll from a checkout of its repository`)
  const read: (readonly [string, Json])[] = []
  for (const file of files)
    read.push([basename(file, '.json'), parseBody(kind, join(folder, file), await readFile(join(folder, file), signal))])
  return read
}

function parseBody(kind: Kind, file: string, text: string): Json {
  const body = parseJson(text)
  if (body === undefined || idOf(kind, body) === undefined)
    throw new Error(`${file} is no ${kind} of meshtoll; npm run docs writes it anew`)
  return body
}

function parseJson(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

type Settings = Pick<Config['datadog'], 'monitors' | 'notify' | 'runbookUrl'>
type Setting = Settings['monitors'][number]

/** Of names that no file has. */
export function settingMistakes({ monitors }: Settings, content: Pick<Content, 'monitors'>): readonly Mistake[] {
  const names = Object.keys(content.monitors)
  return monitors.flatMap(({ name }) =>
    names.includes(name)
      ? []
      : [
          {
            text: `datadog.monitors names ${name}, which is no monitor${didYouMean(nearest(name, names)) || `; expected ${names.join(', ')}`}`,
          },
        ],
  )
}

/** Monitors that are not enabled are not wanted. */
export function wantedOf({ monitors, dashboards }: Content, settings: Settings): readonly Wanted[] {
  const settingOf = new Map(settings.monitors.map((one) => [one.name, one]))
  const enabled = Object.entries(monitors).filter(([name]) => settingOf.get(name)?.enabled ?? true)
  return [
    ...enabled.map(([name, body]) => wanted('monitor', withSettings(body, settings, settingOf.get(name)))),
    ...dashboards.map((body) => wanted('dashboard', body)),
  ]
}

const wanted = (kind: Kind, body: Json): Wanted => ({ kind, id: idOf(kind, body) ?? '', body })

/** The number that a query ends with has to be the critical threshold, or Datadog refuses it. */
function withSettings(body: Json, { notify, runbookUrl }: Settings, setting: Setting | undefined): Json {
  const { query, message, options } = body as { readonly query: string; readonly message: string; readonly options: Json }
  const { critical: ofFile, warning: warningOfFile } = options['thresholds'] as { readonly critical: number; readonly warning?: number }
  const critical = setting?.critical ?? ofFile
  const warning = setting?.warning ?? warningOfFile
  const thresholds = { critical, ...(warning === undefined ? {} : { warning }) }
  const told = [...notify, ...(setting?.notify ?? [])].join(' ')
  const linked = runbookUrl === null ? message : message.replace(/\S+(?=\/\w+\.md$)/, runbookUrl.replace(/\/+$/, ''))
  return {
    ...body,
    query: query.replace(/ -?[\d.]+$/, ` ${critical}`),
    message: told === '' ? linked : `${linked}\n\n${told}`,
    options: { ...options, thresholds },
  }
}
