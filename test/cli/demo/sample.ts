// Snapshots as agents would serve them, as small as a case needs.
import type { AgentSnapshot } from '../../../src/cli/demo/snapshots.js'
import type { Series } from '../../../src/model.js'

export interface Flow {
  /** `zone/namespace/kind/name` */
  readonly from: string
  readonly to: string
  readonly scope: string
  readonly bytes: number
}

export interface Sample {
  readonly node?: string
  readonly second?: number
  readonly flows?: readonly Flow[]
  readonly books?: Partial<AgentSnapshot['books']>
  readonly zones?: readonly number[]
  readonly prices?: Readonly<Record<string, number>>
}

export const PRICES = { same_zone: 0, cross_zone: 2e-11, to_external: 9e-11, from_external: 0 }
const NOTHING = { observed: 0, posted: 0, elsewhere: 0, tunnel: 0, multicast: 0, overflow: 0, pending: 0, difference: 0 }

export function snapshotOf({ node = 'node-a', second = 0, flows = [], books = {}, zones, prices = PRICES }: Sample): AgentSnapshot {
  const bytes = flows.map((flow) => flow.bytes)
  return {
    node,
    at: new Date(second * 1_000).toISOString(),
    ready: true,
    why: '',
    books: { ...NOTHING, posted: bytes.reduce((sum, one) => sum + one, 0), ...books },
    sources: [{ name: 'flows', up: true, readSeconds: 0.01, error: '' }],
    series: {
      meshtoll_flow_bytes_total: flows.map(seriesOf),
      meshtoll_zone_bytes_total: (zones ?? bytes).map((value) => ({ labels: {}, value })),
      meshtoll_transfer_price_dollars_per_byte: Object.entries(prices).map(([scope, value]) => ({ labels: { scope }, value })),
    },
  }
}

function seriesOf({ from, to, scope, bytes }: Flow): Series {
  return { labels: { ...labelsOf('src', from), ...labelsOf('dst', to), scope }, value: bytes }
}

function labelsOf(side: 'src' | 'dst', owner: string): Record<string, string> {
  const [zone = '', namespace = '', kind = '', name = ''] = owner.split('/')
  return { [`${side}_zone`]: zone, [`${side}_namespace`]: namespace, [`${side}_owner_kind`]: kind, [`${side}_owner_name`]: name }
}
