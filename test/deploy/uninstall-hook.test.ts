// What helm runs before it uninstalls: with its own rules, and no more, it deletes the DaemonSet after its pods, and waits for them.
import { execFile } from 'node:child_process'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { allow, createServiceAccount, createToken, type Rule } from '../cluster/access.js'
import type { Cluster } from '../cluster/cluster.js'
import { createNamespace, createWorkload } from '../cluster/objects.js'
import { change, create, type NewObject, read } from '../cluster/resource.js'
import { clusterTest } from '../cluster/suite.js'
import { eventually } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { CHART, helm, objectOf, objectsOf, renderChart } from './helm.js'

const NAMESPACE = 'meshtoll'
const DAEMON_SET = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { namespace: NAMESPACE, name: 'meshtoll-agent' } }

interface Container {
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
}

/** Asks the cluster, and changes nothing. */
const ask = (command: string, { url, caFile }: Cluster, token: string, values: object): Promise<string> => {
  const asking = ['--dry-run=server', '--kube-apiserver', url, '--kube-ca-file', caFile, '--kube-token', token]
  return helm([command, 'meshtoll', CHART, '--namespace', NAMESPACE, ...asking], values)
}

/** What helm install says at its end. */
async function notesOf(cluster: Cluster, values: object = {}): Promise<string> {
  const said = await ask('install', cluster, cluster.adminToken, values)
  return said.slice(said.lastIndexOf('NOTES:'))
}

/** As helm install renders it. */
async function renderHook(cluster: Cluster, values: object = {}, token = cluster.adminToken): Promise<readonly NewObject[]> {
  const objects = objectsOf(await ask('template', cluster, token, values))
  return objects.filter(({ metadata }) => 'helm.sh/hook' in ((metadata['annotations'] ?? {}) as object))
}

const rulesOf = (role: NewObject): readonly Rule[] => role['rules'] as readonly Rule[]
const verbsOf = (role: NewObject): readonly string[] =>
  rulesOf(role)
    .flatMap(({ verbs }) => verbs)
    .sort()
const rulesWithout = (role: NewObject, left: string): readonly Rule[] =>
  rulesOf(role).map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== left) }))

interface Placed {
  readonly tolerations: readonly object[]
  readonly affinity: object
}

/** It waits for a while for what it is refused. */
const SAID_WITHIN_MS = 30_000

/** The container's program, as the hook's ServiceAccount. */
async function run({ url, caFile, folder, admin }: Cluster, job: NewObject): Promise<string> {
  const { template } = job['spec'] as { readonly template: { readonly spec: { readonly containers: readonly [Container] } } }
  const [{ command, args, env }] = template.spec.containers
  const account = join(folder, 'hook')
  await mkdir(account, { recursive: true })
  await copyFile(caFile, join(account, 'ca.crt'))
  await writeFile(join(account, 'token'), await createToken(admin, { namespace: NAMESPACE, name: 'meshtoll-uninstall' }))
  const { hostname, port } = new URL(url)
  const given = Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
  const { stdout } = await promisify(execFile)(process.execPath, [...command.slice(1), ...args], {
    env: { ...given, POD_NAMESPACE: NAMESPACE, SERVICE_ACCOUNT: account, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
  })
  return stdout
}

await clusterTest(async (t, cluster) => {
  const skip = reasonToSkip(['helm']) ?? false
  const { admin } = cluster

  t.test('the hook of the chart', { skip }, async (t) => {
    t.notMatch(await renderChart(), 'helm.sh/hook', 'nothing that kubectl apply would run at once')
    t.same(await renderHook(cluster, { uninstallHook: false }), [])
    t.same(await renderHook(cluster, { mode: 'reduced' }), [])
    t.same(await renderHook(cluster, { rbac: { create: false } }), [], 'no rules where none are to be made')
    t.same(await renderHook(cluster, { serviceAccount: { create: false } }), [], 'no account where none is to be made')
    const objects = await renderHook(cluster)
    t.same(objects.map(({ kind }) => kind).sort(), ['Job', 'Role', 'RoleBinding', 'ServiceAccount'])
    for (const { kind, metadata } of objects)
      t.match(metadata['annotations'], { 'helm.sh/hook': 'pre-delete', 'helm.sh/hook-weight': kind === 'Job' ? '0' : '-1' })
    const job = objectOf(objects, 'Job')

    await createNamespace(admin, NAMESPACE, { 'pod-security.kubernetes.io/enforce': 'privileged' })
    const [account, role, binding] = ['ServiceAccount', 'Role', 'RoleBinding'].map((kind) => objectOf(objects, kind)) as [
      NewObject,
      NewObject,
      NewObject,
    ]
    await create(admin, account)
    await create(admin, job)
    t.match(await run(cluster, job), /^agents may leave their kernel tables behind: DELETE .*: 403$/m, 'what fails is said, and no more')
    t.same(verbsOf(role), ['delete', 'get'])
    await create(admin, { ...role, rules: rulesWithout(role, 'get') })
    await create(admin, binding)
    await createWorkload(admin, { kind: 'DaemonSet', ...DAEMON_SET.metadata })
    // The API server knows of rules a moment later.
    const says = (words: RegExp) =>
      eventually(String(words), async () => (words.test(await run(cluster, job)) ? true : undefined), SAID_WITHIN_MS)
    await says(/^agents may leave their kernel tables behind: GET .*: 403$/m)
    await change(admin, role, { rules: rulesWithout(role, 'delete') })
    await says(/^agents may leave their kernel tables behind: DELETE .*: 403$/m)
    await change(admin, DAEMON_SET, { metadata: { finalizers: [] } })
    await createWorkload(admin, { kind: 'DaemonSet', ...DAEMON_SET.metadata })
    const running = run(cluster, job)
    // Rules that were just made may come a moment later.
    await sleep(1_500)
    await change(admin, role, { rules: rulesOf(role) })
    const found = await eventually('it is deleted', async () => {
      const { metadata } = await read(admin, DAEMON_SET)
      return 'deletionTimestamp' in metadata ? metadata : undefined
    })
    t.match(found, { finalizers: ['foregroundDeletion'] }, 'after its pods')
    // It was allowed to look, and the API server is away for a while.
    await sleep(1_500)
    const [, apiServer = 0] = cluster.pids
    process.kill(apiServer, 'SIGKILL')
    await sleep(2_500)
    await cluster.restart()
    // Its pods are gone.
    await change(admin, DAEMON_SET, { metadata: { finalizers: [] } })
    t.match(await running, /^all agents are gone/)
    t.match(await run(cluster, job), /^all agents are gone/, 'once more')
  })

  t.test('where the Job runs', { skip }, async (t) => {
    const placeOf = async (values: object): Promise<Placed> => {
      const { template } = objectOf(await renderHook(cluster, values), 'Job')['spec'] as { readonly template: { readonly spec: Placed } }
      return template.spec
    }
    const controlPlane = { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }
    t.same((await placeOf({})).tolerations, [controlPlane], 'not on a node that is not ready')
    const dedicated = { key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }
    const tolerations = [{ operator: 'Exists' }, dedicated, { key: 'node.kubernetes.io/not-ready', operator: 'Exists' }]
    t.same((await placeOf({ tolerations })).tolerations, [controlPlane, dedicated])
    t.match(JSON.stringify((await placeOf({})).affinity), 'fargate')
  })

  t.test('the notes say what becomes of kernel tables', { skip }, async (t) => {
    t.match(await notesOf(cluster), '--no-hooks is the way out')
    for (const values of [{ uninstallHook: false }, { rbac: { create: false } }, { serviceAccount: { create: false } }])
      t.match(await notesOf(cluster, values), 'delete ds meshtoll-agent --cascade=foreground', JSON.stringify(values))
  })

  t.test('the notes fit a terminal', { skip }, async (t) => {
    const from = [{ podSelector: {} }]
    const cases = [
      ...[{}, { directory: { enabled: true } }, { uninstall: true }, { uninstallHook: false }, { web: { existingSecret: 'web' } }],
      ...[{ networkPolicy: { from } }, { networkPolicy: { egressPorts: [] } }].map((more) => ({ mode: 'reduced', ...more })),
    ]
    for (const values of cases) {
      const lines = (await notesOf(cluster, values)).split('\n')
      t.same(
        lines.filter(({ length }) => length > 80),
        [],
        JSON.stringify(values),
      )
    }
  })

  t.test('a deployer who may read nothing but the Secrets in which helm keeps its releases', { skip }, async (t) => {
    const serviceAccount = { namespace: 'deployers', name: 'deployer' }
    await createNamespace(admin, serviceAccount.namespace)
    await createServiceAccount(admin, serviceAccount)
    const token = await createToken(admin, serviceAccount)
    await t.rejects(renderHook(cluster, {}, token), { message: 'secrets is forbidden' })
    const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] }]
    await allow(admin, { name: 'deployer', namespace: NAMESPACE, rules, serviceAccount })
    const rendered = await eventually('it may', () => renderHook(cluster, {}, token).catch(() => undefined))
    t.same(rendered, await renderHook(cluster))
  })
})
