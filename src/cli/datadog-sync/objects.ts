// What the steps of a sync hand each other. Imports nothing.

/** As the API writes it. */
export type Json = Readonly<Record<string, unknown>>

export type Kind = 'monitor' | 'dashboard'

/** What there is to be. `id`: by which it is found again, such as `push-storm`. */
export interface Wanted {
  readonly kind: Kind
  readonly id: string
  readonly body: Json
}

/** What Datadog has, and we made. `id` undefined: it says that it is ours, and not which. */
export interface Found {
  readonly kind: Kind
  readonly id: string | undefined
  /** Datadog's own. */
  readonly key: string
  readonly body: Json
}

const MANAGED = 'managed_by:meshtoll'
const ID = /^meshtoll_id:(\S+)$/

/** `kind: dashboard`: tags of dashboards are for teams alone, so that theirs are words of the description. */
export function tagsOf(kind: Kind, body: Json): readonly string[] {
  if (kind === 'dashboard') return String(body['description'] ?? '').split(/\s+/)
  const { tags } = body
  return Array.isArray(tags) ? tags.map(String) : []
}

export const isOurs = (kind: Kind, body: Json): boolean => tagsOf(kind, body).includes(MANAGED)

export function idOf(kind: Kind, body: Json): string | undefined {
  for (const tag of tagsOf(kind, body)) {
    const [, id] = ID.exec(tag) ?? []
    if (id !== undefined) return id
  }
  return undefined
}

export const titleOf = (kind: Kind, body: Json): string => String(body[kind === 'monitor' ? 'name' : 'title'] ?? '')
