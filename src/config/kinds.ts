// What a value may be: a valibot schema from the scalar's text to the value, and the words for what was expected.
import * as v from 'valibot'
import { parseCidr } from './cidr.js'

export interface Kind<Value> {
  readonly schema: v.GenericSchema<unknown, Value>
  readonly expected: string
  /** Where "expected ..." says too little: what is wrong with this very text. */
  readonly explain?: (text: string) => string | undefined
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const RESERVED = ['_unknown', '_other']

export const boolean: Kind<boolean> = {
  schema: v.pipe(
    v.picklist(['true', 'false']),
    v.transform((text) => text === 'true'),
  ),
  expected: 'true or false',
}

export const port: Kind<number> = { ...wholeNumber(1, 65_535), expected: 'a port from 1 to 65535' }

/** `_unknown` and `_other` are what meshtoll itself says of bytes it cannot place or keep apart. */
export const label: Kind<string> = {
  schema: v.pipe(
    v.string(),
    v.regex(/^[^\p{Cc}]{1,253}$/u),
    v.check((text) => text.trim() === text && !RESERVED.includes(text)),
  ),
  expected: 'a name of up to 253 characters',
  explain: (text) => (RESERVED.includes(text) ? 'meshtoll itself says that of what it cannot name, choose another' : undefined),
}

export const path: Kind<string> = { schema: v.pipe(v.string(), v.nonEmpty()), expected: 'the path of a file' }

export const url: Kind<string> = httpUrl('https://meshtoll-directory.meshtoll:10043')

export function httpUrl(example: string): Kind<string> {
  return {
    schema: v.pipe(
      v.string(),
      v.check((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)),
    ),
    expected: `a URL such as ${example}`,
  }
}

/** As Kubernetes names them: a DNS label, and a DNS subdomain. */
export const serviceAccount: Kind<string> = {
  schema: v.pipe(v.string(), v.regex(/^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/)?[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/)),
  expected: 'a ServiceAccount, NAMESPACE/NAME or NAME',
}

export const datadogSite: Kind<string> = {
  schema: v.pipe(v.string(), v.regex(/^[a-z0-9]([-.a-z0-9]{0,60}[a-z0-9])?\.[a-z]{2,10}$/)),
  expected: 'a site such as datadoghq.com, us5.datadoghq.com or datadoghq.eu',
}

/** As the intake would leave it. */
export const datadogTag: Kind<string> = {
  schema: v.pipe(
    v.string(),
    v.regex(/^(?!device:|host:|dd\.internal\.resource:)\p{L}[\p{L}\p{N}_\-:./]{0,198}[\p{L}\p{N}\-:./]$/u),
    v.check((text) => text === text.toLowerCase() && !text.includes('__')),
  ),
  expected: 'a tag of lower-case letters, digits and _-:./ such as env:prod',
}

/** Slack, PagerDuty, Opsgenie and all others are written so, and mail addresses. */
export const datadogHandle: Kind<string> = {
  schema: v.pipe(v.string(), v.regex(/^@[^\s{}@][^\s{}]{0,252}$/)),
  expected: 'whom to tell as Datadog writes it, such as "@slack-mesh"',
}

/** With a sign, and as large as bytes may be. */
export const threshold: Kind<number> = {
  schema: v.pipe(v.string(), v.regex(/^-?\d{1,15}(\.\d{1,12})?$/), v.transform(Number)),
  expected: 'a number',
}

export const hostName: Kind<string> = {
  schema: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]([-._A-Za-z0-9]{0,253}[A-Za-z0-9])?$/)),
  expected: 'the name of a host',
}

export const labelName: Kind<string> = {
  schema: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,63}$/)),
  expected: 'the name of a label such as dst_owner_name',
}

export const namespace: Kind<string> = {
  schema: v.pipe(v.string(), v.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)),
  expected: 'the name of a namespace',
}

export const folder: Kind<string> = { ...path, expected: 'the path of a folder' }

/** Narrower than the kernel's NFT_NAME_MAXLEN, so that names derived from it fit too. */
export const tableName: Kind<string> = {
  schema: v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/)),
  expected: 'a letter followed by up to 31 letters, digits, _ or -',
}

export const cidr: Kind<string> = {
  schema: v.pipe(
    v.string(),
    v.transform(parseCidr),
    v.transform((result) => ('cidr' in result ? result.cidr : undefined)),
    v.string(),
  ),
  expected: 'a range of addresses',
  explain(text) {
    const result = parseCidr(text)
    return 'problem' in result ? result.problem : undefined
  },
}

export interface ListenAddress {
  /** `''`: all addresses. */
  readonly host: string
  readonly port: number
}

export const listenAddress: Kind<ListenAddress> = {
  schema: v.pipe(v.string(), v.transform(parseListenAddress), v.object({ host: v.string(), port: v.pipe(v.number(), v.maxValue(65_535)) })),
  expected: ':PORT, HOST:PORT or [IPV6]:PORT with a port from 0 to 65535',
}

export function oneOf<const Words extends readonly string[]>(...words: Words): Kind<Words[number]> {
  return { schema: v.picklist(words), expected: joinWithOr(words) }
}

export function wholeNumber(min: number, max: number): Kind<number> {
  return {
    schema: v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number), v.minValue(min), v.maxValue(max)),
    expected: `a whole number from ${min} to ${max}`,
  }
}

export function decimal(min: number, max: number): Kind<number> {
  return {
    schema: v.pipe(v.string(), v.regex(/^\d{1,9}(\.\d{1,12})?$/), v.transform(Number), v.minValue(min), v.maxValue(max)),
    expected: `a number from ${min} to ${max}`,
  }
}

/** In milliseconds. */
export function duration(min: string, max: string): Kind<number> {
  const expected = `a duration from ${min} to ${max}`
  return {
    schema: v.pipe(v.string(), v.transform(parseDuration), v.number(), v.minValue(parseDuration(min)), v.maxValue(parseDuration(max))),
    expected,
    explain: () => `expected ${expected}, such as 10s`,
  }
}

export function either<A, B>(a: Kind<A>, b: Kind<B>): Kind<A | B> {
  return { schema: v.union([a.schema, b.schema]), expected: `${a.expected}${b.expected.includes(' or ') ? ',' : ' or'} ${b.expected}` }
}

/** NaN where it is none. */
function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  return Number(count) * (UNITS[unit ?? ''] ?? Number.NaN)
}

function parseListenAddress(text: string): ListenAddress | undefined {
  const [found, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  return found === undefined ? undefined : { host: bracketed ?? plain ?? '', port: Number(digits) }
}

function joinWithOr(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
