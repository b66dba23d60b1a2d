import type { Family } from '../model.js'

const PAIR = [
  'src_zone',
  'src_namespace',
  'src_owner_kind',
  'src_owner_name',
  'dst_zone',
  'dst_namespace',
  'dst_owner_kind',
  'dst_owner_name',
  'scope',
] as const

/** To whichever zone the pod was in, since only its address is called. */
const PHANTOM = [
  'src_zone',
  'src_namespace',
  'src_owner_kind',
  'src_owner_name',
  'dst_namespace',
  'dst_owner_kind',
  'dst_owner_name',
] as const

export const flowBytes = {
  name: 'meshtoll_flow_bytes_total',
  kind: 'counter',
  labels: PAIR,
  help: 'IP bytes before segmentation from one owner to another, each byte counted by one agent only.',
} as const satisfies Family

export const phantomBytes = {
  name: 'meshtoll_phantom_bytes_total',
  kind: 'counter',
  labels: PHANTOM,
  help: 'Those of meshtoll_flow_bytes_total that came to the address of a pod more than identity.skew after it ended, and before another pod had it.',
} as const satisfies Family

export const phantomWindow = {
  name: 'meshtoll_phantom_window_seconds',
  kind: 'gauge',
  labels: PHANTOM,
  help: 'How long after its end bytes still came to a pod: the longest of those that ended within the last hour, at least, since the last bytes came up to one flows.interval later.',
} as const satisfies Family

export const zoneBytes = {
  name: 'meshtoll_zone_bytes_total',
  kind: 'counter',
  labels: ['src_zone', 'dst_zone', 'scope'],
  help: 'The same bytes as meshtoll_flow_bytes_total by zone pair; never folded, never withdrawn.',
} as const satisfies Family

/** The books, in the order in which they are read: what was observed, and where it went. */
export const bookFamilies = {
  observed: counter('observed', 'Bytes that passed the hooks, counted by rules of their own.'),
  posted: counter('posted', 'Observed bytes that this agent counts.'),
  elsewhere: counter('elsewhere', 'Observed bytes that another agent counts.'),
  tunnel: counter('tunnel', 'Outer bytes of tunnels that begin or end on this node; the inner bytes are counted instead.'),
  multicast: counter('multicast', 'Observed bytes to multicast and broadcast addresses.'),
  overflow: counter('overflow', 'Observed bytes that could not be given a pair.'),
  ambiguous: counter('ambiguous', 'Posted bytes that two owners of one address could claim.'),
  handover: counter(
    'handover',
    'Bytes that no agent may have counted while it was handed over who does; others have counted some of them, so that fewer were missed, or as many.',
  ),
} as const satisfies Record<string, Family>

export const pendingBytes = {
  name: 'meshtoll_flow_pending_bytes',
  kind: 'gauge',
  labels: [],
  help: 'Observed bytes that wait until it is known who counts them.',
} as const satisfies Family

export const booksDifference = {
  name: 'meshtoll_flow_books_difference_bytes',
  kind: 'gauge',
  labels: [],
  help: 'Observed bytes less those of all other books, to the byte however large these are; 0 as long as the books balance.',
} as const satisfies Family

export const gapSeconds = {
  name: 'meshtoll_flow_gap_seconds_total',
  kind: 'counter',
  labels: [],
  help: 'Time in which bytes were not counted, or their counts were lost.',
} as const satisfies Family

export const coverageRatio = {
  name: 'meshtoll_flow_coverage_ratio',
  kind: 'gauge',
  labels: [],
  help: 'Bytes seen leaving the node per byte that its uplinks sent, over the last minutes; absent while too little was sent to tell.',
} as const satisfies Family

export const series = {
  name: 'meshtoll_series',
  kind: 'gauge',
  labels: [],
  help: 'Series of flow and phantom bytes served.',
} as const satisfies Family

export const seriesLimit = {
  name: 'meshtoll_series_limit',
  kind: 'gauge',
  labels: [],
  help: 'Series of flow and phantom bytes that may be served before owners are folded into _other.',
} as const satisfies Family

export const seriesFolded = {
  name: 'meshtoll_series_folded_bytes_total',
  kind: 'counter',
  labels: [],
  help: 'Posted bytes whose owners were folded into _other because the series limit was reached.',
} as const satisfies Family

export const price = {
  name: 'meshtoll_transfer_price_dollars_per_byte',
  kind: 'gauge',
  labels: ['scope'],
  help: 'Configured price of a transferred byte, all billed sides together.',
} as const satisfies Family

export const ledgerFamilies: readonly Family[] = [
  flowBytes,
  zoneBytes,
  phantomBytes,
  phantomWindow,
  ...Object.values(bookFamilies),
  pendingBytes,
  booksDifference,
  gapSeconds,
  coverageRatio,
  series,
  seriesLimit,
  seriesFolded,
  price,
]

function counter(book: string, help: string): Family {
  return { name: `meshtoll_flow_${book}_bytes_total`, kind: 'counter', labels: [], help }
}
