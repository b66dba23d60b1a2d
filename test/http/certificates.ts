// Certificates made on the spot by openssl: an authority, a server and a client of it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Pair {
  readonly certFile: string
  readonly keyFile: string
  readonly cert: string
  readonly key: string
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

export function createAuthority(folder: string, name: string): Pair {
  return made(folder, name, (pair) => openssl(['req', '-x509', ...KEY, '-subj', `/CN=${name}`, ...filesOf(pair)]))
}

/** Signed by `authority`; `of`: whose it is. */
export function createCertificate(folder: string, name: string, authority: Pair, of = 'IP:127.0.0.1'): Pair {
  const signer = ['-CA', authority.certFile, '-CAkey', authority.keyFile]
  const extensions = ['-addext', `subjectAltName=${of}`, '-addext', 'basicConstraints=CA:FALSE']
  return made(folder, name, (pair) => openssl(['req', '-x509', ...KEY, ...signer, '-subj', `/CN=${name}`, ...extensions, ...filesOf(pair)]))
}

function made(folder: string, name: string, make: (pair: Pick<Pair, 'certFile' | 'keyFile'>) => void): Pair {
  const pair = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) }
  make(pair)
  return { ...pair, cert: readFileSync(pair.certFile, 'utf8'), key: readFileSync(pair.keyFile, 'utf8') }
}

const filesOf = ({ certFile, keyFile }: Pick<Pair, 'certFile' | 'keyFile'>): string[] => ['-out', certFile, '-keyout', keyFile]

const openssl = (parts: readonly string[]): Buffer => execFileSync('openssl', parts, { stdio: 'pipe' })
