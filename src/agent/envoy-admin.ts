// The admin ports of this node's proxies as a source: whether they are asked, and by which way in.
import type { Config } from '../config/fields.js'
import type { Deps } from '../deps.js'
import type { EndedPod } from '../identity/ended-pods.js'
import type { OwnPods } from '../identity/own-pods.js'
import type { Source } from '../model.js'
import { type Admin, createEnvoyAdmin } from '../sources/envoy-admin/source.js'
import type { Target } from '../sources/scraping.js'
import { usesEnvoy } from './envoy.js'
import { targetsOf } from './targets.js'

const PORT = 15000
const PATH = '/clusters?format=json'
const DEADLINE_MS = 20_000
/** One in 5,000 Services with eight pods each says 30 MB. */
const MAX_BYTES = 256 << 20
/** Where pilot-agents are not asked. */
const INTERVAL_MS = 60_000

type Pods = Pick<OwnPods, 'live'>
type AdminConfig = Pick<Config, 'envoy' | 'identity'>
export type AdminDeps = Pick<Deps, 'clock' | 'log' | 'readFile' | 'listFolders'>

export const asksAdmin = (config: Pick<Config, 'envoy'>, pods: Pods | undefined): pods is Pods =>
  config.envoy.admin === 'netns' && pods !== undefined && usesEnvoy(config, pods)

interface Parts {
  readonly pods: Pods
  readonly endedPod: (address: string) => EndedPod | undefined
}

export function createEnvoyAdminSource({ envoy, identity }: AdminConfig, { pods, endedPod }: Parts, deps: AdminDeps): Source {
  const intervalMs = envoy.agentIntervalMs === 'off' ? INTERVAL_MS : envoy.agentIntervalMs
  const { patienceMs } = identity
  return createEnvoyAdmin({ intervalMs, patienceMs, endedPod, targets: () => adminsOf(pods), open: () => openAdmin(deps) }, deps)
}

export const adminsOf = (pods: Pods): Iterable<Target> =>
  targetsOf(pods, 'proxy', (host) => `http://${host.startsWith('[') ? '[::1]' : '127.0.0.1'}:${PORT}${PATH}`)

/** Loaded only where it is wanted. */
export async function openAdmin(deps: AdminDeps): Promise<Admin> {
  const [{ loadNetworkNamespaces }, { createPodNamespaces }, { createAdmin }] = await Promise.all([
    import('../kernel/network-namespaces.js'),
    import('../kernel/pod-namespaces.js'),
    import('../sources/envoy-admin/admin.js'),
  ])
  const namespaces = createPodNamespaces(await loadNetworkNamespaces(deps), deps)
  return createAdmin({ openNamespace: namespaces.open, deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES }, deps)
}
