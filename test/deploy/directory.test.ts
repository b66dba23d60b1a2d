// What the chart makes of `directory`: itself, its certificate, and what agents then know of it.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.js'
import { ELECTION_LEASE } from '../../src/cluster/election-lease.js'
import { leaseNameOf } from '../../src/cluster/leases.js'
import { parseCommandLine } from '../../src/config/command-line.js'
import { parseConfig } from '../../src/config/config.js'
import { parseWeb } from '../../src/config/web.js'
import type { Rule } from '../cluster/access.js'
import type { NewObject } from '../cluster/resource.js'
import { reasonToSkip } from '../peers/needed.js'
import { CHART, helm, objectOf, objectsOf, renderChart, renderObjects } from './helm.js'
import { manifestOf, OPENSSL } from './manifests.js'

const skip = reasonToSkip(['helm']) ?? false
const HOST = 'meshtoll-directory.meshtoll.svc'
const ON = { directory: { enabled: true } }
const NAMED = { directory: { enabled: true, tls: { existingSecret: 'certificate' } } }

interface Template {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
  readonly spec: {
    readonly containers: readonly [{ readonly args: readonly string[]; readonly volumeMounts: readonly object[] }]
    readonly volumes: readonly object[]
  }
}

const templateOf = (objects: readonly NewObject[], kind: string): Template =>
  (objectOf(objects, kind)['spec'] as { readonly template: Template }).template
const dataOf = (object: NewObject) => object['data'] as Readonly<Record<string, string>>
const fileOf = (objects: readonly NewObject[], name: string, file: string): string =>
  dataOf(objectOf(objects, 'ConfigMap', name))[file] ?? ''

t.test('helm lint', { skip }, async (t) => {
  t.match(await helm(['lint', '--strict', CHART], ON), '0 chart(s) failed')
})

t.test('off unless asked for', { skip }, async (t) => {
  t.notMatch(await renderChart(), /directory/)
})

t.test('mistakes are refused', { skip }, async (t) => {
  const cases = [
    { name: 'nobody to ask it', values: { mode: 'reduced', ...ON }, says: "'/directory/enabled': value must be false" },
    { name: 'a port for which it lacks the privilege', values: { directory: { port: 443 } }, says: "'/directory/port': minimum" },
    { name: 'none of it', values: { directory: { replicas: 0 } }, says: "'/directory/replicas': minimum" },
    { name: 'agents that the chart knows', values: { config: { directory: { agents: ['a'] } } }, says: "'/config': additional properties" },
  ]
  for (const { name, values, says } of cases) await t.rejects(renderChart({ values }), { message: says }, name)
})

t.test('the directory', { skip }, async (t) => {
  const values = { directory: { ...ON.directory, port: 9443 }, config: { identity: { patience: '1m' }, series: { limit: 5 } } }
  const objects = await renderObjects({ values })
  const { spec } = templateOf(objects, 'Deployment')
  const { flags, mistakes } = parseCommandLine(spec.containers[0].args, COMMANDS)
  t.same(mistakes, [])
  t.match(flags, {
    'config.file': '/etc/meshtoll/meshtoll.yaml',
    'web.config.file': '/etc/meshtoll/web.yaml',
    'web.listen-address': { host: '', port: 9443 },
  })
  const parsed = parseConfig(fileOf(objects, 'meshtoll-directory', 'meshtoll.yaml'), {})
  t.same(parsed.mistakes, [])
  t.match(parsed.config, { directory: { agents: ['meshtoll/meshtoll-agent'] }, identity: { patienceMs: 60_000 }, series: { limit: 5 } })
  const web = parseWeb(fileOf(objects, 'meshtoll-directory', 'web.yaml'), '/etc/meshtoll')
  t.same(web.mistakes, [])
  t.match(web.web, { tls: { certFile: '/etc/meshtoll/tls.crt', keyFile: '/etc/meshtoll/tls.key' } })
  t.match(objectOf(objects, 'Service')['spec'], { ports: [{ port: 9443, targetPort: 'https' }] })
  const named = await renderObjects({ values: { ...ON, serviceAccount: { create: false, name: 'counting' } } })
  t.match(fileOf(named, 'meshtoll-directory', 'meshtoll.yaml'), 'meshtoll/counting')
})

t.test('who may read its metrics', { skip }, async (t) => {
  const directoryEndpoint = { interval: '1m', basicAuth: { username: { name: 'scrape', key: 'user' } } }
  const values = { directory: { ...ON.directory, web: { existingSecret: 'own' } }, podMonitor: { enabled: true, directoryEndpoint } }
  const text = await renderChart({ values })
  const objects = objectsOf(text)
  const [config] = templateOf(objects, 'Deployment').spec.volumes
  t.match(config, {
    projected: {
      sources: [
        { configMap: { items: [{ key: 'meshtoll.yaml' }] } },
        { secret: { name: 'own', items: [{ key: 'web.yaml' }] } },
        { secret: { name: 'meshtoll-directory-tls' } },
      ],
    },
  })
  const { podMetricsEndpoints } = objectOf(objects, 'PodMonitor', 'meshtoll-directory')['spec'] as { readonly podMetricsEndpoints: object }
  t.match(podMetricsEndpoints, [{ ...directoryEndpoint, port: 'https', scheme: 'https', tlsConfig: { serverName: HOST } }])
})

t.test('a directory pushes to Datadog as agents do, as a host of its own', { skip }, async (t) => {
  const config = { datadog: { enabled: true, site: 'datadoghq.eu', hostname: `\${NODE_NAME}-main`, tags: ['env:prod'] } }
  const objects = await renderObjects({ values: { ...ON, config, datadog: { existingSecret: 'datadog', secretKey: 'key' } } })
  const { spec } = templateOf(objects, 'Deployment')
  const key = { name: 'DD_API_KEY', valueFrom: { secretKeyRef: { name: 'datadog', key: 'key' } } }
  t.same(
    (spec.containers[0] as unknown as { env: readonly { name: string }[] }).env.find(({ name }) => name === 'DD_API_KEY'),
    key,
  )
  const parsed = parseConfig(fileOf(objects, 'meshtoll-directory', 'meshtoll.yaml'), { DD_API_KEY: 'key' })
  t.same(parsed.mistakes, [])
  t.match(parsed.config.datadog, { enabled: true, site: 'datadoghq.eu', hostname: 'auto', tags: ['env:prod'] })
})

t.test('the Lease of the election', { skip }, async (t) => {
  const { rules } = objectOf(await renderObjects({ values: ON }), 'Role', 'meshtoll-directory')
  const named = (rules as readonly Rule[]).filter(({ resources, resourceNames }) => resourceNames && resources.includes('leases'))
  t.same(named, [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [ELECTION_LEASE], verbs: ['get', 'update'] }])
  t.notOk(ELECTION_LEASE.startsWith(leaseNameOf('')), "is no Node's, whatever that is called")
})

t.test('what agents know of it', { skip }, async (t) => {
  const values = { directory: { ...ON.directory, port: 9443 }, config: { kubernetes: { enabled: true } } }
  const objects = await renderObjects({ values })
  const { config, mistakes } = parseConfig(fileOf(objects, 'meshtoll-agent', 'meshtoll.yaml'), { NODE_NAME: 'n1' })
  t.same(mistakes, [])
  t.match(config.kubernetes, {
    enabled: true,
    directory: { url: `https://${HOST}:9443`, caFile: 'directory-ca.crt', tokenFile: '/var/run/secrets/meshtoll/token', insecure: false },
  })
  const { spec } = templateOf(objects, 'DaemonSet')
  t.match(spec.volumes, [
    { projected: { sources: [{ configMap: {} }, { secret: { items: [{ key: 'ca.crt', path: 'directory-ca.crt' }] } }] } },
    { name: 'state' },
    { name: 'cgroups' },
    { name: 'pod-logs' },
    { name: 'directory-token', projected: { sources: [{ serviceAccountToken: { audience: 'meshtoll', path: 'token' } }] } },
  ])
  t.match(spec.containers[0].volumeMounts[4], { name: 'directory-token', mountPath: '/var/run/secrets/meshtoll' })
  t.notMatch(JSON.stringify(spec.volumes), 'tls.key', 'not its key')
})

t.test('the certificate that helm makes', { skip }, async (t) => {
  const objects = await renderObjects({ values: ON })
  const decoded = (key: string) => Buffer.from(dataOf(objectOf(objects, 'Secret'))[key] ?? '', 'base64').toString()
  const [certificate, authority] = [decoded('tls.crt'), decoded('ca.crt')].map((text) => new X509Certificate(text))
  if (!certificate || !authority) throw new Error('there is none')
  t.ok(authority.ca)
  t.ok(certificate.verify(authority.publicKey), 'is signed by the authority')
  t.notOk(certificate.ca)
  for (const name of [HOST, `${HOST}.cluster.local`]) t.equal(certificate.checkHost(name), name)
  t.equal(certificate.checkHost('meshtoll-agent.meshtoll.svc'), undefined)
  t.match(decoded('tls.key'), 'PRIVATE KEY')
  // Another one is another authority, of which agents hear by a restart only.
  const annotationsOf = (all: readonly NewObject[]) => templateOf(all, 'DaemonSet').metadata.annotations
  t.not(annotationsOf(await renderObjects({ values: ON }))['checksum/directory-ca'], annotationsOf(objects)['checksum/directory-ca'])
})

t.test('a certificate that is brought', { skip }, async (t) => {
  const objects = await renderObjects({ values: NAMED })
  t.notOk(objects.some(({ kind }) => kind === 'Secret'))
  for (const kind of ['DaemonSet', 'Deployment']) {
    const [{ projected }] = templateOf(objects, kind).spec.volumes as readonly [{ projected: object }]
    t.match(projected, { sources: [{ configMap: {} }, { secret: { name: 'certificate' } }] }, kind)
  }
  t.same(await renderObjects({ values: NAMED }), objects, 'each rendering is the same')
})

t.test('the certificate of the manifest', { skip }, async (t) => {
  const manifest = readFileSync(manifestOf('full-directory'), 'utf8').replaceAll('#   ', '')
  t.match(manifest, OPENSSL)
  const folder = t.testdir()
  execFileSync('sh', ['-c', OPENSSL], { cwd: folder, stdio: 'pipe' })
  const certificate = new X509Certificate(readFileSync(join(folder, 'tls.crt')))
  t.equal(certificate.checkHost(HOST), HOST)
  t.ok(certificate.ca, 'is its own authority')
  t.ok(certificate.verify(certificate.publicKey))
})

t.test('who may reach it, and who scrapes it', { skip }, async (t) => {
  const objects = await renderObjects({ values: { ...ON, podMonitor: { enabled: true } } })
  const policy = objectOf(objects, 'NetworkPolicy')['spec']
  t.match(policy, {
    podSelector: { matchLabels: { 'app.kubernetes.io/component': 'directory' } },
    policyTypes: ['Ingress'],
    ingress: [{ ports: [{ port: 'https' }], from: undefined }],
  })
  const from = [{ ipBlock: { cidr: '10.0.0.0/16' } }]
  const narrow = await renderObjects({ values: { directory: { ...ON.directory, networkPolicy: { from } } } })
  t.match(objectOf(narrow, 'NetworkPolicy')['spec'], { ingress: [{ from }] })
  const none = await renderObjects({ values: { directory: { ...ON.directory, networkPolicy: { enabled: false } } } })
  t.notOk(none.some(({ kind }) => kind === 'NetworkPolicy'))
  t.match(objectOf(objects, 'PodMonitor', 'meshtoll-directory')['spec'], {
    podMetricsEndpoints: [
      { port: 'https', tlsConfig: { serverName: HOST, ca: { secret: { name: 'meshtoll-directory-tls', key: 'ca.crt' } } } },
    ],
  })
})
