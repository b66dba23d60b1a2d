// The file of --web.config.file: exporter-toolkit's format (docs/web-configuration.md there), as far as it makes sense here.
// It has no references to the environment: a bcrypt hash is full of dollar signs.
import { basename, dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { option, optional, type ValuesOf } from './field.js'
import { boolean, oneOf, path } from './kinds.js'
import { type Mistake, type Mistakes, type Position, sortByPosition } from './mistakes.js'
import { didYouMean, nearest } from './near.js'
import { type Naming, type Reading, readFields, readMapping, soundMistakes } from './shape.js'
import { type MappingEntry, type Node, parseYaml, showNode } from './yaml.js'

export interface WebOptions {
  readonly tls: TlsOptions | undefined
  /** User to bcrypt hash. */
  readonly users: ReadonlyMap<string, string>
  readonly headers: Readonly<Record<string, string>>
}

export interface TlsOptions {
  readonly certFile: string
  readonly keyFile: string
  readonly clientCaFile: string | undefined
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

export type LoadedWeb = { readonly web: WebOptions } | { readonly mistakes: Mistakes }

const NONE = { value: null, shown: 'none' }
const VERSIONS = { TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const

const TLS_FIELDS = {
  cert_file: optional(path, NONE, 'Certificate of the server, PEM.'),
  key_file: optional(path, NONE, 'Its key, PEM.'),
  client_ca_file: optional(path, NONE, 'Who signs the certificates of clients, PEM.'),
  client_auth_type: option(oneOf('NoClientCert', 'RequireAndVerifyClientCert'), 'NoClientCert', 'Whether clients need a certificate.'),
  min_version: option(oneOf('TLS12', 'TLS13'), 'TLS12', 'Oldest version of TLS that is spoken.'),
}

const SECTIONS = ['tls_server_config', 'http_server_config', 'basic_auth_users']
const HEADERS = ['Content-Security-Policy', 'X-Frame-Options', 'X-Content-Type-Options', 'X-XSS-Protection', 'Strict-Transport-Security']
/** What exporter-toolkit knows besides. */
const NOT_HERE = ['rate_limit', 'cert', 'key', 'client_ca', 'client_allowed_sans', 'max_version', 'cipher_suites', 'curve_preferences']

const bcryptHash = v.pipe(v.string(), v.regex(/^\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}$/))
const headerValue = v.pipe(v.string(), v.regex(/^[\t\x20-\x7e]*$/))

export async function loadWeb(file: string, readFile: (path: string) => Promise<string>): Promise<LoadedWeb> {
  const where = basename(file)
  try {
    const { web, mistakes } = parseWeb(await readFile(file), dirname(file))
    return mistakes.length > 0 ? { mistakes: { where, found: mistakes } } : { web }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { mistakes: { where, found: [{ text: `cannot read ${file}: ${reason}; set --web.config.file to the right path` }] } }
  }
}

/** Paths are relative to `folder`, the file's own. */
export function parseWeb(text: string, folder: string): { readonly web: WebOptions; readonly mistakes: readonly Mistake[] } {
  const tree = parseYaml(text)
  const reading: Reading = { environment: {}, mistakes: [] }
  const given = readMapping(tree.root, { known: SECTIONS, naming: namingOf('', SECTIONS) }, reading)
  const web = {
    tls: readTls(given.get('tls_server_config')?.value, folder, reading),
    headers: readHttp(given.get('http_server_config')?.value, reading),
    users: readUsers(given.get('basic_auth_users')?.value, reading),
  }
  return { web, mistakes: sortByPosition(soundMistakes(tree, reading.mistakes)) }
}

function readTls(node: Node | undefined, folder: string, reading: Reading): TlsOptions | undefined {
  if (node === undefined || node.kind === 'empty') return undefined
  const naming = namingOf('tls_server_config', Object.keys(TLS_FIELDS))
  const values = readFields(node, { fields: TLS_FIELDS, naming }, reading) as unknown as ValuesOf<typeof TLS_FIELDS>
  const { cert_file: cert, key_file: key, client_ca_file: clientCa, client_auth_type: clientAuth, min_version: minVersion } = values
  const verifies = clientAuth === 'RequireAndVerifyClientCert'
  const complain = complainAt(node.at, reading)
  if (cert === null) complain('tls_server_config has no cert_file; expected the path of the certificate')
  if (key === null) complain('tls_server_config has no key_file; expected the path of the key')
  if (verifies && clientCa === null) complain('tls_server_config has no client_ca_file, which RequireAndVerifyClientCert needs')
  if (!verifies && clientCa !== null)
    complain('client_ca_file is given without client_auth_type: RequireAndVerifyClientCert; nobody would be checked')
  return {
    certFile: resolve(folder, cert ?? ''),
    keyFile: resolve(folder, key ?? ''),
    clientCaFile: clientCa === null ? undefined : resolve(folder, clientCa),
    minVersion: VERSIONS[minVersion],
  }
}

/** `http2` may be said and changes nothing: HTTP/1.1 is spoken. */
function readHttp(node: Node | undefined, reading: Reading): WebOptions['headers'] {
  if (node === undefined) return {}
  const known = ['http2', 'headers']
  const given = readMapping(node, { known, naming: namingOf('http_server_config', known) }, reading)
  const http2 = given.get('http2')?.value
  const isBoolean = http2?.kind !== 'scalar' || v.safeParse(boolean.schema, http2.text).success
  if (http2 && !isBoolean) complainAt(http2.at, reading)(`http_server_config.http2 is ${showNode(http2)}; expected ${boolean.expected}`)
  const headers = given.get('headers')?.value
  if (headers === undefined) return {}
  const naming = namingOf('http_server_config.headers', HEADERS)
  const entries = [...readMapping(headers, { known: HEADERS, naming }, reading).values()]
  return Object.fromEntries(entries.flatMap((entry) => readHeader(entry, reading)))
}

function readHeader({ key, value }: MappingEntry, reading: Reading): [string, string][] {
  if (value.kind === 'empty') return []
  if (value.kind === 'scalar' && v.is(headerValue, value.text)) return [[key, value.text]]
  complainAt(value.at, reading)(`http_server_config.headers.${key} is ${showNode(value)}; expected one line of ASCII`)
  return []
}

/** A wrong hash is not shown: it may be the password itself. */
function readUsers(node: Node | undefined, reading: Reading): ReadonlyMap<string, string> {
  if (node === undefined || node.kind === 'empty') return new Map()
  if (node.kind !== 'mapping') complainAt(node.at, reading)('basic_auth_users is not a mapping; expected users with their bcrypt hashes')
  const users = new Map<string, string>()
  for (const { key, at, value } of node.kind === 'mapping' ? node.entries : []) {
    if (users.has(key)) complainAt(at, reading)(`basic_auth_users.${key} is given twice`)
    const hash = value.kind === 'scalar' && v.is(bcryptHash, value.text) ? value.text : undefined
    if (hash === undefined) {
      complainAt(value.at, reading)(`basic_auth_users.${key} is not a bcrypt hash of cost 4 to 16; make one with htpasswd -nBC 10 ${key}`)
    }
    users.set(key, hash ?? '')
  }
  return users
}

const complainAt =
  (at: Position, { mistakes }: Reading) =>
  (text: string): void =>
    void mistakes.push({ at, text })

function namingOf(section: string, known: readonly string[]): Naming {
  const pathOf = (key: string): string => (section === '' ? key : `${section}.${key}`)
  return {
    whole: section || 'the file',
    pathOf,
    unknown: (key) =>
      NOT_HERE.includes(key)
        ? `${pathOf(key)} is not supported by meshtoll; remove it`
        : `${pathOf(key)} is not an option${didYouMean(nearest(pathOf(key), known.map(pathOf)))}`,
  }
}
