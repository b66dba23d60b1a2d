// The client against a real API server: what it promises where the server restarts, forgets, forbids.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Clock } from '../../src/deps.js'
import { type Access, readAccess } from '../../src/kube/access.js'
import { createKubeClient, type KubeClient, readJson } from '../../src/kube/client.js'
import { type FollowOptions, followObjects } from '../../src/kube/follow.js'
import { createListing, type Since } from '../../src/kube/list.js'
import { METADATA_ONLY, readMetadata } from '../../src/kube/metadata.js'
import { fixedToken, type ReadToken } from '../../src/kube/token.js'
import { createKeptLog } from '../kube/kept-log.js'
import { createSeen, type Seen, type Thing } from '../kube/objects.js'
import { createRelay, type Relay } from '../kube/relay.js'
import { allow, createServiceAccount, createToken } from './access.js'
import type { Cluster } from './cluster.js'
import { createNamespace, createPod, createReplicaSet } from './objects.js'
import { change, create, remove } from './resource.js'
import { clusterTest } from './suite.js'

const never = new AbortController().signal

/** Waits are a tenth of what they are, times are what they are. */
const HASTE = 10
const CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleep(ms / HASTE, undefined, signal && { signal }),
}

const configMap = (namespace: string, name: string, value = '1') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data: { value },
})

function pruneConfigMap(raw: unknown): Thing | undefined {
  const { metadata, data } = raw as { metadata: { name: string }; data?: { value?: string } }
  return { name: metadata.name, value: data?.value ?? '' }
}

const pathOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`

interface Following {
  readonly seen: Seen
  readonly lines: readonly string[]
}

/** Until the test ends. */
function follow(t: Test, options: Omit<FollowOptions<Thing>, 'prune'>): Following {
  const seen = createSeen()
  const log = createKeptLog()
  const stopping = new AbortController()
  const deps = { clock: CLOCK, log, random: () => crypto.randomUUID() }
  const done = followObjects({ ...options, prune: pruneConfigMap }, deps, seen, stopping.signal)
  t.teardown(async () => {
    stopping.abort()
    await done
  })
  return { seen, lines: log.lines }
}

await clusterTest(async (t, cluster) => {
  const { admin } = cluster
  const ca = await readFile(cluster.caFile, 'utf8')
  const { hostname: host, port } = new URL(cluster.url)

  const clientOf = (t: Test, token: ReadToken, server = cluster.url): KubeClient => {
    const client = createKubeClient({ server, ca, token }, { clock: CLOCK })
    t.teardown(() => client.close())
    return client
  }
  const adminOf = (t: Test, server?: string): KubeClient => clientOf(t, fixedToken(cluster.adminToken), server)
  const relayTo = async (t: Test): Promise<Relay & { readonly url: string }> => {
    const relay = await createRelay(t, { host, port: Number(port) })
    return { ...relay, url: `https://127.0.0.1:${relay.port}` }
  }
  /** What a list says, in the words of `known`. */
  const truth = async (client: KubeClient, namespace: string): Promise<string[]> => {
    const { items } = (await readJson(client, pathOf(namespace), { signal: never })) as { items: ReturnType<typeof configMap>[] }
    return items.map(({ metadata, data }) => `${namespace}/${metadata.name}=${data.value}`).sort()
  }

  t.test('1,500 objects, in one answer and in pages', async (t) => {
    const client = adminOf(t)
    const [namespace, count] = ['many', 1500]
    await createNamespace(admin, namespace)
    const names = Array.from({ length: count }, (_, index) => `c${index}`)
    await Promise.all(names.map((name) => create(admin, configMap(namespace, name))))
    const expected = await truth(client, namespace)
    t.equal(expected.length, count)
    const readAll = async (since: Since | undefined) => {
      const items: string[] = []
      let [begun, requests] = [0, 0]
      const counting: KubeClient = {
        ...client,
        request(path, options) {
          requests++
          return client.request(path, options)
        },
      }
      const into = {
        begin: () => void begun++,
        item: (raw: unknown) => void items.push(`${namespace}/${pruneConfigMap(raw)?.name}=${pruneConfigMap(raw)?.value}`),
      }
      await createListing({ client: counting, path: pathOf(namespace) }, since).read(into, never)
      return { items: items.sort(), begun, requests }
    }
    t.strictSame(await readAll(undefined), { items: expected, begun: 1, requests: 1 }, 'as the server has it in memory')
    const pages = { items: expected, begun: 1, requests: 8 }
    t.strictSame(await readAll({ resourceVersion: '1', hasNoCache: true }), pages, 'in pages')
    // As after a restored etcd: refused first, then the newest is asked for.
    const ahead = { resourceVersion: '999999999', hasNoCache: false }
    t.strictSame(await readAll(ahead), { ...pages, requests: 9 }, 'the server has not come so far')
    const { seen } = follow(t, { client, path: pathOf(namespace) })
    await seen.until('synced')
    t.strictSame(seen.known, expected)
  })

  t.test('changes while it watches', async (t) => {
    const client = adminOf(t)
    const namespace = 'changes'
    await createNamespace(admin, namespace)
    await create(admin, configMap(namespace, 'a'))
    const { seen, lines } = follow(t, { client, path: pathOf(namespace) })
    await seen.until('synced')
    await create(admin, configMap(namespace, 'b'))
    await seen.until('put changes/b=1')
    await change(admin, configMap(namespace, 'a'), { data: { value: 'ü€😀"\\\n{}' } })
    await seen.until('put changes/a=ü€😀"\\\n{}')
    await remove(admin, configMap(namespace, 'b'))
    await seen.until('remove changes/b')
    t.strictSame(seen.known, await truth(client, namespace))
    t.strictSame(lines, [])
  })

  t.test('only the pods of one node', async (t) => {
    const namespace = 'pods'
    await createNamespace(admin, namespace)
    const [here] = [
      await createPod(admin, { namespace, name: 'here', node: 'n1' }),
      await createPod(admin, { namespace, name: 'there', node: 'n2' }),
    ]
    const { seen } = follow(t, { client: adminOf(t), path: '/api/v1/pods', query: { fieldSelector: 'spec.nodeName=n1' } })
    await seen.until('synced')
    t.strictSame(seen.known, ['pods/here='])
    await createPod(admin, { namespace, name: 'there-too', node: 'n2' })
    await createPod(admin, { namespace, name: 'here-too', node: 'n1' })
    await seen.until('put pods/here-too=')
    await remove(admin, here)
    await seen.until('remove pods/here')
    t.strictSame(seen.known, ['pods/here-too='])
  })

  t.test('the API server restarts while it watches', async (t) => {
    const client = adminOf(t)
    const namespace = 'restart'
    await createNamespace(admin, namespace)
    const { seen, lines } = follow(t, { client, path: pathOf(namespace) })
    await seen.until('synced')
    for (let index = 0; index < 20; index++) await create(admin, configMap(namespace, `before-${index}`))
    await cluster.restart()
    for (let index = 0; index < 20; index++) await create(admin, configMap(namespace, `after-${index}`))
    await remove(admin, configMap(namespace, 'before-0'))
    await create(admin, configMap(namespace, 'last'))
    await seen.until('put restart/last=1')
    t.strictSame(seen.known, await truth(client, namespace))
    t.strictSame(
      seen.calls.filter((call) => call.startsWith('remove')),
      ['remove restart/before-0'],
      'nothing was forgotten meanwhile',
    )
    const warnings = lines.filter((line) => line.startsWith('warn'))
    t.ok(warnings.length > 0 && warnings.length <= 5, `one line for each kind of failure: ${warnings.join('\n')}`)
  })

  t.test('etcd is compacted while it is cut off', async (t) => {
    const client = adminOf(t)
    const namespace = 'compacted'
    await createNamespace(admin, namespace)
    for (const name of ['a', 'b', 'c']) await create(admin, configMap(namespace, name))
    const relay = await relayTo(t)
    const { seen, lines } = follow(t, { client: adminOf(t, relay.url), path: pathOf(namespace) })
    await seen.until('synced')
    relay.cut()
    await seen.until(/^failed/)
    await remove(admin, configMap(namespace, 'b'))
    await change(admin, configMap(namespace, 'c'), { data: { value: '2' } })
    await create(admin, configMap(namespace, 'd'))
    await cluster.compact()
    t.strictSame(seen.known, ['compacted/a=1', 'compacted/b=1', 'compacted/c=1'], 'nothing is forgotten')
    const { length } = seen.calls
    relay.mend()
    await seen.until('synced')
    t.strictSame(seen.known, await truth(client, namespace), 'nothing is missed')
    const later = seen.calls.slice(length).filter((call) => !call.startsWith('failed'))
    t.strictSame(
      later.filter((call) => !call.startsWith('put')),
      ['remove compacted/b', 'synced'],
      'what is gone goes when the list is whole',
    )
    t.ok(
      lines.some((line) => line.startsWith('debug a watch has expired')),
      'it was a 410 that led there',
    )
    await create(admin, configMap(namespace, 'e'))
    await seen.until('put compacted/e=1')
  })

  t.test('what is forbidden is said in one line, and works as soon as it is allowed', async (t) => {
    const serviceAccount = { namespace: 'forbidden', name: 'agent' }
    await createNamespace(admin, serviceAccount.namespace)
    await createServiceAccount(admin, serviceAccount)
    await create(admin, configMap(serviceAccount.namespace, 'a'))
    const token = await createToken(admin, serviceAccount)
    const { seen, lines } = follow(t, { client: clientOf(t, fixedToken(token)), path: '/api/v1/configmaps' })
    for (let times = 0; times < 3; times++) await seen.until(/^failed/)
    const forbidden = 'configmaps is forbidden: User \\"system:serviceaccount:forbidden:agent\\" cannot list resource \\"configmaps\\"'
    t.equal(lines.length, 1, 'once')
    t.ok(lines[0]?.includes(`GET ${cluster.url}/api/v1/configmaps: 403 Forbidden: ${forbidden}`), String(lines))
    t.match(lines[0], /allow it with the RBAC rule \{apiGroups: \[\\"\\"\], resources: \[\\"configmaps\\"\], verbs: \[\\"list\\"\]\}"/)
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }]
    await allow(admin, { name: 'agent', rules, serviceAccount })
    await seen.until('synced')
    t.ok(seen.known.includes('forbidden/a=1'))
    await create(admin, configMap(serviceAccount.namespace, 'b'))
    await seen.until('put forbidden/b=1')
    while (lines.length < 2) await sleep(20)
    t.match(lines[1], /^info following the API server again/)
  })

  t.test('a token that ends is replaced by the one that is in its file by then', async (t) => {
    const serviceAccount = { namespace: 'rotated', name: 'agent' }
    await createNamespace(admin, serviceAccount.namespace)
    await createServiceAccount(admin, serviceAccount)
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }]
    await allow(admin, { name: 'rotated', namespace: serviceAccount.namespace, rules, serviceAccount })
    const pod = await createPod(admin, { namespace: serviceAccount.namespace, name: 'agent', serviceAccount: serviceAccount.name })
    const first = await createToken(admin, { ...serviceAccount, pod })
    const second = await createToken(admin, serviceAccount)
    const folder = t.testdir({ token: first, 'ca.crt': ca, namespace: serviceAccount.namespace })
    const relay = await relayTo(t)
    const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(relay.port) }
    const access = await accessOf({ environment, serviceAccount: folder })
    t.equal(access.namespace, serviceAccount.namespace)
    const client = createKubeClient(access, { clock: CLOCK })
    t.teardown(() => client.close())
    const { seen, lines } = follow(t, { client, path: pathOf(access.namespace) })
    await seen.until('synced')
    await remove(admin, pod)
    await untilRefused(cluster, first, pathOf(access.namespace))
    await writeFile(join(folder, 'token'), second)
    relay.cut()
    await seen.until(/^failed/)
    relay.mend()
    await create(admin, configMap(access.namespace, 'a'))
    await seen.until('put rotated/a=1')
    t.notOk(
      lines.some((line) => line.includes('401')),
      'nobody hears of it',
    )
  })

  t.test('a kubeconfig file', async (t) => {
    const kubeconfig = join(
      t.testdir({
        config: JSON.stringify({
          'current-context': 'test',
          contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
          clusters: [{ name: 'test', cluster: { server: cluster.url, 'certificate-authority': cluster.caFile } }],
          users: [{ name: 'admin', user: { token: cluster.adminToken } }],
        }),
      }),
      'config',
    )
    const client = createKubeClient(await accessOf({ kubeconfig, environment: {} }), { clock: CLOCK })
    t.teardown(() => client.close())
    t.match(await readJson(client, '/version', { signal: never }), { major: '1' })
  })

  t.test('metadata only', async (t) => {
    const client = adminOf(t)
    const namespace = 'owners'
    await createNamespace(admin, namespace)
    await createReplicaSet(admin, { namespace, name: 'cart-5d9', deployment: 'cart' })
    const replicaSet = { group: 'apps', version: 'v1', resource: 'replicasets', namespace, name: 'cart-5d9' }
    const metadata = await readMetadata(client, replicaSet, never)
    t.match(metadata, { namespace, name: 'cart-5d9', ownerReferences: [{ kind: 'Deployment', name: 'cart', controller: true }] })
    t.equal(await readMetadata(client, { ...replicaSet, name: 'cart-5da' }, never), undefined, 'one that is not there')

    const raws: unknown[] = []
    const stopping = new AbortController()
    const seen = createSeen()
    const done = followObjects(
      {
        client,
        path: `/apis/apps/v1/namespaces/${namespace}/replicasets`,
        accept: METADATA_ONLY,
        prune: (raw) => {
          raws.push(raw)
          return pruneConfigMap(raw)
        },
      },
      { clock: CLOCK, log: createKeptLog(), random: () => crypto.randomUUID() },
      seen,
      stopping.signal,
    )
    await seen.until('synced')
    await createReplicaSet(admin, { namespace, name: 'stock-1', deployment: 'stock' })
    await seen.until('put owners/stock-1=')
    stopping.abort()
    await done
    const kinds = raws.map((raw) => {
      const { kind, spec } = raw as { kind?: string; spec?: unknown }
      return { kind, hasSpec: spec !== undefined }
    })
    const one = { kind: 'PartialObjectMetadata', hasSpec: false }
    t.match(kinds, [{ hasSpec: false }, one], 'neither a list nor a watch brings a spec')
  })
})

const accessOf = (options: Parameters<typeof readAccess>[0]): Promise<Access> =>
  readAccess(options, { clock: CLOCK, readFile: (path) => readFile(path, 'utf8') }, never)

/** The API server believes for some seconds what it has checked. */
async function untilRefused(cluster: Cluster, token: string, path: string): Promise<void> {
  const client = cluster.clientOf(token)
  while ((await client.ask('GET', path)).status !== 401) await sleep(100)
}
