// An agent for tests of the server: real families of the ledger and the real self metrics, made-up numbers.
import { createSelf } from '../../src/exporters/self.js'
import type { Served, Status } from '../../src/http/served.js'
import { bookFamilies, flowBytes, pendingBytes, zoneBytes } from '../../src/ledger/families.js'
import type { Books, FamilySnapshot, Labels, Series, Snapshot } from '../../src/model.js'

export const BOOKS: Books = {
  observed: 1_734_220_118,
  posted: 1_733_990_204,
  elsewhere: 229_314,
  tunnel: 400,
  multicast: 120,
  overflow: 0,
  pending: 80,
}

export const STATUS: Status = {
  ready: true,
  why: '',
  node: 'n1',
  sources: [
    { name: 'flows', up: true, readSeconds: 0.0041, error: '', note: 'table owner,persist; 2 generations' },
    { name: 'net-dev', up: false, readSeconds: 0.0002, error: 'cannot read /proc/net/dev: permission denied', note: '' },
  ],
}

export interface Workload {
  readonly zone: string
  readonly namespace: string
  readonly kind: string
  readonly name: string
}

export const owner = (text: string): Workload => {
  const [zone = '', namespace = '', kind = '', name = ''] = text.split(' ')
  return { zone, namespace, kind, name }
}

export function flow(source: Workload, destination: Workload, { scope, value }: { scope: string; value: number }): Series {
  const sideOf = (side: string, { zone, namespace, kind, name }: Workload): Labels => ({
    [`${side}_zone`]: zone,
    [`${side}_namespace`]: namespace,
    [`${side}_owner_kind`]: kind,
    [`${side}_owner_name`]: name,
  })
  return { labels: { ...sideOf('src', source), ...sideOf('dst', destination), scope }, value, sinceMs: 1_700_000_000_123 }
}

const CART = owner('us-east-1a shop Deployment cart')

export const FLOWS: readonly Series[] = [
  flow(CART, owner('us-east-1b shop StatefulSet orders-db'), { scope: 'cross_zone', value: 1_420_000_000 }),
  flow(CART, owner('us-east-1a shop Deployment stock'), { scope: 'same_zone', value: 313_990_204 }),
]

export const ZONES: readonly Series[] = [
  { labels: { src_zone: 'us-east-1a', dst_zone: 'us-east-1b', scope: 'cross_zone' }, value: 1_420_000_000 },
  { labels: { src_zone: 'us-east-1a', dst_zone: 'us-east-1a', scope: 'same_zone' }, value: 313_990_204 },
  { labels: { src_zone: 'us-east-1b', dst_zone: 'us-east-1a', scope: 'cross_zone' }, value: 0 },
]

export interface Given {
  readonly flows?: readonly Series[]
  readonly zones?: readonly Series[]
  readonly books?: Books
  readonly status?: Partial<Status>
}

export function createServed({ flows = FLOWS, zones = ZONES, books = BOOKS, status = {} }: Given = {}): Served {
  const self = createSelf({
    version: '0.1.0',
    nodeVersion: 'v20.0.0',
    sources: ['flows', 'net-dev'],
    cpuUsage: () => ({ user: 1, system: 1 }),
  })
  const families: readonly FamilySnapshot[] = [
    { family: flowBytes, series: flows },
    { family: zoneBytes, series: zones },
    { family: bookFamilies.observed, series: [{ labels: {}, value: books.observed }] },
    { family: pendingBytes, series: [{ labels: {}, value: books.pending }] },
  ]
  const snapshot: Snapshot = { atMs: Date.UTC(2026, 10, 21, 9, 30, 15, 250), books, families }
  return {
    withSnapshot: (use) => use(snapshot),
    self: () => self.families(),
    status: { ...STATUS, ...status },
  }
}
