// Random JSON as no serializer writes it: any space between the tokens, keys given twice, numbers and characters in any spelling.
import type { Arbitrary } from 'fast-check'
import { fc } from '../property.js'

/** A piece of JSON, told apart from the text around it: `renderJson` puts space between pieces. */
export type Tokens = readonly string[]

const space = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  fc.constantFrom(' ', '\n', '\n  ', '\t', '\r\n', '\n\n', ' \t\n\t', '\r', '\n# not JSON\n'),
)

/** As JSON.stringify, or some characters in their escaped spelling. */
export const stringTokens = (text: Arbitrary<string>): Arbitrary<Tokens> =>
  fc.tuple(text, fc.integer({ min: 0, max: 9 })).map(([plain, escaped]) => {
    const quoted = JSON.stringify(plain)
    if (escaped > 0) return [quoted]
    return [
      quoted.replaceAll(/[a-z/](?=[^\\]*$)/g, (letter) =>
        letter === '/' ? '\\/' : `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    ]
  })

const NUMBERS = ['1', '-0', '1.0', '1e3', '1E+2', '0.10', '12345678901234567890']
export const anyString = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    ' ',
    '~',
    'null',
    '# x',
    '---',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u007f',
    '$',
    "'",
    '&a',
    '*a',
    '\ud800',
    'a\tb',
    '\\"',
    '"',
  ),
)

export const scalarTokens: Arbitrary<Tokens> = fc.oneof(
  { weight: 4, arbitrary: stringTokens(anyString) },
  fc.constantFrom('true', 'false', 'null', ...NUMBERS).map((token) => [token]),
)

export const listTokens = (items: Arbitrary<readonly Tokens[]>): Arbitrary<Tokens> =>
  items.map((all) => ['[', ...all.flatMap((item, index) => (index === 0 ? item : [',', ...item])), ']'])

/** Keys may repeat. */
export const mappingTokens = (entries: Arbitrary<readonly (readonly [key: Tokens, value: Tokens])[]>): Arbitrary<Tokens> =>
  entries.map((all) => ['{', ...all.flatMap(([key, value], index) => [...(index === 0 ? [] : [',']), ...key, ':', ...value]), '}'])

/** Mostly as a serializer would, or with any space. */
export function renderJson(tokens: Arbitrary<Tokens>): Arbitrary<string> {
  return fc.tuple(tokens, fc.boolean(), fc.infiniteStream(space)).map(([all, isPlain, spaces]) => {
    const gap = (): string => (isPlain ? '' : spaces.next().value)
    return [...all.map((token) => `${gap()}${token}`), gap()].join('')
  })
}
