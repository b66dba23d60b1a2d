// The directory as a program, with TLS, against a real API server that judges real tokens.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { ELECTION_LEASE } from '../../src/cluster/election-lease.js'
import { leaseOf } from '../../src/cluster/leases.js'
import { allow, createServiceAccount, createToken, type Rule } from '../cluster/access.js'
import type { KubeObject } from '../cluster/client.js'
import type { Cluster } from '../cluster/cluster.js'
import { writeKubeconfig } from '../cluster/kubeconfig.js'
import { createNamespace, createNode, createPod, createReplicaSet, createRunningPod, createService } from '../cluster/objects.js'
import { create, ownerOf, remove } from '../cluster/resource.js'
import { clusterTest } from '../cluster/suite.js'
import { createAuthority, createCertificate } from '../http/certificates.js'
import { ask } from '../http/client.js'
import { type Started, startProgram } from '../program.js'
import { type Listener, listen, type Place, post } from './listener.js'

const NAMESPACE = 'meshtoll'
const ACCOUNT = { namespace: NAMESPACE, name: 'meshtoll-directory' }
const AGENT = { namespace: NAMESPACE, name: 'meshtoll-agent' }
const STRANGER = { namespace: 'shop', name: 'meshtoll-agent' }
const AUDIENCE = 'meshtoll'

/** All that it may. */
const EVERYWHERE: readonly Rule[] = [
  { apiGroups: [''], resources: ['pods', 'nodes', 'services'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
]
const OWN: readonly Rule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['list', 'watch', 'create'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [ELECTION_LEASE], verbs: ['get', 'update'] },
]

async function prepare({ admin }: Cluster): Promise<KubeObject> {
  for (const name of [NAMESPACE, 'shop']) await createNamespace(admin, name)
  for (const account of [ACCOUNT, AGENT, STRANGER]) await createServiceAccount(admin, account)
  await allow(admin, { name: 'directory', rules: EVERYWHERE, serviceAccount: ACCOUNT })
  await allow(admin, { name: 'directory', namespace: NAMESPACE, rules: OWN, serviceAccount: ACCOUNT })
  for (const number of [1, 2, 3]) {
    const zone = `zone-${number}`
    await createNode(admin, {
      name: `n${number}`,
      zone,
      region: 'lab',
      addresses: [`192.168.0.${number}`],
      podCidrs: [`10.1.${number}.0/24`],
    })
  }
  await cover(admin, 'n1')
  return createReplicaSet(admin, { namespace: 'shop', name: 'cart-7d9f', deployment: 'cart' })
}

const cover = (admin: Cluster['admin'], node: string): Promise<KubeObject> => {
  const lease = leaseOf({ node, uid: '00000000-0000-4000-8000-000000000000' }, Date.now()) as { metadata: object }
  return create(admin, { ...lease, metadata: { ...lease.metadata, namespace: NAMESPACE } } as never)
}

interface DirectoryHere extends Place, Started {
  readonly log: () => string
}

async function start(t: Test, cluster: Cluster): Promise<DirectoryHere> {
  const folder = t.testdir({ 'web.yaml': 'tls_server_config: {cert_file: server.crt, key_file: server.key}' })
  const authority = createAuthority(folder, 'authority')
  createCertificate(folder, 'server', authority)
  const kubeconfig = await writeKubeconfig(cluster, {
    token: await createToken(cluster.admin, ACCOUNT),
    namespace: NAMESPACE,
    name: 'directory',
  })
  writeFileSync(join(folder, 'meshtoll.yaml'), JSON.stringify({ kubernetes: { kubeconfig } }))
  const files = [`--config.file=${folder}/meshtoll.yaml`, `--web.config.file=${folder}/web.yaml`]
  const started = startProgram(['directory', ...files, '--web.listen-address=127.0.0.1:0', '--log.level=debug'])
  let log = ''
  started.child.stderr?.on('data', (piece: Buffer) => {
    log += piece
  })
  t.teardown(() => started.child.kill('SIGKILL'))
  await started.says('msg="all is known, agents are answered"')
  const [, url = ''] = /url=(https:\S+)/.exec(log) ?? []
  return { ...started, url, ca: authority.cert, log: () => log }
}

/** `address uid`, as the API server knows the pod. */
const has = (address: string, pod: KubeObject, isOver = false) => {
  const key = `${address} ${pod.metadata.uid}`
  return ({ tenancies }: Listener): boolean => {
    const told = tenancies.get(key)
    return told !== undefined && (told.untilMs !== null) === isOver
  }
}

await clusterTest(async (t, cluster) => {
  const { admin } = cluster
  const owner = ownerOf(await prepare(cluster))
  const podOf = (name: string, address: string, node = 'n2'): Promise<KubeObject> =>
    createRunningPod(admin, { namespace: 'shop', name, node, owner, podIps: [address] })
  const cart = await podOf('cart-7d9f-a', '10.1.2.2')
  const token = await createToken(admin, { ...AGENT, audience: AUDIENCE })
  const directory = await start(t, cluster)
  const listenTo = async (t: Test, addresses: readonly string[], more: object = {}): Promise<Listener> => {
    const listener = await listen(directory, { token, body: { node: 'n1', addresses, ...more } })
    t.teardown(() => listener.close())
    return listener
  }
  const change = (session: string, wish: object) => post(directory, '/v1/addresses', { token, body: { session, ...wish } })

  t.test('who may ask', async (t) => {
    const pod = await createPod(admin, { namespace: NAMESPACE, name: 'meshtoll-agent-x', serviceAccount: AGENT.name })
    const bound = await createToken(admin, { ...AGENT, audience: AUDIENCE, pod })
    const expired = await createToken(admin, {
      ...AGENT,
      audience: AUDIENCE,
      pod: await createPod(admin, { namespace: NAMESPACE, name: 'gone', serviceAccount: AGENT.name }),
    })
    await remove(admin, { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NAMESPACE, name: 'gone' } })
    const cases = [
      { name: 'nobody', token: undefined, status: 401 },
      { name: 'garbage', token: 'garbage', status: 401 },
      { name: 'a token that was tampered with', token: `${token.slice(0, -2)}xx`, status: 401 },
      { name: 'a token for the API server', token: await createToken(admin, AGENT), status: 401 },
      { name: 'a token for somebody else', token: await createToken(admin, { ...AGENT, audience: 'vault' }), status: 401 },
      { name: 'a token of a pod that is gone', token: expired, status: 401 },
      { name: 'an administrator', token: cluster.adminToken, status: 401 },
      { name: 'another account', token: await createToken(admin, { ...ACCOUNT, audience: AUDIENCE }), status: 403 },
      { name: 'an account of this name elsewhere', token: await createToken(admin, { ...STRANGER, audience: AUDIENCE }), status: 403 },
      // Admitted: there is no such session.
      { name: 'an agent', token, status: 404 },
      { name: 'an agent again', token, status: 404 },
      { name: 'an agent by the token of its pod', token: bound, status: 404 },
    ]
    for (const { name, token, status } of cases) {
      for (const path of ['/v1/addresses', '/v1/watch']) {
        const answer = status === 404 && path === '/v1/watch' ? undefined : await post(directory, path, { token, body: { session: 'x' } })
        if (answer) t.equal(answer.status, status, `${name}: ${path} ${answer.text.trim()}`)
      }
      if (token) t.notMatch(directory.log(), token.split('.').at(-1), 'nothing of it is logged')
    }
  })

  t.test('addresses that are known, and such that are not', async (t) => {
    const service = await createService(admin, { namespace: 'shop', name: 'cart' })
    const clusterIp = String(service.spec?.['clusterIP'])
    await sleep(500)
    const listener = await listenTo(t, ['10.1.2.2', '192.168.0.3', clusterIp, '10.1.3.77', '10.200.0.1', 'nonsense'])
    await listener.until('all', ({ revision }) => revision > 0)
    t.match(listener, { since: 0, session: /./, instance: /./ })
    const [told] = listener.lines.flatMap(({ tenancies = [] }) => tenancies).filter(({ address }) => address === '10.1.2.2')
    t.match(told, {
      key: cart.metadata.uid,
      node: 'n2',
      coverage: 'node',
      zone: 'zone-2',
      region: 'lab',
      namespace: 'shop',
      kind: 'Deployment',
      name: 'cart',
      untilMs: null,
    })
    const others = [...listener.tenancies.values()].filter(({ address }) => address !== '10.1.2.2')
    t.match(
      new Map(others.map((one) => [one.address, one])),
      new Map<string, object>([
        ['192.168.0.3', { node: 'n3', kind: 'Node', name: 'n3' }],
        [clusterIp, { node: '', coverage: 'always', kind: 'Service', name: 'cart' }],
      ]),
    )
    t.same(
      listener.lines.flatMap(({ ranges = [] }) => ranges),
      [{ cidr: '10.1.3.0/24', node: 'n3' }],
    )
    t.same([...listener.covers].sort(), [
      ['n1', true],
      ['n2', false],
      ['n3', false],
    ])
  })

  t.test('a pod comes, ends, and is replaced; a node gets an agent; it is heard within a second', async (t) => {
    const listener = await listenTo(t, ['10.1.3.2'])
    const [first, atMs] = [await podOf('cart-7d9f-b', '10.1.3.2', 'n3'), performance.now()]
    await listener.until('it came', has('10.1.3.2', first))
    t.ok(performance.now() - atMs < 1_000)
    await remove(admin, first)
    await listener.until('it ended', has('10.1.3.2', first, true))
    const second = await podOf('cart-7d9f-c', '10.1.3.2', 'n3')
    await listener.until('another one has its address', has('10.1.3.2', second))
    await cover(admin, 'n3')
    await listener.until('its node has an agent', ({ covers }) => covers.get('n3') === true)
    t.equal(listener.covers.get('n2'), undefined, 'nobody asked of n2')
  })

  t.test('more, and less', async (t) => {
    const listener = await listenTo(t, [])
    t.match(await change(listener.session, { add: ['10.1.2.2'] }), { status: 204, text: '' })
    await listener.until('it is told', has('10.1.2.2', cart))
    t.match(await change(listener.session, { drop: ['10.1.2.2'], add: ['10.1.2.3'] }), { status: 204 })
    const [mine, other] = [await podOf('cart-7d9f-d', '10.1.2.3'), await podOf('cart-7d9f-e', '10.1.2.4')]
    await listener.until('it is told', has('10.1.2.3', mine))
    t.notOk(has('10.1.2.4', other)(listener))
    t.match(await change('nobody', { add: [] }), { status: 404, text: 'There is no such session; begin anew.\n' })
    listener.close()
    await sleep(200)
    t.match(await change(listener.session, { add: [] }), { status: 404 }, 'a session ends with its connection')
  })

  t.test('bodies that are wrong', async (t) => {
    const cases = [
      { name: 'no JSON', path: '/v1/watch', body: '{', text: /^the body is no JSON: / },
      { name: 'no node', path: '/v1/watch', body: { addresses: [] }, text: /^node is missing; expected the name of the node that asks\n$/ },
      { name: 'no session', path: '/v1/addresses', body: {}, text: /^session is missing;/ },
    ]
    for (const { name, path, body, text } of cases) t.match(await post(directory, path, { token, body }), { status: 400, text }, name)
    const large = `"${'x'.repeat(9 << 20)}"`
    const answer = await post(directory, '/v1/watch', { token, body: large }).catch(({ code }) => ({ status: code }))
    t.match(answer.status, /^(413|EPIPE|ECONNRESET)$/, 'more than there can be')
  })

  t.test('an agent that comes back hears of what has changed, and of nothing else', async (t) => {
    const addresses = ['10.1.2.2', '10.1.2.5', '10.1.2.6']
    const stays = await podOf('cart-7d9f-f', '10.1.2.5')
    await sleep(500)
    const before = await listenTo(t, addresses)
    await before.until('all', ({ revision }) => revision > 0)
    before.close()
    const comes = await podOf('cart-7d9f-g', '10.1.2.6')
    await remove(admin, cart)
    await sleep(500)
    const { instance, revision } = before
    const after = await listenTo(t, addresses, { instance, revision })
    await after.until('all', ({ revision: now }) => now > revision)
    t.equal(after.since, revision)
    t.ok(has('10.1.2.6', comes)(after) && has('10.1.2.2', cart, true)(after))
    t.notOk(has('10.1.2.5', stays)(after))
    const elsewhere = await listenTo(t, addresses, { instance: 'another', revision })
    await elsewhere.until('all', ({ revision: now }) => now > 0)
    t.equal(elsewhere.since, 0)
    t.ok(has('10.1.2.5', stays)(elsewhere), 'another replica tells all')
  })

  t.test('metrics', async (t) => {
    await listenTo(t, ['10.1.2.5', '10.250.0.1'])
    const { text } = await ask(directory.url, { path: '/metrics', ca: directory.ca })
    t.match(text, /^meshtoll_directory_sessions \d+$/m)
    t.match(text, /^meshtoll_directory_asked_addresses [2-9]$/m)
    t.match(text, /^meshtoll_directory_addresses \d+$/m)
    t.match(text, /^meshtoll_directory_lines_total \d+$/m)
    t.match(text, /^process_resident_memory_bytes \d/m)
    t.match(text, /^meshtoll_source_up\{source="kubernetes"\} 1$/m)
    t.notMatch(text, 'meshtoll_state_writable')
  })

  t.test('the API server is away for a while', async (t) => {
    const listener = await listenTo(t, ['10.1.2.7', '10.1.2.5'])
    await listener.until('all', ({ revision }) => revision > 0)
    const told = listener.lines.length
    await cluster.restart()
    const pod = await podOf('cart-7d9f-h', '10.1.2.7')
    await listener.until('a change after it came back', has('10.1.2.7', pod))
    const tenancies = listener.lines.slice(told).flatMap(({ tenancies = [] }) => tenancies)
    t.same(
      tenancies.map(({ address }) => address),
      ['10.1.2.7'],
      'what did not change is not told again',
    )
    t.match(await ask(directory.url, { path: '/readyz', ca: directory.ca }), { status: 200 })
  })

  t.test('a directory that stood still: news goes on, but not that all is told', async (t) => {
    const listener = await listenTo(t, ['10.1.2.8'])
    await listener.until('all', ({ revision }) => revision > 0)
    const before = listener.lines.length
    const saidAll = () => listener.lines.slice(before).filter(({ revision }) => revision !== undefined)
    directory.child.kill('SIGSTOP')
    const pod = await podOf('cart-7d9f-i', '10.1.2.8')
    await sleep(4_500)
    directory.child.kill('SIGCONT')
    await listener.until('what changed meanwhile', has('10.1.2.8', pod))
    await sleep(5_500)
    t.same(saidAll(), [], 'what it asked for before may have more to say')
    await listener.until('all is told', () => saidAll().length > 0)
  })

  t.test('SIGTERM ends all that listen', async (t) => {
    const listeners = await Promise.all([1, 2, 3].map(() => listenTo(t, ['10.1.2.5'])))
    const atMs = performance.now()
    directory.child.kill('SIGTERM')
    t.same(await Promise.all(listeners.map(({ ended }) => ended)), ['ended', 'ended', 'ended'])
    t.match(await directory.ended, { status: 0 })
    t.ok(performance.now() - atMs < 2_000)
    t.notMatch(directory.log(), token.split('.')[1], 'nothing of a token was ever logged')
  })
})
