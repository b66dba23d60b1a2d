// What a user did wrong: where, what, what instead; all of it at once.

export interface Position {
  readonly line: number
  readonly column: number
}

export interface Mistake {
  /** Absent where the whole file or the command line is meant. */
  readonly at?: Position | undefined
  readonly text: string
}

/** What is wrong in one place: a file by the name the user gave it, or `the command line`. */
export interface Mistakes {
  readonly where: string
  readonly found: readonly Mistake[]
}

export const sortByPosition = (found: readonly Mistake[]): Mistake[] =>
  found.toSorted((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0))

/** `most`: so many of each place are shown, further ones only counted. */
export const renderMistakes = (places: readonly Mistakes[], { most = Number.POSITIVE_INFINITY }: { readonly most?: number } = {}): string =>
  places.map((place) => renderPlace(place, most)).join('')

function renderPlace({ where, found }: Mistakes, most: number): string {
  const [first] = found
  if (first && found.length === 1 && !first.at) return `meshtoll: ${first.text}\n`
  const shown = sortByPosition(found).slice(0, most)
  const lines = shown.map(({ at, text }) => ({ at: at ? `${at.line}:${at.column}` : '', text }))
  const width = lines.reduce((widest, { at }) => Math.max(widest, at.length), 0)
  const body = lines.map(({ at, text }) => `  ${width > 0 ? `${at.padEnd(width)}  ` : ''}${text}\n`)
  const rest = found.length - shown.length
  const more = rest > 0 ? `  and ${rest} more\n` : ''
  return `meshtoll: ${where} has ${found.length} mistake${found.length === 1 ? '' : 's'}\n${body.join('')}${more}`
}
