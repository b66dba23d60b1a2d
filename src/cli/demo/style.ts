// A line of text and how it is to look where the terminal has colours.

export type Style = 'plain' | 'soft' | 'strong' | 'wrong'

export interface Line {
  readonly text: string
  readonly style: Style
}

/** Select Graphic Rendition of ECMA-48: dim, bold, red and underlined. */
const CODES: Readonly<Record<Style, string>> = { plain: '', soft: '2', strong: '1', wrong: '31;4' }

export function paint({ text, style }: Line, hasColors: boolean): string {
  return hasColors && CODES[style] ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
}

export const plain = (text: string): Line => ({ text, style: 'plain' })
export const soft = (text: string): Line => ({ text, style: 'soft' })

/** Breaks before a part that does not fit; further lines are set in below the first. */
export function wrap(
  parts: readonly string[],
  { columns, indent }: { readonly columns: number; readonly indent: number },
): readonly string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + part.length <= columns) lines[lines.length - 1] = last + part
    else lines.push(last === undefined ? part : ' '.repeat(indent) + part.trimStart())
  }
  return lines.map((line) => line.slice(0, columns))
}
