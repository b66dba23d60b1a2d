// HTTP to the kubelet, with the agent's own token, which the kubelet has the API server judge. Loaded only where a kubelet is read: its client
// takes some megabytes.
import type { Deps } from '../../deps.js'
import { type ClientOptions, createKubeClient } from '../../kube/client.js'
import { KubeError } from '../../kube/kube-error.js'
import { renderRule } from '../../kube/rbac.js'
import { type KubeletEndpoint, KubeletRefused } from './source.js'

export interface EndpointOptions {
  /** `https://10.0.0.1:10250` */
  readonly url: string
  /** PEM: the cluster's authority, or the one that the configuration names. */
  readonly ca: ClientOptions['ca']
  readonly token: ClientOptions['token']
  readonly clientCertificate?: ClientOptions['clientCertificate']
  readonly insecureSkipVerify: boolean
}

/** A node of 500 pods says a quarter of it. */
const MAX_BYTES = 16 << 20
const CONNECTIONS = 1
const IDLE_MS = 5_000
const UNAUTHORIZED = 401
const FORBIDDEN = 403

const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
])

export function createKubeletEndpoint(options: EndpointOptions, deps: Pick<Deps, 'clock'>): KubeletEndpoint {
  const { url, ca, token, clientCertificate, insecureSkipVerify } = options
  const client = createKubeClient(
    { server: url, ca, token, clientCertificate, insecure: insecureSkipVerify, connections: CONNECTIONS },
    deps,
  )
  return {
    async read(path, signal) {
      try {
        const { body } = await client.request(path, { accept: '*/*', idleMs: IDLE_MS, signal })
        return await readWhole(body)
      } catch (error) {
        signal.throwIfAborted()
        throw error instanceof KubeError ? refusalOf(`${client.server}${path}`, error) : error
      }
    },
    close: () => client.close(),
  }
}

async function readWhole(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of body) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes > MAX_BYTES) throw new Error(`the kubelet's answer is larger than ${MAX_BYTES >> 20} MiB, so it is not read`)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** One line: what was asked, what is wrong with it, what to do. */
function refusalOf(asked: string, error: KubeError): Error {
  const { status, reason: code, message } = error
  const { host } = new URL(asked)
  if (status !== 0) return new KubeletRefused(status, `GET ${asked}: ${status}${remedyOf(asked, status)}`, { cause: error })
  if (UNTRUSTED.has(code)) {
    const remedy = 'set kubelet.tls.caFile to the authority that did, or kubelet.tls.insecureSkipVerify: true'
    return new Error(`the certificate of the kubelet at ${host} is not signed by the cluster's authority; ${remedy}`, { cause: error })
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const remedy = 'set kubelet.url to one of them, or kubelet.tls.insecureSkipVerify: true'
    return new Error(`the certificate of the kubelet at ${host} is for other names; ${remedy}`, { cause: error })
  }
  if (code === 'ECONNREFUSED') return new Error(`no kubelet listens at ${host}; if it does elsewhere, set kubelet.url`, { cause: error })
  return new Error(message, { cause: error })
}

function remedyOf(asked: string, status: number): string {
  if (status === UNAUTHORIZED)
    return "; the kubelet does not take the agent's token: let it ask the API server (authentication.webhook.enabled: true)"
  if (status !== FORBIDDEN) return ''
  const resource = new URL(asked).pathname.includes('/stats/') ? 'nodes/stats' : 'nodes/metrics'
  return `; allow it with the RBAC rule ${renderRule({ verb: 'get', group: '', resource })}`
}
