// What an agent needs to be allowed by RBAC for all that it is told to do, and what of it the API server would refuse.
import { usesKubelet } from '../../agent/kubelet.js'
import { leaseNameOf } from '../../cluster/leases.js'
import type { Config } from '../../config/fields.js'
import { type KubeClient, readJson } from '../../kube/client.js'
import { renderRules } from '../../kube/rbac.js'

export interface Access {
  readonly group: string
  /** With its subresource: `nodes/stats`. */
  readonly resource: string
  readonly verbs: readonly string[]
  /** Absent: in all of them, or in none. */
  readonly namespace?: string
  /** Of this one only. */
  readonly name?: string
  /** What comes of it; absent: nobody is counted as who they are. */
  readonly otherwise?: string
}

export interface Refused {
  readonly says: string
  readonly remedy: string
  readonly isVital: boolean
}

export interface Surroundings {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Of the agents. */
  readonly namespace: string
  /** What made this pod, where it is one. */
  readonly daemonSet: string | undefined
  /** Custom resources of Istio that there are. */
  readonly istio: readonly string[]
}

const FOLLOW = ['list', 'watch']

export function accessOf(surroundings: Surroundings): readonly Access[] {
  const { config, environment } = surroundings
  const { name } = config.node
  const countsFlows = config.flows.enabled !== false
  // With a directory, or without flows, it needs less, and may no more.
  const hearsAll = countsFlows && config.kubernetes.directory.url === null
  return [
    { group: '', resource: 'pods', verbs: FOLLOW },
    ...(hearsAll ? accessToAll(surroundings) : [{ group: '', resource: 'nodes', verbs: ['get'], name }]),
    { group: 'apps', resource: 'replicasets', verbs: ['get'], otherwise: `${UNKNOWN_MAKER} Deployment or Rollout is` },
    { group: 'batch', resource: 'jobs', verbs: ['get'], otherwise: `${UNKNOWN_MAKER} CronJob is` },
    ...(countsFlows ? accessToOwn(surroundings, hearsAll) : []),
    ...(usesKubelet(config, environment) ? accessToKubelet(name) : []),
  ]
}

const UNKNOWN_MAKER = 'pods may go by another name than that of the'

const accessToAll = ({ istio }: Surroundings): readonly Access[] => [
  ...['nodes', 'services'].map((resource) => ({ group: '', resource, verbs: FOLLOW })),
  ...istio.map((resource) => ({
    group: 'networking.istio.io',
    resource,
    verbs: FOLLOW,
    otherwise: 'hosts that they name go by their address',
  })),
]

function accessToOwn({ config, namespace, daemonSet }: Surroundings, hearsAll: boolean): readonly Access[] {
  const leases = { group: 'coordination.k8s.io', resource: 'leases', namespace }
  const name = leaseNameOf(config.node.name)
  return [
    { ...leases, verbs: hearsAll ? FOLLOW : ['get'], ...(hearsAll ? {} : { name }) },
    // No name restricts who creates.
    { ...leases, verbs: ['create'] },
    { ...leases, verbs: ['delete'], name },
    ...(daemonSet === undefined
      ? []
      : [
          {
            group: 'apps',
            resource: 'daemonsets',
            verbs: ['get'],
            namespace,
            name: daemonSet,
            otherwise: 'the kernel table stays where meshtoll is uninstalled',
          },
        ]),
    // With a directory its leader does it.
    ...(hearsAll ? [{ group: 'apps', resource: 'daemonsets', verbs: ['list'], namespace, otherwise: UNENDED }] : []),
  ]
}

const UNENDED = 'the Lease of a node whose agent went without a word hides its bytes'

const accessToKubelet = (name: string): readonly Access[] => [
  { group: '', resource: 'nodes/stats', verbs: ['get'], name, otherwise: 'the kubelet does not say what pods send and use' },
  { group: '', resource: 'nodes/metrics', verbs: ['get'], name, otherwise: 'a kubelet without /stats/summary does not say what pods use' },
]

/** Rejects where that cannot be asked. */
export async function refusedOf(client: KubeClient, all: readonly Access[], signal: AbortSignal): Promise<readonly Refused[]> {
  const refused = await Promise.all(
    all.map(async (access) => {
      const answers = await Promise.all(access.verbs.map((verb) => isAllowed(client, { ...access, verb }, signal)))
      return { ...access, verbs: access.verbs.filter((_, index) => !answers[index]) }
    }),
  )
  return refused.filter(({ verbs }) => verbs.length > 0).map(sayRefused)
}

/** SelfSubjectAccessReview (k8s.io/api authorization/v1), which everybody may ask for. */
interface Review {
  readonly status?: { readonly allowed?: boolean }
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

async function isAllowed(
  client: KubeClient,
  { group, resource: path, verb, namespace, name }: Access & { readonly verb: string },
  signal: AbortSignal,
): Promise<boolean> {
  const [resource, subresource] = path.split('/')
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { group, resource, subresource, verb, namespace, name } },
  }
  const { status } = (await readJson(client, REVIEWS, { method: 'POST', body, signal })) as Review
  return status?.allowed === true
}

function sayRefused({ group, resource, verbs, namespace, otherwise }: Access): Refused {
  const what = `${resource}${group === '' ? '' : `.${group}`}${namespace === undefined ? '' : ` in ${namespace}`}`
  return {
    says: `it may not ${verbs.join(' or ')} ${what}${otherwise === undefined ? '' : `: ${otherwise}`}`,
    remedy: `allow it with the RBAC rule ${renderRules({ group, resource, verbs })}`,
    isVital: otherwise === undefined,
  }
}
