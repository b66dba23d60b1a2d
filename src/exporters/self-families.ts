// What the agent says about itself. `process_*` are prom-client's own, with its help texts.
import type { Family } from '../model.js'

export const SELF = {
  up: { name: 'meshtoll_source_up', kind: 'gauge', labels: ['source'], help: 'Whether the last read of the source succeeded.' },
  readSeconds: {
    name: 'meshtoll_source_read_seconds',
    kind: 'gauge',
    labels: ['source'],
    help: 'Duration of the last read of the source.',
  },
  rejected: {
    name: 'meshtoll_source_rejected_rows_total',
    kind: 'counter',
    labels: ['source'],
    help: 'Rows of the source that could not be understood.',
  },
  resets: {
    name: 'meshtoll_source_resets_total',
    kind: 'counter',
    labels: ['source'],
    help: 'Times that a counter read by the source started over.',
  },
  build: {
    name: 'meshtoll_build_info',
    kind: 'gauge',
    labels: ['version', 'node_version'],
    help: 'Constant 1, labelled by the version of meshtoll and of the Node.js it runs on.',
  },
  stateWritable: {
    name: 'meshtoll_state_writable',
    kind: 'gauge',
    labels: [],
    help: 'Whether the state directory takes what must outlive the process; 0 means that counters may start over after a restart.',
  },
  cpuUser: { name: 'process_cpu_user_seconds_total', kind: 'counter', labels: [], help: 'Total user CPU time spent in seconds.' },
  cpuSystem: { name: 'process_cpu_system_seconds_total', kind: 'counter', labels: [], help: 'Total system CPU time spent in seconds.' },
  cpu: { name: 'process_cpu_seconds_total', kind: 'counter', labels: [], help: 'Total user and system CPU time spent in seconds.' },
} as const satisfies Readonly<Record<string, Family>>

const PROCESS: readonly Family[] = [
  { name: 'process_start_time_seconds', kind: 'gauge', labels: [], help: 'Start time of the process since unix epoch in seconds.' },
  { name: 'process_resident_memory_bytes', kind: 'gauge', labels: [], help: 'Resident memory size in bytes.' },
  { name: 'process_virtual_memory_bytes', kind: 'gauge', labels: [], help: 'Virtual memory size in bytes.' },
  { name: 'process_heap_bytes', kind: 'gauge', labels: [], help: 'Process heap size in bytes.' },
  { name: 'process_open_fds', kind: 'gauge', labels: [], help: 'Number of open file descriptors.' },
  { name: 'process_max_fds', kind: 'gauge', labels: [], help: 'Maximum number of open file descriptors.' },
]

export const families: readonly Family[] = [...Object.values(SELF), ...PROCESS]
