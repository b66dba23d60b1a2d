// What a scraper may have, out of what it says it likes (RFC 9110, 12.5). Prometheus 3 sends
//   Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,
//           text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1
// and refuses an answer whose Content-Type it does not know.
import type { Format } from '../formats/prometheus-text.js'

export interface Offer {
  readonly format: Format
  readonly contentType: string
}

const TEXT: Offer = { format: 'text', contentType: 'text/plain; version=0.0.4; charset=utf-8' }

/** A map: the words come from whoever asks, and may be those of an object's own properties. */
const OFFERS: ReadonlyMap<string, Offer> = new Map([
  ['text/plain', TEXT],
  ['text/plain;0.0.4', TEXT],
  ['text/*', TEXT],
  ['*/*', TEXT],
  ['application/openmetrics-text', openMetrics('1.0.0')],
  ['application/openmetrics-text;1.0.0', openMetrics('1.0.0')],
  ['application/openmetrics-text;0.0.1', openMetrics('0.0.1')],
])

/** Never nothing: who asks for a format that does not exist gets text 0.0.4, as from every exporter. */
export function offerOf(accept: string | undefined): Offer {
  const offers = rangesOf(accept).map(({ value, parameters }) => OFFERS.get([value, parameters.get('version') ?? []].flat().join(';')))
  return offers.find((offer) => offer !== undefined) ?? TEXT
}

/** Only gzip or nothing: every scraper has it. */
export function wantsGzip(acceptEncoding: string | undefined): boolean {
  const wanted = rangesOf(acceptEncoding).find(({ value }) => ['gzip', 'x-gzip', 'identity', '*'].includes(value))
  return wanted !== undefined && wanted.value !== 'identity'
}

interface Range {
  readonly value: string
  readonly parameters: ReadonlyMap<string, string>
}

/** What is wanted, most wanted first; equals in the order they are named; `q=0` is not wanted. */
function rangesOf(header = ''): readonly Range[] {
  return header
    .split(',')
    .map(parseRange)
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
}

function parseRange(text: string): Range & { readonly q: number } {
  const [value = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(rest.map((part) => [part.split('=')[0] ?? '', (part.split('=')[1] ?? '').replaceAll('"', '')]))
  const q = Number(parameters.get('q') ?? 1)
  return { value, parameters, q: q >= 0 && q <= 1 ? q : 0 }
}

function openMetrics(version: string): Offer {
  return { format: 'openmetrics', contentType: `application/openmetrics-text; version=${version}; charset=utf-8` }
}
