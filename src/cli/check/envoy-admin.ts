// Whether the proxies of this node answer at their admin ports, by the way in that an agent would take.
import { adminsOf, asksAdmin, openAdmin } from '../../agent/envoy-admin.js'
import type { Config } from '../../config/fields.js'
import type { Deps } from '../../deps.js'
import { createSlots } from '../../slots.js'
import { createClusterHosts } from '../../sources/envoy-admin/clusters.js'
import type { Admin } from '../../sources/envoy-admin/source.js'
import type { Target } from '../../sources/scraping.js'
import { type Asked, findAnswers } from './asking.js'
import { type Finding, fail, ok, warn } from './finding.js'
import { type OwnPodsHere, readPods } from './pods.js'

interface Surroundings extends OwnPodsHere {
  /** Whether an agent would follow pods. */
  readonly followsPods: boolean
}

type ProbeDeps = Pick<Deps, 'clock' | 'log' | 'readFile' | 'listFolders'>

const AT_ONCE = 8
const NOBODY = { live: () => [] }

/** Undefined where an agent would ask none. */
export async function probeEnvoyAdmin(
  { config, environment, followsPods }: Surroundings,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<Asked | { readonly message: string } | undefined> {
  if (!asksAdmin(config, followsPods ? NOBODY : undefined)) return undefined
  try {
    const targets = [...adminsOf(await readPods({ config, environment }, deps, signal))]
    return targets.length === 0 ? { targets: 0, silent: [] } : await askAdmins(targets, await openAdmin(deps), signal)
  } catch (error) {
    return { message: (error as Error).message }
  }
}

async function askAdmins(targets: readonly Target[], admin: Admin, signal: AbortSignal): Promise<Asked> {
  const slots = createSlots(AT_ONCE)
  const silent: { place: string; reason: string }[] = []
  const askOne = async ({ url, pod }: Target): Promise<void> => {
    if (!pod) return
    const place = `${pod.namespace}/${pod.name}`
    if (url === undefined) return void silent.push({ place, reason: 'it has no address yet' })
    const hosts = createClusterHosts(() => undefined)
    await admin
      .get({ url, pod }, async (piece) => hosts.write(piece), signal)
      .then(hosts.end)
      .catch((error: Error) => void silent.push({ place, reason: error.message }))
  }
  await Promise.all(targets.map((target) => slots(() => askOne(target))))
  return { targets: targets.length, silent }
}

interface Found {
  readonly envoyAdmin: Asked | { readonly message: string } | undefined
  readonly node: { readonly capabilities: bigint | undefined }
  readonly config: Config
}

/** include/uapi/linux/capability.h */
const CAPABILITIES = { CAP_SYS_PTRACE: 19n, CAP_SYS_ADMIN: 21n }

export function findEnvoyAdmin({ envoyAdmin, node, config: { envoy } }: Found): Finding[] {
  if (envoy.admin === 'off' || envoy.enabled === false) return [ok('not asked (envoy.admin: off)')]
  if (!envoyAdmin) return [warn('not asked: no pods are followed', 'set envoy.admin: off where there is no Kubernetes')]
  const missing = missingOf(node.capabilities)
  if (missing.length > 0) {
    return [
      fail(
        `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing: the network namespaces of proxies cannot be entered`,
        'give the process CAP_SYS_ADMIN and CAP_SYS_PTRACE beside CAP_NET_ADMIN, as the chart does, or set envoy.admin: off',
      ),
    ]
  }
  if ('message' in envoyAdmin) return [warn(`proxies of this node cannot be asked: ${envoyAdmin.message}`)]
  if (envoyAdmin.targets === 0) return [ok('no Istio proxies on this node')]
  return [findAnswers(envoyAdmin, { name: ['proxy', 'proxies'], isWanted: true, remedyOf })]
}

function missingOf(mask: bigint | undefined): readonly string[] {
  if (mask === undefined) return []
  return Object.entries(CAPABILITIES).flatMap(([name, bit]) => ((mask & (1n << bit)) === 0n ? [name] : []))
}

function remedyOf(reason: string): string | undefined {
  if (reason.startsWith('no process')) return "mount the host's /proc read-only, anywhere, or run in the host's process namespace"
  if (reason.includes('may not be'))
    return 'let SELinux or AppArmor pass the agent: seLinuxOptions.type spc_t, or a profile that allows ptrace'
  return undefined
}
