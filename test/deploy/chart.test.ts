// What the chart makes of its values, and what it refuses.
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { isMap, isPair, isScalar, parse, parseDocument, type YAMLMap } from 'yaml'
import { renderDashboards } from '../../scripts/dashboards.js'
import { type RuleGroup, type RuleSettings, readRuleSettings, renderRuleFiles } from '../../scripts/rules.js'
import { renderValuesSchema } from '../../scripts/values-schema.js'
import { COMMANDS } from '../../src/cli/commands.js'
import { type PodPlace, wantsNode } from '../../src/cluster/daemon-nodes.js'
import { parseCommandLine } from '../../src/config/command-line.js'
import { defaultConfig, parseConfig } from '../../src/config/config.js'
import { parseInventory } from '../../src/config/inventory.js'
import { growingFiles } from '../../src/growing-files.js'
import { createEnvoyAdmin } from '../../src/sources/envoy-admin/source.js'
import { createIstiodLog } from '../../src/sources/istiod-log/source.js'
import { VERSION } from '../../src/version.js'
import type { NewObject } from '../cluster/resource.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'
import { reasonToSkip } from '../peers/needed.js'
import { CHART, helm, objectOf, renderChart, renderObjects } from './helm.js'

const skip = reasonToSkip(['helm']) ?? false
const readChart = (file: string): Promise<string> => readFile(join(CHART, file), 'utf8')

const LOOPBACK = { web: { listenAddress: '127.0.0.1' } }

interface Volume {
  readonly name: string
  readonly hostPath?: { readonly path: string }
  readonly projected?: {
    readonly sources: readonly { readonly serviceAccountToken?: { readonly audience: string; readonly path: string } }[]
  }
}

interface Container {
  readonly image: string
  readonly volumeMounts: readonly { readonly name: string }[]
  readonly securityContext: { readonly capabilities: { readonly add?: readonly string[] } }
  readonly args: readonly string[]
  readonly readinessProbe: Probe
  readonly livenessProbe: Probe
}

interface Probe {
  readonly httpGet: { readonly scheme: string; readonly host?: string }
}

interface Template {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
  readonly spec: PodPlace & { readonly containers: readonly [Container]; readonly volumes: readonly Volume[] }
}

function templateOf(objects: readonly NewObject[]): Template {
  const { spec } = objectOf(objects, 'DaemonSet') as NewObject & { readonly spec: { readonly template: Template } }
  return spec.template
}

const templateWith = async (values: object): Promise<Template> => templateOf(await renderObjects({ values }))
const dataOf = (object: NewObject): Readonly<Record<string, string>> => object['data'] as Readonly<Record<string, string>>

t.test('helm lint', { skip }, async (t) => {
  for (const mode of ['full', 'reduced']) t.match(await helm(['lint', '--strict', CHART], { mode }), '0 chart(s) failed')
})

t.test('the chart is of the version of the program', async (t) => {
  const { version, appVersion } = parse(await readChart('Chart.yaml'))
  t.same([version, appVersion], [VERSION, VERSION])
})

t.test('values.schema.json is what npm run docs would write', async (t) => {
  t.equal(await readChart('values.schema.json'), renderValuesSchema())
})

t.test('every value is explained, and in the schema', async (t) => {
  const { contents } = parseDocument(await readChart('values.yaml'))
  const schema = JSON.parse(renderValuesSchema())
  const unexplained: string[] = []
  const look = (map: YAMLMap, path: string, isExplained: boolean): void => {
    for (const [index, pair] of map.items.entries()) {
      if (!isPair(pair) || !isScalar(pair.key)) continue
      // What stands above the first key belongs to the whole.
      const comment = pair.key.commentBefore ?? (index === 0 ? map.commentBefore : undefined)
      const name = `${path}${pair.key.value}`
      if (isMap(pair.value) && path === '' && pair.value.items.length > 0) look(pair.value, `${name}.`, Boolean(comment))
      else if (!comment && !isExplained) unexplained.push(name)
    }
  }
  if (isMap(contents)) look(contents, '', false)
  t.same(unexplained, [])
  const values = Object.keys(parse(await readChart('values.yaml')))
  t.same(
    Object.keys(schema.properties)
      .filter((name) => name !== 'global')
      .sort(),
    values.sort(),
  )
})

t.test('mistakes are refused', { skip }, async (t) => {
  const cases = [
    { name: 'a value that there is not', values: { mod: 'full' }, says: "additional properties 'mod' not allowed" },
    { name: 'a mode that there is not', values: { mode: 'light' }, says: "'/mode': value must be one of 'full', 'reduced'" },
    { name: 'a value of a part', values: { web: { prot: 1 } }, says: "'/web': additional properties 'prot'" },
    { name: 'no port', values: { web: { port: 0 } }, says: "'/web/port': minimum" },
    {
      name: 'an option that there is not',
      values: { config: { flows: { intervall: '1s' } } },
      says: "'/config/flows': additional properties",
    },
    { name: 'a duration without unit', values: { config: { flows: { interval: 10 } } }, says: "'/config/flows/interval': got number" },
    { name: 'a number out of range', values: { config: { flows: { maxPairs: 3 } } }, says: "'/config/flows/maxPairs': minimum" },
    { name: 'a word that is none', values: { config: { price: { provider: 'hetzner' } } }, says: "'/config/price/provider'" },
    { name: 'one name for all nodes', values: { config: { node: { name: 'n1' } } }, says: "'/config/node': additional properties 'name'" },
    { name: 'an entry that names nothing', values: { inventory: [{ zone: 'a' }] }, says: "'/inventory/0': missing property 'cidr'" },
    {
      name: 'flows without the privilege',
      values: { mode: 'reduced', config: { flows: { enabled: true } } },
      says: "'/config/flows/enabled'",
    },
    {
      name: 'an alert that there is not',
      values: { prometheusRule: { alerts: { Fire: {} } } },
      says: "'/prometheusRule/alerts': additional",
    },
    {
      name: 'what would end a text',
      values: { prometheusRule: { recording: { istiod: 'a"b' } } },
      says: "'/prometheusRule/recording/istiod'",
    },
    { name: 'no address', values: { web: { listenAddress: 'localhost' } }, says: "'/web/listenAddress'" },
    { name: 'an address of a node', values: { mode: 'reduced', ...LOOPBACK }, says: "'/web/listenAddress': value must be ''" },
    { name: 'nothing to uninstall', values: { mode: 'reduced', uninstall: true }, says: "'/uninstall': value must be false" },
    {
      name: 'one host of Datadog for all nodes',
      values: { config: { datadog: { hostname: 'main' } } },
      says: 'config.datadog.hostname is "main" on every node',
    },
    { name: 'a state directory that is no path', values: { stateDir: 'state' }, says: "'/stateDir'" },
  ]
  for (const { name, values, says } of cases) await t.rejects(renderChart({ values }), { message: says }, name)
})

t.test('meshtoll.yaml', { skip }, async (t) => {
  const cases = [
    { name: 'as it is', values: {}, wanted: { node: { name: 'n1' }, flows: { enabled: 'auto' }, kubernetes: { enabled: 'auto' } } },
    { name: 'reduced', values: { mode: 'reduced' }, wanted: { flows: { enabled: false }, kubernetes: { enabled: 'auto' } } },
    {
      name: 'options',
      values: { config: { node: { zone: `\${TEAM}` }, flows: { interval: '5s', maxPairs: 4_194_304, tunnelPorts: [4789] } } },
      wanted: { node: { name: 'n1', zone: 'network' }, flows: { intervalMs: 5_000, maxPairs: 4_194_304, tunnelPorts: [4789] } },
    },
    { name: 'an inventory', values: { inventory: [{ cidr: '10.9.0.0/24' }] }, wanted: { inventory: { file: 'inventory.json' } } },
  ]
  for (const { name, values, wanted } of cases) {
    const { 'meshtoll.yaml': text = '' } = dataOf(objectOf(await renderObjects({ values }), 'ConfigMap', 'meshtoll-agent'))
    const { config, mistakes } = parseConfig(text, { NODE_NAME: 'n1', TEAM: 'network' })
    t.same(mistakes, [], name)
    t.match(config, wanted, name)
  }
})

t.test('the inventory comes without a restart, the configuration with one', { skip }, async (t) => {
  const entry = { cidr: '10.9.0.0/24', zone: 'a', ownerKind: 'Database', ownerName: 'orders-db' }
  const objects = await renderObjects({ values: { inventory: [entry] } })
  const { entries, mistakes } = parseInventory(
    dataOf(objectOf(objects, 'ConfigMap', 'meshtoll-agent-inventory'))['inventory.json'] ?? '',
    {},
  )
  t.same(mistakes, [])
  t.match(entries, [entry])
  const before = templateOf(objects)
  t.same(await templateWith({ inventory: [{ ...entry, zone: 'b' }] }), before)
  t.notSame(await templateWith({ inventory: [entry], config: { series: { limit: 3 } } }), before)
})

t.test('where it listens', { skip }, async (t) => {
  const cases = [
    { name: 'on the address of its node', values: {}, host: '10.0.0.1', listens: { host: '10.0.0.1', port: 10042 } },
    { name: 'of either family', values: { web: { port: 9000 } }, host: 'fd00::1', listens: { host: 'fd00::1', port: 9000 } },
    { name: 'where it is told to', values: LOOPBACK, host: '10.0.0.1', listens: { host: '127.0.0.1', port: 10042 } },
    { name: 'everywhere', values: { web: { listenAddress: '::' } }, host: '10.0.0.1', listens: { host: '::', port: 10042 } },
    { name: 'reduced, on its own', values: { mode: 'reduced' }, host: '10.0.0.1', listens: { host: '', port: 10042 } },
  ]
  for (const { name, values, host, listens } of cases) {
    const [{ args }] = (await templateWith(values)).spec.containers
    const { flags, mistakes } = parseCommandLine(
      args.map((arg) => arg.replace('$(NODE_IP)', host)),
      COMMANDS,
    )
    t.same(mistakes, [], name)
    t.same(flags['web.listen-address'], listens, name)
    t.equal(flags['config.file'], '/etc/meshtoll/meshtoll.yaml')
  }
})

t.test('probes reach it where it listens', { skip }, async (t) => {
  const cases = [
    { name: 'on the address of its node', values: {}, host: undefined },
    { name: 'on the loopback', values: LOOPBACK, host: '127.0.0.1' },
    { name: 'everywhere', values: { web: { listenAddress: '0.0.0.0' } }, host: undefined },
  ]
  for (const { name, values, host } of cases) {
    const [{ readinessProbe, livenessProbe }] = (await templateWith(values)).spec.containers
    t.same([readinessProbe.httpGet.host, livenessProbe.httpGet.host], [host, host], name)
  }
})

t.test('which nodes get one', { skip }, async (t) => {
  const nodes = [
    { name: 'a machine', labels: {}, wanted: true },
    { name: 'of another pool', labels: { pool: 'b' }, wanted: true },
    { name: 'Fargate', labels: { 'eks.amazonaws.com/compute-type': 'fargate' }, wanted: false },
    { name: 'a virtual kubelet', labels: { type: 'virtual-kubelet' }, wanted: false },
    { name: 'another system', labels: { 'kubernetes.io/os': 'windows' }, wanted: false },
  ]
  const { spec } = await templateWith({})
  for (const { name, labels, wanted } of nodes)
    t.equal(wantsNode(spec, { metadata: { name: 'n1', labels: { 'kubernetes.io/os': 'linux', ...labels } } }), wanted, name)
  const preferring = [{ weight: 1, preference: { matchExpressions: [{ key: 'pool', operator: 'Exists' }] } }]
  const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: preferring }
  const merged = (await templateWith({ affinity: { nodeAffinity } })).spec
  t.notOk(
    wantsNode(merged, { metadata: { name: 'n1', labels: { type: 'virtual-kubelet', 'kubernetes.io/os': 'linux' } } }),
    'with more of it',
  )
  t.match(merged.affinity, { nodeAffinity })
})

t.test('who may read it', { skip }, async (t) => {
  const { spec, metadata } = await templateWith({ web: { existingSecret: 'meshtoll-web', tls: true } })
  const [{ args, readinessProbe }] = spec.containers
  t.ok(args.includes('--web.config.file=/etc/meshtoll/web.yaml'))
  t.equal(readinessProbe.httpGet.scheme, 'HTTPS')
  t.equal(metadata.annotations['prometheus.io/scheme'], 'https')
  t.match(spec.volumes, [{ projected: { sources: [{ configMap: { name: 'meshtoll-agent' } }, { secret: { name: 'meshtoll-web' } }] } }])
  const policies = async (values: object) => (await renderObjects({ values })).filter(({ kind }) => kind === 'NetworkPolicy').length
  t.equal(await policies({}), 0, 'no policy that would have no effect')
  t.equal(await policies({ mode: 'reduced' }), 1)
})

t.test('Datadog: pushed to with the key of a Secret, or left to its Agent', { skip }, async (t) => {
  const values = { config: { datadog: { enabled: true } }, datadog: { existingSecret: 'datadog' } }
  const { spec } = await templateWith(values)
  t.match(spec.containers[0], {
    env: [{}, {}, {}, {}, { name: 'DD_API_KEY', valueFrom: { secretKeyRef: { name: 'datadog', key: 'api-key' } } }],
  })
  const [policy] = (await renderObjects({ values: { ...values, mode: 'reduced' } })).filter(({ kind }) => kind === 'NetworkPolicy')
  t.match(JSON.stringify(policy), '{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}', 'its name can be looked up')
  const named = { config: { datadog: { enabled: true, hostname: `\${NODE_NAME}-main` } } }
  await t.resolves(renderObjects({ values: named }), 'a host of its own for each node')
  const { metadata } = await templateWith({ datadog: { agentChecks: true } })
  t.same(JSON.parse(metadata.annotations['ad.datadoghq.com/agent.checks'] ?? ''), {
    openmetrics: {
      instances: [{ openmetrics_endpoint: 'http://%%host%%:10042/metrics', namespace: 'meshtoll', metrics: ['meshtoll_.+'] }],
    },
  })
})

t.test('whom it may reach', { skip }, async (t) => {
  const cases = [
    {
      name: 'the API server, the kubelet, istiods and proxies',
      policy: {},
      egress: [{ ports: [443, 6443, 10250, 15014, 15020, 15090].map((port) => ({ port, protocol: 'TCP' })) }],
    },
    { name: 'a port', policy: { egressPorts: [16443] }, egress: [{ ports: [{ port: 16443, protocol: 'TCP' }] }] },
    // A rule without ports would allow all of them.
    { name: 'nobody', policy: { egressPorts: [] }, egress: [] },
    // As with --reuse-values of a release that did not know it.
    { name: 'nobody, where the value is missing', policy: { egressPorts: null }, egress: [] },
  ]
  for (const { name, policy, egress } of cases) {
    const { spec } = objectOf(await renderObjects({ values: { mode: 'reduced', networkPolicy: policy } }), 'NetworkPolicy')
    t.same((spec as { readonly egress: unknown }).egress, egress, name)
  }
})

t.test('the files that sources need', { skip }, async (t) => {
  const source = createIstiodLog({ logs: () => [] }, { clock: createHandClock(), log: createKeptLog(), growingFiles })
  const needed = source.needs.flatMap((need) => (need.kind === 'file' ? [need.path] : []))
  const cases = [
    { name: 'mode full', values: {}, has: true },
    { name: 'mode reduced, which could not read them', values: { mode: 'reduced' }, has: false },
    { name: 'without logs', values: { config: { istiod: { log: 'off' } } }, has: false },
    { name: 'without istiods', values: { config: { istiod: { enabled: false } } }, has: false },
    { name: 'only those of proxies', values: { config: { istiod: { log: 'off' }, envoy: { accessLog: 'auto' } } }, has: true },
    {
      name: 'of proxies that are not asked',
      values: { config: { istiod: { log: 'off' }, envoy: { accessLog: 'auto', enabled: false } } },
      has: false,
    },
    { name: 'with logs through the API server', values: { config: { istiod: { log: 'api' } } }, has: false },
  ]
  for (const { name, values, has } of cases) {
    const { volumes, containers } = (await templateWith(values)).spec
    for (const path of needed) {
      const volume = volumes.find(({ hostPath }) => hostPath?.path === path)
      const mounts = containers[0].volumeMounts.filter((mount) => mount.name === volume?.name)
      t.same(mounts, has ? [{ name: volume?.name, mountPath: path, readOnly: true }] : [], `${name}: ${path}`)
    }
  }
})

t.test('the token that istiod takes', { skip }, async (t) => {
  const cases = [
    { name: 'unless it is asked for its proxies', config: {}, has: false },
    { name: 'it is', config: { istiod: { debug: true } }, has: true },
    { name: 'it is not asked at all', config: { istiod: { debug: true, enabled: false } }, has: false },
  ]
  for (const mode of ['full', 'reduced'])
    for (const { name, config, has } of cases) {
      const { volumes, containers } = (await templateWith({ mode, config })).spec
      const tokens = volumes.flatMap((volume) =>
        (volume.projected?.sources ?? []).flatMap(({ serviceAccountToken: token }) =>
          token ? containers[0].volumeMounts.filter((mount) => mount.name === volume.name).map((mount) => ({ ...mount, ...token })) : [],
        ),
      )
      const wanted = {
        name: 'istio-token',
        mountPath: '/var/run/secrets/tokens',
        readOnly: true,
        audience: 'istio-ca',
        path: 'istio-token',
      }
      t.match(tokens, has ? [wanted] : [], `${mode}: ${name}`)
      t.equal(tokens.length, has ? 1 : 0)
      if (has) t.equal(`${wanted.mountPath}/${wanted.path}`, defaultConfig('n1').istiod.tokenFile, 'where it is looked for')
    }
})

t.test('what the admin ports of proxies take is there where they are asked, and nowhere else', { skip }, async (t) => {
  const parts = { open: () => Promise.reject(), targets: () => [], endedPod: () => undefined, intervalMs: 1, patienceMs: 1 }
  const { needs } = createEnvoyAdmin(parts, { clock: createHandClock(), log: createKeptLog() })
  const capabilities = needs.flatMap((need) => (need.kind === 'capability' ? [need.name] : []))
  const paths = needs.flatMap((need) => (need.kind === 'file' ? [need.path] : []))
  const netns = { envoy: { admin: 'netns' } }
  const cases = [
    { name: 'by default', values: {}, has: false },
    { name: 'told to', values: { config: netns }, has: true },
    { name: 'of no proxies', values: { config: { envoy: { admin: 'netns', enabled: false } } }, has: false },
    { name: 'off', values: { config: { envoy: { admin: 'off' } } }, has: false },
  ]
  for (const { name, values, has } of cases) {
    const { volumes, containers } = (await templateWith(values)).spec
    const { securityContext, volumeMounts } = containers[0]
    t.same(securityContext.capabilities.add, ['NET_ADMIN', ...(has ? capabilities : [])], name)
    t.same(
      volumes.flatMap(({ hostPath }) => (hostPath && paths.includes(hostPath.path) ? [hostPath.path] : [])),
      has ? paths : [],
      name,
    )
    const mount = volumeMounts.find((one) => one.name === 'proc')
    t.same(mount, has ? { name: 'proc', mountPath: '/host/proc', readOnly: true } : undefined, name)
  }
  t.notMatch(await renderChart({ values: { config: netns } }), 'hostPID')
  await t.rejects(
    renderChart({ values: { mode: 'reduced', config: netns } }),
    { message: "'/config/envoy/admin'" },
    'without any privilege',
  )
})

t.test('whose logs it may get', { skip }, async (t) => {
  const deps = { clock: createHandClock(), log: createKeptLog(), growingFiles }
  const [need] = createIstiodLog({ logs: () => [], isOverApi: true }, deps).needs
  const overApi = { config: { istiod: { log: 'api' } } }
  const cases = [
    { name: 'nobody', values: {}, namespaces: [] },
    { name: 'of istiods, where they are asked for', values: overApi, namespaces: ['istio-system'] },
    { name: 'in mode reduced as well', values: { ...overApi, mode: 'reduced' }, namespaces: ['istio-system'] },
    { name: 'elsewhere', values: { ...overApi, rbac: { logNamespaces: ['a', 'b'] } }, namespaces: ['a', 'b'] },
    { name: 'nowhere, as with --reuse-values', values: { ...overApi, rbac: { logNamespaces: null } }, namespaces: [] },
    { name: 'nobody without istiods', values: { config: { istiod: { log: 'api', enabled: false } } }, namespaces: [] },
    { name: 'nobody where rules are made elsewhere', values: { ...overApi, rbac: { create: false } }, namespaces: [] },
  ]
  for (const { name, values, namespaces } of cases) {
    const objects = await renderObjects({ values })
    t.notMatch(JSON.stringify(objects.filter(({ kind }) => kind === 'ClusterRole')), 'pods/log', `${name}: of no others`)
    const roles = objects.filter(({ kind, rules }) => kind === 'Role' && JSON.stringify(rules).includes('pods/log'))
    t.same(
      roles.map(({ metadata, rules }) => [metadata.namespace, rules]),
      namespaces.map((namespace) => [namespace, [{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }]]),
      name,
    )
    const bound = objects.filter(({ kind, metadata }) => kind === 'RoleBinding' && metadata.name === 'meshtoll-agent-logs')
    t.same(
      bound.map(({ metadata }) => metadata.namespace),
      namespaces,
      `${name}: bound`,
    )
  }
  t.same(need, { kind: 'rule', resource: 'pods/log', verb: 'get' }, 'as the source says')
})

t.test('who scrapes it', { skip }, async (t) => {
  const values = { podMonitor: { enabled: true, labels: { release: 'prometheus' }, endpoint: { basicAuth: { username: { name: 'a' } } } } }
  const objects = await renderObjects({ values })
  t.match(objectOf(objects, 'PodMonitor'), {
    metadata: { labels: { release: 'prometheus' } },
    spec: {
      podMetricsEndpoints: [
        {
          port: 'http',
          path: '/metrics',
          scheme: 'http',
          basicAuth: {},
          relabelings: [{ targetLabel: 'node' }, { targetLabel: 'instance' }, { action: 'labeldrop', regex: 'pod' }],
        },
      ],
    },
  })
  t.notOk('prometheus.io/scrape' in templateOf(objects).metadata.annotations, 'one way, not two')
  const own = { port: 'proxy', scheme: 'https', interval: '1m' }
  const { podMetricsEndpoints } = objectOf(await renderObjects({ values: { podMonitor: { enabled: true, endpoint: own } } }), 'PodMonitor')[
    'spec'
  ] as { readonly podMetricsEndpoints: object }
  t.match(podMetricsEndpoints, [{ ...own, path: '/metrics' }], 'or as it is told')
  t.match((await templateWith({})).metadata.annotations, { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '10042' })
})

t.test('the rules', { skip }, async (t) => {
  const render = async (values: object, more: object = {}, name = 'meshtoll'): Promise<NewObject> =>
    objectOf(await renderObjects({ name, values: { prometheusRule: { enabled: true, runbookUrl, ...values }, ...more } }), 'PrometheusRule')
  const groupsIn = (object: NewObject): readonly RuleGroup[] => (object['spec'] as { readonly groups: readonly RuleGroup[] }).groups
  const { runbookUrl } = readRuleSettings()
  const [, plain = ''] = Object.entries(renderRuleFiles()).find(([file]) => file.endsWith('prometheusrule.yaml')) ?? []
  const plainGroups: readonly RuleGroup[] = parse(plain).spec.groups
  const without = (groups: readonly RuleGroup[], ...alerts: readonly string[]): readonly RuleGroup[] =>
    groups.map((group) => ({ ...group, rules: group.rules.filter(({ alert = '' }) => !alerts.includes(alert)) }))
  const ofDirectory = ['DirectoryDown', 'EndpointFlapping']
  t.same(
    groupsIn(await render({})),
    without(plainGroups, ...ofDirectory),
    'by default those of deploy/prometheus, less those of a directory',
  )
  t.same(groupsIn(await render({}, { directory: { enabled: true } })), plainGroups, 'with a directory all of them')
  t.same(
    groupsIn(await render({ interval: '2m', recording: { dollars: false } })),
    without(plainGroups, ...ofDirectory)
      .filter(({ name }) => name !== 'meshtoll-dollars')
      .map((group) => ({ ...group, interval: '2m' })),
    'without dollars, and less often',
  )
  const alerts = {
    BooksOutOfBalance: { for: '2s' },
    FlowsBypassed: { enabled: false },
    CrossZoneBytesHigh: { enabled: true, bytesPerSecond: 0.5 },
  }
  const given = { labels: { release: 'prometheus' }, runbookUrl: 'https://wiki', recording: { window: '4s' }, alerts }
  const object = await render(given)
  t.match(object, { metadata: { name: 'meshtoll', labels: { release: 'prometheus' } } })
  const { alerts: defaults, ...rest } = readRuleSettings()
  const merged = Object.fromEntries(
    Object.entries(defaults).map(([name, values]) => [name, { ...values, ...(alerts as RuleSettings['alerts'])[name] }]),
  )
  const recording = { ...rest.recording, ...given.recording }
  const own = Object.entries(renderRuleFiles({ runbookUrl: given.runbookUrl, recording, alerts: merged })).find(([file]) =>
    file.endsWith('prometheusrule.yaml'),
  )
  const wanted: readonly RuleGroup[] = parse(own?.[1] ?? '').spec.groups
  t.same(groupsIn(object), without(wanted, ...ofDirectory), 'with values of ours, and without one')
  t.same(
    (await renderObjects({})).filter(({ kind }) => kind === 'PrometheusRule'),
    [],
    'and none where nobody asked for them',
  )
  const jobsOf = async (name: string, values: object = {}) =>
    groupsIn(await render(values, { directory: { enabled: true } }, name)).flatMap(({ rules }) =>
      rules.flatMap(({ alert, expr }) => (expr.includes('{job=~') ? [[alert, ...new Set(expr.match(/(?<=job=~").*?(?=")/g))]] : [])),
    )
  const agents = '(.*/)?meshtoll-prod(-agent)?'
  t.same(
    await jobsOf('meshtoll-prod'),
    [
      ['AgentDown', agents],
      ['AllAgentsDown', agents],
      ['DirectoryDown', '(.*/)?meshtoll-prod-directory'],
    ],
    'jobs are those of the release',
  )
  t.match(
    await jobsOf('meshtoll-prod', { alerts: { AgentDown: { job: 'kubernetes-pods' } } }),
    [['AgentDown', 'kubernetes-pods']],
    'or yours',
  )
})

t.test('dashboards', { skip }, async (t) => {
  const runbookUrl = 'https://wiki/runbooks'
  const render = async (dashboards: object) => {
    const objects = await renderObjects({ values: { dashboards: { enabled: true, ...dashboards }, prometheusRule: { runbookUrl } } })
    return objects.filter(({ metadata }) => metadata.name.includes('-dashboard-'))
  }
  const wanted = Object.entries(renderDashboards()).map(([file, text]) => [
    `meshtoll-${basename(file)}`,
    JSON.parse(text.replaceAll(readRuleSettings().runbookUrl, runbookUrl)),
  ])
  const made = await render({})
  t.same(Object.fromEntries(made.flatMap((object) => Object.entries(dataOf(object)).map(([file, text]) => [file, JSON.parse(text)]))), {
    ...Object.fromEntries(wanted),
  })
  for (const { metadata } of made) t.match(metadata, { namespace: 'meshtoll', labels: { grafana_dashboard: '1' } })
  const [first] = await render({ namespace: 'monitoring', labels: { grafana_dashboard: 'mesh' }, annotations: { grafana_folder: 'mesh' } })
  t.match(first?.metadata, {
    namespace: 'monitoring',
    labels: { grafana_dashboard: 'mesh' },
    annotations: { grafana_folder: 'mesh' },
  })
})

t.test('what links to run books says where they are', { skip }, async (t) => {
  const message = /prometheusRule.runbookUrl is missing: say where docs\/runbooks of your copy is to be read/
  for (const values of [{ prometheusRule: { enabled: true } }, { dashboards: { enabled: true } }])
    await t.rejects(renderChart({ values }), { message }, JSON.stringify(values))
  for (const runbookUrl of ['docs/runbooks', 'https://wiki/runbooks/', 'https://wiki/"'])
    await t.rejects(renderChart({ values: { prometheusRule: { runbookUrl } } }), { message: "'/prometheusRule/runbookUrl'" }, runbookUrl)
})

t.test('the image', { skip }, async (t) => {
  const digest = `sha256:${'0'.repeat(64)}`
  const cases = [
    { image: {}, wanted: `meshtoll:${VERSION}` },
    { image: { repository: 'registry:5000/team/meshtoll', tag: 'main' }, wanted: 'registry:5000/team/meshtoll:main' },
    { image: { tag: 'main', digest }, wanted: `meshtoll@${digest}` },
  ]
  for (const { image, wanted } of cases) t.equal((await templateWith({ image })).spec.containers[0].image, wanted)
})
