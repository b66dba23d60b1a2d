// Where the API server is, and who we are: a pod's service account, or a kubeconfig file.
import type { Deps } from '../deps.js'
import { AccessError } from './access-error.js'
import type { ClientOptions } from './client.js'
import { createTokenFile } from './token.js'

export interface AccessOptions {
  /** Path of a kubeconfig file; null or absent: the service account of the pod that we run in. */
  readonly kubeconfig?: string | null | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Folder of the service account. */
  readonly serviceAccount?: string | undefined
}

export interface Access extends ClientOptions {
  /** Our own namespace, or the one of the context. */
  readonly namespace: string
}

export type AccessDeps = Pick<Deps, 'readFile' | 'clock'>

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Rejects with an AccessError that says what to do. */
export async function readAccess(options: AccessOptions, deps: AccessDeps, signal: AbortSignal): Promise<Access> {
  const { kubeconfig, environment, serviceAccount = SERVICE_ACCOUNT } = options
  if (typeof kubeconfig !== 'string') return readServiceAccount(serverOf(environment), { folder: serviceAccount, deps }, signal)
  // Its YAML parser costs 8 MB, which no pod shall pay.
  const { readKubeconfig } = await import('./kubeconfig.js')
  return readKubeconfig(kubeconfig, deps, signal)
}

/** Kubernetes tells every container (kubernetes.io/docs/tasks/run-application/access-api-from-pod). */
function serverOf(environment: AccessOptions['environment']): string {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = environment
  if (host === '') throw new AccessError('there is no API server: this is no pod (no KUBERNETES_SERVICE_HOST); name a kubeconfig file')
  if (!/^\d+$/.test(port)) {
    const found = port === '' ? 'is not set' : `is "${port}"`
    throw new AccessError(`KUBERNETES_SERVICE_HOST is set but KUBERNETES_SERVICE_PORT ${found}; set both, or name a kubeconfig file`)
  }
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`
}

interface ServiceAccountParts {
  readonly folder: string
  readonly deps: AccessDeps
}

async function readServiceAccount(server: string, { folder, deps }: ServiceAccountParts, signal: AbortSignal): Promise<Access> {
  const readFile: Deps['readFile'] = (path, until) =>
    deps.readFile(path, until).catch((error: NodeJS.ErrnoException) => {
      until?.throwIfAborted()
      const remedy = 'set automountServiceAccountToken: true for the pod, or name a kubeconfig file'
      throw new AccessError(`the service account's ${path} cannot be read: ${error.code ?? error.message}; ${remedy}`, { cause: error })
    })
  const ca = await readFile(`${folder}/ca.crt`, signal)
  const namespace = await readFile(`${folder}/namespace`, signal)
  const token = createTokenFile(`${folder}/token`, { ...deps, readFile })
  // Read once now, so that a missing token is said at the start.
  await token(undefined, signal)
  return { server, ca, token, namespace: namespace.trim() }
}
