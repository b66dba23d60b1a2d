// Whether a DaemonSet has a pod on a node, as its controller decides it (kubernetes/pkg/controller/daemon, NodeShouldRunDaemonPod): by the node
// selector and the required affinity of its template, and by taints that the pod does not tolerate.

interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

interface Term {
  readonly matchExpressions?: readonly Requirement[]
  readonly matchFields?: readonly Requirement[]
}

interface Toleration {
  readonly key?: string
  readonly operator?: string
  readonly value?: string
  readonly effect?: string
}

/** The fields of a PodSpec that are used (k8s.io/api core/v1). */
export interface PodPlace {
  readonly hostNetwork?: boolean
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly affinity?: {
    readonly nodeAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms?: readonly Term[] } }
  }
  readonly tolerations?: readonly Toleration[]
}

/** The fields of a Node that are used. */
export interface RawNode {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: { readonly taints?: readonly Taint[] }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}

/** Throws where it says it by an operator that is not known here. */
export function wantsNode(pod: PodPlace, { metadata: { name, labels = {} }, spec: { taints = [] } = {} }: RawNode): boolean {
  const { nodeSelector = {}, affinity, tolerations = [] } = pod
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return (
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) &&
    (terms?.some((term) => isMet(term, { labels, name })) ?? true) &&
    taints.filter(keepsAway).every((taint) => tolerations.some((one) => tolerates(one, taint)))
  )
}

/** Its kubelet is not heard: it is off, or cut off from the API server, and goes on with all that it ran. */
export const isUnheard = ({ status }: RawNode): boolean =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'Unknown') ?? false

const KEEPS_AWAY = new Set(['NoSchedule', 'NoExecute'])
/** How a node is at the moment, such as not ready or cordoned: that says nothing of who belongs there. Controllers tolerate most of it as well. */
const PASSING = /^node\.(cloudprovider\.)?kubernetes\.io\//

const keepsAway = ({ key, effect }: Taint): boolean => KEEPS_AWAY.has(effect) && !PASSING.test(key)

/** One that asks for nothing is met by no node. */
function isMet(
  { matchExpressions = [], matchFields = [] }: Term,
  { labels, name }: { readonly labels: Readonly<Record<string, string>>; readonly name: string },
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const fields = { 'metadata.name': name }
  return matchExpressions.every((one) => holds(one, labels)) && matchFields.every((one) => holds(one, fields))
}

function holds({ key, operator, values = [] }: Requirement, has: Readonly<Record<string, string>>): boolean {
  const value = has[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return isInteger(value) && Number(value) > Number(values[0])
    case 'Lt':
      return isInteger(value) && Number(value) < Number(values[0])
    default:
      throw unknown(operator)
  }
}

const isInteger = (text: string | undefined): text is string => text !== undefined && /^[+-]?\d+$/.test(text)

/** Without a key it is for all of them, without an effect for each. */
function tolerates({ key = '', operator = 'Equal', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if ((effect !== '' && effect !== taint.effect) || (key !== '' && key !== taint.key)) return false
  if (operator === 'Exists') return true
  if (operator !== 'Equal' && operator !== '') throw unknown(operator)
  return value === (taint.value ?? '')
}

const unknown = (operator: string): Error =>
  new Error(`whether the DaemonSet wants this node is said by ${operator}, an operator that is not known here`)
