// How often a pod's containers were restarted, and why the last time (k8s.io/api core/v1 ContainerStatus).
import { fieldsOf, listOf, type Raw, textOf } from '../../formats/raw.js'

export interface ContainerRestarts {
  readonly container: string
  /** Running total, above 0. */
  readonly count: number
  /** One of few, as Kubernetes writes it; `_other`: another one; `_unknown`: none is said. */
  readonly reason: string
}

const NONE: readonly ContainerRestarts[] = Object.freeze([])
/** Debug containers are not restarted. */
const STATUSES = ['containerStatuses', 'initContainerStatuses']
/** Of the kubelet and its container runtimes. A runtime may say anything, hence the list. */
const REASONS = [
  ...['Completed', 'ContainerCannotRun', 'ContainerStatusUnknown', 'CrashLoopBackOff', 'CreateContainerConfigError'],
  ...['CreateContainerError', 'DeadlineExceeded', 'Error', 'Evicted', 'OOMKilled', 'RunContainerError', 'StartError'],
]

/** Containers that were never restarted are left out, and most pods have no other. */
export function restartsOf(raw: unknown): readonly ContainerRestarts[] {
  const status = fieldsOf(fieldsOf(raw).status)
  const restarts = STATUSES.flatMap((key) => listOf(status[key]).map(fieldsOf)).flatMap(ofContainer)
  return restarts.length === 0 ? NONE : Object.freeze(restarts)
}

function ofContainer(status: Raw): readonly ContainerRestarts[] {
  const { name, restartCount: count } = status
  if (typeof count !== 'number' || !(count > 0)) return NONE
  return [Object.freeze({ container: textOf(name), count, reason: reasonOf(status) })]
}

/** What ended the run before this one; while that is not said, what ended this one or keeps it from starting. */
function reasonOf({ lastState, state }: Raw): string {
  const [last, now] = [fieldsOf(lastState), fieldsOf(state)]
  const said = [last.terminated, now.terminated, now.waiting].map((one) => textOf(fieldsOf(one).reason)).find((text) => text !== '')
  if (said === undefined) return '_unknown'
  return REASONS.find((reason) => reason === said) ?? '_other'
}
