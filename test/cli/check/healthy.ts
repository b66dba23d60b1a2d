// Facts of a node on which nothing is wrong: a case changes what it is about.
import type { Facts, NodeFacts } from '../../../src/cli/check/facts.js'
import { defaultConfig } from '../../../src/config/config.js'
import type { Config } from '../../../src/config/fields.js'
import type { InventoryEntry } from '../../../src/model.js'

interface Changes {
  readonly configFile?: string
  readonly optionsSet?: number
  readonly config?: { readonly [Name in keyof Config]?: Partial<Config[Name]> }
  readonly inventory?: readonly Partial<InventoryEntry>[]
  readonly loaded?: Facts['loaded']
  readonly webMistakes?: Facts['webMistakes']
  readonly node?: Partial<NodeFacts>
  readonly cluster?: Facts['cluster']
  readonly kubelet?: Facts['kubelet']
  readonly envoy?: Facts['envoy']
  readonly envoyAdmin?: Facts['envoyAdmin']
  readonly istiod?: Facts['istiod']
  readonly ztunnel?: Facts['ztunnel']
  readonly datadog?: Facts['datadog']
  readonly state?: Partial<Facts['state']>
  readonly clock?: Partial<Facts['clock']>
  readonly port?: Facts['port']['state']
  readonly hasWebFile?: boolean
}

const NODE: NodeFacts = {
  release: '6.18.44-generic',
  capabilities: 1n << 12n,
  nftables: { table: { state: 'absent' }, flowtables: [] },
  links: [],
  bridgeNetfilter: undefined,
  cgroupLevel: { relative: 3, absolute: 3 },
  isLocked: false,
}

export function factsWith(changes: Changes = {}): Facts {
  const config = configWith(changes.config ?? {})
  const inventory = { entries: (changes.inventory ?? []) as readonly InventoryEntry[], text: '' }
  return {
    loaded: changes.loaded ?? { config, inventory, optionsSet: changes.optionsSet ?? 0 },
    webMistakes: changes.webMistakes ?? [],
    configFile: changes.configFile ?? null,
    config,
    node: { ...NODE, ...changes.node },
    cluster: changes.cluster,
    kubelet: changes.kubelet,
    envoy: changes.envoy,
    envoyAdmin: changes.envoyAdmin,
    istiod: changes.istiod,
    ztunnel: changes.ztunnel,
    datadog: changes.datadog,
    state: { folder: '/var/lib/meshtoll', exists: true, isHeld: false, ...changes.state },
    port: { address: { host: '', port: 10_042 }, state: changes.port ?? 'free' },
    hasWebFile: changes.hasWebFile ?? false,
    clock: { nowMs: Date.UTC(2026, 10, 21, 9, 30), jumpMs: 0, ...changes.clock },
  }
}

function configWith(changes: NonNullable<Changes['config']>): Config {
  const config = defaultConfig('n1')
  const placed = { ...config, node: { ...config.node, zone: 'z1' } }
  const sections = Object.entries(placed).map(([name, section]) => [name, { ...section, ...changes[name as keyof Config] }])
  return Object.fromEntries(sections) as Config
}
