// `--web.config.file`: who may connect and how. What the file names is read again for every request, as Prometheus's
// exporter-toolkit does it, so that certificates rotate without a restart.
import type { SecureContextOptions } from 'node:tls'
import type { Log } from '../deps.js'

export interface WebTls {
  readonly certFile: string
  readonly keyFile: string
  /** Set: clients must show a certificate that one of these signed. */
  readonly clientCaFile: string | undefined
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

export interface WebConfig {
  readonly tls: WebTls | undefined
  /** User to bcrypt hash; empty: anybody. */
  readonly users: ReadonlyMap<string, string>
  readonly headers: Readonly<Record<string, string>>
}

export interface WebFiles {
  /** Reads the file again. Rejects when it is missing or has mistakes. */
  readonly config: () => Promise<WebConfig>
  readonly readFile: (path: string) => Promise<string>
}

/** A web configuration with the contents of the files it names. */
export interface Web {
  readonly config: WebConfig
  readonly secureContext: SecureContextOptions | undefined
}

/** What the web configuration names cannot be used. */
export class WebError extends Error {
  override readonly name = 'WebError'

  constructor(message: string, cause: unknown) {
    super(message, { cause })
  }
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const OPEN_WEB: Web = { config: { tls: undefined, users: new Map(), headers: {} }, secureContext: undefined }

export async function readWeb({ config, readFile }: WebFiles): Promise<Web> {
  const read = await config()
  return { config: read, secureContext: read.tls && (await readSecureContext(read.tls, readFile)) }
}

async function readSecureContext(tls: WebTls, readFile: WebFiles['readFile']): Promise<SecureContextOptions> {
  const { certFile, keyFile, clientCaFile, minVersion } = tls
  const read = async (path: string): Promise<string> => {
    try {
      return await readFile(path)
    } catch (error) {
      throw new WebError(`${path}, which the web configuration names, cannot be read: ${reasonOf(error)}`, error)
    }
  }
  const [cert, key, ca] = await Promise.all([read(certFile), read(keyFile), clientCaFile === undefined ? undefined : read(clientCaFile)])
  return { cert, key, minVersion, ...(ca === undefined ? {} : { ca }) }
}

export interface WebWatch {
  /** As the files are now; as they were when they have mistakes now. Concurrent calls share the read. */
  current(): Promise<Web>
}

/** `apply` gets each new secure context; what it throws (a key that is not the certificate's) counts as a mistake in the files. */
export function createWebWatch(
  files: WebFiles,
  first: Web,
  parts: { log: Pick<Log, 'warn'>; apply(options: SecureContextOptions): void },
): WebWatch {
  let last = first
  let underWay: Promise<Web> | undefined
  let complaint = ''

  async function refresh(): Promise<Web> {
    try {
      const next = await readWeb(files)
      assertSameTransport(first, next)
      if (next.secureContext && JSON.stringify(next.secureContext) !== JSON.stringify(last.secureContext)) parts.apply(next.secureContext)
      last = next
      complaint = ''
    } catch (error) {
      const reason = reasonOf(error)
      if (reason !== complaint) parts.log.warn('the web configuration changed and cannot be used, the one before stays', { error: reason })
      complaint = reason
    }
    return last
  }

  return {
    current() {
      underWay ??= refresh().finally(() => {
        underWay = undefined
      })
      return underWay
    },
  }
}

function assertSameTransport(first: Web, next: Web): void {
  const transportOf = ({ config: { tls } }: Web): string => `${tls !== undefined} ${tls?.clientCaFile !== undefined}`
  if (transportOf(first) !== transportOf(next)) throw new Error('TLS or client certificates were switched on or off, which takes a restart')
}
