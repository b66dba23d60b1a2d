// What the directory says of itself, beside what every process of ours says.
import type { Family } from '../model.js'

export const DIRECTORY = {
  sessions: { name: 'meshtoll_directory_sessions', kind: 'gauge', labels: [], help: 'Agents that listen to this replica.' },
  addresses: {
    name: 'meshtoll_directory_addresses',
    kind: 'gauge',
    labels: [],
    help: 'Addresses that somebody has, or had within the last hour.',
  },
  asked: {
    name: 'meshtoll_directory_asked_addresses',
    kind: 'gauge',
    labels: [],
    help: 'Addresses that agents ask for, each once.',
  },
  lines: { name: 'meshtoll_directory_lines_total', kind: 'counter', labels: [], help: 'Lines that were told to agents.' },
  leader: {
    name: 'meshtoll_directory_leader',
    kind: 'gauge',
    labels: [],
    help: 'Whether this replica has the Lease, and counts what is counted once in a cluster; the sum over all replicas is 1, or 0 for some seconds.',
  },
} as const satisfies Readonly<Record<string, Family>>

/** Served by the replica that has the Lease, and by no other. */
export const ENDPOINTS = {
  changes: {
    name: 'meshtoll_endpoint_changes_total',
    kind: 'counter',
    labels: ['service_namespace', 'service_name', 'change'],
    help: 'Endpoints of the Service that were added or removed, or became ready or unready, over all of its EndpointSlices; begins anew with each replica that takes over.',
  },
  restarts: {
    name: 'meshtoll_endpoint_pod_restarts_total',
    kind: 'counter',
    labels: ['service_namespace', 'service_name', 'reason'],
    help: 'Restarts of containers of the pods behind the Service, by what ended the run before; ShortLived is a pod that was gone within a minute of becoming ready.',
  },
} as const satisfies Readonly<Record<string, Family>>

export const families: readonly Family[] = [...Object.values(DIRECTORY), ...Object.values(ENDPOINTS)]
