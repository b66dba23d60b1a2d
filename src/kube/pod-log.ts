// What the API server hands on of a container's log, from the kubelet of its node: lines with the runtime's time before each.
//   2026-11-21T05:46:20.275502123Z 2026-11-21T05:46:20.275502Z	info	ads	Push debounce ...
// Needs the RBAC rule {resources: ["pods/log"], verbs: ["get"]}.
import type { KubeClient } from './client.js'

export interface ContainerName {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

export interface PodLogOptions {
  /** From the second on that it is in; the API knows no less. Absent: all that the kubelet has of its youngest file. */
  readonly sinceMs?: number | undefined
  /** Of the container before the one that runs. Status 400 where there was none. */
  readonly previous?: boolean
  /** Until the container ends. */
  readonly follow?: boolean
  readonly limitBytes?: number
}

/** A container may be silent for long, and what it is followed over is not heard of before its first line. A dead connection is found by its probes. */
const SILENT_MS = 600_000

/** Rejects with a KubeError, or the signal's reason when aborted. */
export async function openPodLog(
  client: KubeClient,
  { namespace, pod, container }: ContainerName,
  { sinceMs, previous = false, follow = false, limitBytes }: PodLogOptions,
  signal: AbortSignal,
): Promise<AsyncIterable<Buffer>> {
  const query = {
    container,
    timestamps: 'true',
    ...(sinceMs === undefined ? {} : { sinceTime: new Date(sinceMs).toISOString().replace(/\.\d+Z$/, 'Z') }),
    ...(previous ? { previous: 'true' } : {}),
    ...(follow ? { follow: 'true' } : {}),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  }
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`
  const longest = follow ? { headersMs: SILENT_MS, idleMs: SILENT_MS } : {}
  const { body } = await client.request(path, { query, accept: '*/*', signal, ...longest })
  return body
}
