// Values of the chart: rows in which any two choices that go together meet at least once.
import { readRuleSettings } from '../../scripts/rules.js'

interface Tree {
  readonly [name: string]: unknown
}

const { runbookUrl } = readRuleSettings()
const MODE = 'mode'

/** The first of each is what nobody has to ask for. */
const CHOICES: Readonly<Record<string, Readonly<Record<string, Tree>>>> = {
  [MODE]: { full: {}, reduced: { mode: 'reduced' } },
  directory: {
    none: {},
    own: { directory: { enabled: true } },
    brought: {
      directory: {
        enabled: true,
        replicas: 3,
        tls: { existingSecret: 'certificate' },
        web: { existingSecret: 'directory-web' },
        networkPolicy: { enabled: false },
      },
      podMonitor: { directoryEndpoint: { basicAuth: { username: { name: 'scrape', key: 'user' } }, interval: '1m' } },
    },
  },
  serving: {
    open: {},
    password: { web: { existingSecret: 'meshtoll-web' } },
    tls: { web: { existingSecret: 'meshtoll-web', tls: true, port: 9_443 }, networkPolicy: { from: [{ namespaceSelector: {} }] } },
  },
  listening: {
    node: {},
    loopback: {
      web: { listenAddress: '127.0.0.1' },
      extraContainers: [{ name: 'proxy', image: 'proxy:1', securityContext: { allowPrivilegeEscalation: false } }],
    },
  },
  scraping: {
    annotations: {},
    nobody: { scrapeAnnotations: false },
    operator: {
      podMonitor: {
        enabled: true,
        labels: { release: 'prometheus' },
        endpoint: { basicAuth: { username: { name: 'scrape', key: 'user' } } },
      },
      prometheusRule: { enabled: true, runbookUrl, labels: { release: 'prometheus' }, alerts: { PushStorm: { enabled: false } } },
    },
  },
  dashboards: {
    none: {},
    elsewhere: { dashboards: { enabled: true, namespace: 'monitoring', annotations: { folder: 'mesh' } }, prometheusRule: { runbookUrl } },
  },
  datadog: {
    none: {},
    pushed: { config: { datadog: { enabled: true, site: 'datadoghq.eu', tags: ['env:prod'] } }, datadog: { existingSecret: 'datadog' } },
    scraped: { datadog: { agentChecks: true } },
  },
  mesh: {
    auto: {},
    api: { config: { istiod: { log: 'api', debug: true } }, rbac: { logNamespaces: ['istio-system', 'istio-old'] } },
    netns: { config: { envoy: { admin: 'netns', accessLog: 'auto' } } },
  },
  price: {
    default: {},
    own: { config: { price: { provider: 'gcp', crossZonePerGB: 0.01, crossRegionPerGB: '0.02', toExternalPerGB: 0 } } },
  },
  names: {
    none: {},
    own: {
      fullnameOverride: 'toll',
      image: { repository: 'registry:5000/meshtoll', digest: `sha256:${'0'.repeat(64)}` },
      inventory: [{ cidr: '10.9.0.0/24', ownerKind: 'Database', ownerName: 'orders-db' }],
    },
  },
  access: {
    made: {},
    brought: { serviceAccount: { create: false, name: 'counting' }, rbac: { create: false }, leasePolicy: { enabled: false } },
    annotated: { serviceAccount: { annotations: { note: 'kept' } }, imagePullSecrets: [{ name: 'registry' }] },
  },
  scheduling: {
    default: {},
    plain: { priorityClassName: '', tolerations: [], nodeSelector: {}, resources: {}, maxUnavailable: 1 },
    own: {
      resourceQuota: { enabled: true },
      affinity: { nodeAffinity: {} },
      extraEnv: [{ name: 'TEAM', value: 'network' }],
      podAnnotations: { note: 'kept' },
      podLabels: { team: 'network' },
      seLinuxOptions: { type: 'spc_t' },
      terminationGracePeriodSeconds: 30,
    },
  },
  leaving: { hook: {}, left: { uninstallHook: false }, now: { uninstall: true } },
}

/** What the schema refuses in mode reduced. */
const FULL_ONLY = ['listening=loopback', 'directory=own', 'directory=brought', 'mesh=netns', 'leaving=now']

/** By the name of the choice, which of it. */
type Row = Readonly<Record<string, string>>

export interface MatrixRow {
  readonly name: string
  readonly values: Tree
}

const keysOf = (row: Row): readonly string[] => Object.entries(row).map(([choice, option]) => `${choice}=${option}`)
const mayMeet = (row: Row): boolean => row[MODE] !== 'reduced' || !keysOf(row).some((key) => FULL_ONLY.includes(key))

/** Of what is chosen so far. */
function pairsOf(row: Row): readonly string[] {
  const keys = [...keysOf(row)].sort()
  return keys.flatMap((one, i) => keys.slice(i + 1).map((other) => `${one} ${other}`))
}

function allPairs(): Set<string> {
  const options = Object.entries(CHOICES).flatMap(([choice, of]) => Object.keys(of).map((option) => ({ choice, option })))
  const rows = options.flatMap((one) =>
    options.filter(({ choice }) => choice !== one.choice).map((other) => ({ [one.choice]: one.option, [other.choice]: other.option })),
  )
  return new Set(rows.filter(mayMeet).flatMap(pairsOf))
}

/** Row by row: begins with a pair that is left, and goes on with what leaves the fewest. */
function chooseRows(): readonly Row[] {
  const left = allPairs()
  const rows: Row[] = [Object.fromEntries(Object.entries(CHOICES).map(([choice, of]) => [choice, Object.keys(of)[0] ?? '']))]
  const gain = (row: Row): number => pairsOf(row).filter((pair) => left.has(pair)).length
  for (let row = rows[0]; row; row = rows.at(-1)) {
    for (const pair of pairsOf(row)) left.delete(pair)
    const [first] = left
    if (first === undefined) return rows
    let next: Row = Object.fromEntries(first.split(' ').map((key) => key.split('=')))
    for (const [choice, of] of Object.entries(CHOICES)) {
      if (choice in next) continue
      const candidates = Object.keys(of).map((option) => ({ ...next, [choice]: option }))
      next = candidates.filter(mayMeet).reduce((best, one) => (gain(one) > gain(best) ? one : best))
    }
    rows.push(next)
  }
  return rows
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

function merged(one: Tree, other: Tree): Tree {
  const both = Object.entries(other).map(([name, value]) => {
    const before = one[name]
    return [name, isTree(before) && isTree(value) ? merged(before, value) : value]
  })
  return { ...one, ...Object.fromEntries(both) }
}

export const MATRIX: readonly MatrixRow[] = chooseRows().map((row) => ({
  name: keysOf(row).join(' '),
  values: Object.entries(row).reduce<Tree>((values, [choice, option]) => merged(values, CHOICES[choice]?.[option] ?? {}), {}),
}))
