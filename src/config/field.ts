// What an option is: the row of a table from which come its type, its validation, its default, --help and docs/configuration.md.
import * as v from 'valibot'
import { duration, either, type Kind, oneOf } from './kinds.js'

/** `suffix` is the unit that the name carries in code: `interval` in the file is `intervalMs` in `Config`. */
export interface Field<Value = unknown, Suffix extends '' | 'Ms' = '' | 'Ms'> {
  readonly kind: Kind<unknown>
  readonly many: boolean
  readonly fallback: Value
  /** The default as one would write it. */
  readonly shown: string
  readonly suffix: Suffix
  readonly help: string
}

export type Fields = Readonly<Record<string, Field>>

/** `sections`: mappings within it. `lists`: lists of mappings. */
export interface Section {
  readonly about: string
  readonly fields: Fields
  readonly sections?: Readonly<Record<string, Section>>
  readonly lists?: Readonly<Record<string, List>>
}

/** Each of its mappings has the fields; `key` names the one that it cannot do without, and that no two have alike. */
export interface List {
  readonly about: string
  readonly key: string
  readonly fields: Fields
}

export type ValuesOf<Table extends Fields> = {
  readonly [Name in keyof Table & string as `${Name}${Table[Name]['suffix']}`]: Table[Name]['fallback']
}

export function option<Value>(kind: Kind<Value>, shown: string, help: string): Field<Value, ''> {
  return { kind, many: false, fallback: v.parse(kind.schema, shown), shown, suffix: '', help }
}

/** Its default is a value that nobody can write: `shown` describes it. */
export function optional<Value, Absent>(
  kind: Kind<Value>,
  absent: { value: Absent; shown: string },
  help: string,
): Field<Value | Absent, ''> {
  return { kind, many: false, fallback: absent.value, shown: absent.shown, suffix: '', help }
}

export function time(range: { from: string; to: string }, shown: string, help: string): Field<number, 'Ms'> {
  return { ...option(duration(range.from, range.to), shown, help), suffix: 'Ms' }
}

export function timeOrOff(range: { from: string; to: string }, shown: string, help: string): Field<number | 'off', 'Ms'> {
  return { ...option(either(oneOf('off'), duration(range.from, range.to)), shown, help), suffix: 'Ms' }
}

export function list<Item>(kind: Kind<Item>, shown: readonly string[], help: string): Field<readonly Item[], ''> {
  const fallback = shown.map((text) => v.parse(kind.schema, text))
  return { kind, many: true, fallback, shown: `[${shown.join(', ')}]`, suffix: '', help }
}
