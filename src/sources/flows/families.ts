import type { Family } from '../../model.js'

export const families = [
  {
    name: 'meshtoll_flow_pairs',
    kind: 'gauge',
    labels: [],
    help: 'Address pairs that the kernel counts at present, of the address family that has more.',
  },
  {
    name: 'meshtoll_flow_pairs_limit',
    kind: 'gauge',
    labels: [],
    help: 'Address pairs of one address family that the kernel may hold; bytes beyond are counted as overflow.',
  },
] as const satisfies readonly Family[]
