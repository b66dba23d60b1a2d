// The few facts of an EndpointSlice that are kept (k8s.io/api discovery/v1).
import { fieldsOf, listOf, type Raw, textOf } from '../../formats/raw.js'

/** `leaving`: its pod is being deleted. */
export type State = 'ready' | 'unready' | 'leaving'

/** Endpoints by their state, each as the uid of what it targets (a pod, that is), or else as its addresses. */
export interface SliceFacts extends Readonly<Record<State, readonly string[]>> {
  readonly namespace: string
  readonly service: string
}

/** Of slices without it nobody knows the service. */
export const SERVICE_LABEL = 'kubernetes.io/service-name'
export const ENDPOINT_SLICES = '/apis/discovery.k8s.io/v1/endpointslices'
/** An endpoint that is in several slices of its service, as one of two families is, is in the first of these. */
export const STATES: readonly State[] = ['ready', 'unready', 'leaving']
const NONE: readonly string[] = Object.freeze([])

/** The text that is kept already, of a pod's uid and its addresses, or the same one. */
export type ShareUid = (uid: string, addresses: readonly unknown[]) => string

/** Undefined where it is no EndpointSlice of a Service. */
export function sliceFactsOf(raw: unknown, share: ShareUid = (uid) => uid): SliceFacts | undefined {
  const { metadata, endpoints } = fieldsOf(raw)
  const { namespace, labels } = fieldsOf(metadata)
  const service = textOf(fieldsOf(labels)[SERVICE_LABEL])
  if (textOf(namespace) === '' || service === '') return undefined
  const all = listOf(endpoints).map(fieldsOf)
  const idsIn = (state: State): readonly string[] => {
    const ids = all.filter(({ conditions }) => stateOf(fieldsOf(conditions)) === state).flatMap((endpoint) => idOf(endpoint, share) || [])
    // A copy has room for no more than these.
    return ids.length === 0 ? NONE : Object.freeze(ids.slice())
  }
  const states = { ready: idsIn('ready'), unready: idsIn('unready'), leaving: idsIn('leaving') }
  return Object.freeze({ namespace: textOf(namespace), service, ...states })
}

/** What is not said is to be taken for ready. A Service may have those that leave called ready (publishNotReadyAddresses). */
function stateOf({ ready, terminating }: Raw): State {
  if (terminating === true && ready !== true) return 'leaving'
  return ready === false ? 'unready' : 'ready'
}

/** `''` where it has neither. */
function idOf({ targetRef, addresses }: Raw, share: ShareUid): string {
  const uid = textOf(fieldsOf(targetRef).uid)
  return uid ? share(uid, listOf(addresses)) : listOf(addresses).map(textOf).sort().join()
}
