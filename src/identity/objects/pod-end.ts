// When a pod sent its last.
import { fieldsOf, listOf, type Raw, textOf, timeMsOf } from '../../formats/raw.js'
import { latestOf } from './raw.js'

/** The parts of a Pod, and its start in milliseconds. */
export interface PodParts {
  readonly metadata: Raw
  readonly spec: Raw
  readonly status: Raw
  readonly startedMs: number
}

// Sidecars are init containers that do not end by themselves; a debug container can outlive all others. Each of them can send.
const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers']
const STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']

/** The kubelet, or whoever evicts, turns these when containers end. Conditions of others, such as load balancers, turn whenever they like. */
const TURNED_BY_END = new Set(['Ready', 'ContainersReady', 'PodReadyToStartContainers', 'DisruptionTarget'])

/**
 * Undefined while it may send: until its phase is final, or it is being deleted and each of its containers has terminated.
 * The time is when the last container finished. Containers that the kubelet lost (ContainerStatusUnknown: evictions, reboots) do
 * not say when; then it is when the conditions turned, else when it was to be gone. Too early only costs a name, since whoever
 * gets the address next starts later.
 */
export function endedMsOf({ metadata, spec, status, startedMs }: PodParts): number | undefined {
  const isFinal = status.phase === 'Succeeded' || status.phase === 'Failed'
  const deletedMs = timeMsOf(metadata.deletionTimestamp)
  if (!isFinal && deletedMs === undefined) return undefined
  const containers = containersOf(spec, status)
  if (!isFinal && !areTerminated(containers)) return undefined
  const finishes = containers.map(({ terminated }) => timeMsOf(terminated?.finishedAt))
  if (!finishes.includes(undefined)) return latestOf([startedMs, ...finishes])
  const turns = isFinal ? turnsOf(status) : []
  return latestOf([startedMs, ...finishes, ...(turns.length > 0 ? turns : [deletedMs])])
}

/** `terminated`: undefined while it waits or runs, or where nothing is said of it. */
interface Container {
  readonly terminated: Raw | undefined
}

function containersOf(spec: Raw, status: Raw): readonly Container[] {
  const known = new Map<string, Container>()
  for (const { name } of entriesOf(spec, CONTAINERS)) known.set(textOf(name), { terminated: undefined })
  for (const { name, state } of entriesOf(status, STATUSES)) known.set(textOf(name), { terminated: terminatedOf(state) })
  return [...known.values()]
}

function entriesOf(parts: Raw, keys: readonly string[]): readonly Raw[] {
  return keys.flatMap((key) => listOf(parts[key]).map(fieldsOf))
}

function terminatedOf(state: unknown): Raw | undefined {
  const { terminated } = fieldsOf(state)
  return terminated === undefined || terminated === null ? undefined : fieldsOf(terminated)
}

function areTerminated(containers: readonly Container[]): boolean {
  return containers.length > 0 && containers.every(({ terminated }) => terminated !== undefined)
}

function turnsOf(status: Raw): readonly number[] {
  const conditions = listOf(status.conditions).map(fieldsOf)
  const turned = conditions.filter(({ type }) => TURNED_BY_END.has(textOf(type)))
  return turned.flatMap(({ lastTransitionTime }) => timeMsOf(lastTransitionTime) ?? [])
}
