import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isOnNodesNetwork, openKubelet, usesKubelet } from '../../src/agent/kubelet.js'
import { defaultConfig } from '../../src/config/config.js'
import { createAuthority, createCertificate } from '../http/certificates.js'
import { createFaultyServer } from '../kube/faulty-server.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

const POD = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const never = new AbortController().signal
const { kubelet, kubernetes } = defaultConfig('n1')

t.test('whether it is asked', async (t) => {
  const cases = [
    { name: 'in a pod', config: {}, environment: POD, uses: true },
    { name: 'on a machine', config: {}, environment: {}, uses: false },
    { name: 'on a machine with a kubeconfig', config: { kubeconfig: 'k' }, environment: {}, uses: false },
    { name: 'in a pod that asks no API server', config: { enabled: false }, environment: POD, uses: false },
    { name: 'told to', config: {}, kubelet: { enabled: true }, environment: {}, uses: true },
    { name: 'told not to', config: {}, kubelet: { enabled: false }, environment: POD, uses: false },
  ]
  for (const { name, config, environment, uses, ...one } of cases) {
    const all = { kubelet: { ...kubelet, ...one.kubelet }, kubernetes: { ...kubernetes, ...config } }
    t.equal(usesKubelet(all, environment), uses, name)
  }
})

t.test('whether the devices seen here are the node’s', async (t) => {
  const addresses = ['127.0.0.1', '10.0.0.1', 'fd00::1']
  const seen = { addresses: () => addresses.map((address) => ({ address, prefixLength: 24, index: 1 })) as never }
  const failing = {
    addresses: () => {
      throw new Error('EPERM')
    },
  }
  const cases = [
    { name: 'no pod', ip: undefined, from: seen, is: true },
    { name: 'on the network of the node', ip: '10.0.0.1', from: seen, is: true },
    { name: 'however it is written', ip: 'FD00:0::1', from: seen, is: true },
    { name: 'on the network of pods', ip: '10.0.0.2', from: seen, is: false },
    { name: 'not to be told', ip: '10.0.0.2', from: failing, is: true },
    { name: 'no address', ip: 'n1', from: seen, is: true },
  ]
  for (const { name, ip, from, is } of cases) t.equal(isOnNodesNetwork({ NODE_IP: ip }, from), is, name)
})

const folder = t.testdir()
const authority = createAuthority(folder, 'cluster')
const own = createAuthority(folder, 'own')
const FILES: Readonly<Record<string, string>> = {
  [`${SERVICE_ACCOUNT}/ca.crt`]: authority.cert,
  [`${SERVICE_ACCOUNT}/namespace`]: 'meshtoll',
  [`${SERVICE_ACCOUNT}/token`]: 'abc\n',
}

async function ask(t: Test, tls: Partial<typeof kubelet.tls>, pair = createCertificate(folder, 'kubelet', authority)) {
  const server = await createFaultyServer(t, { tls: { cert: pair.cert, key: pair.key } })
  const deps = {
    clock: createHandClock(),
    log: createKeptLog(),
    readFile: async (path: string) => FILES[path] ?? (await readFile(path, 'utf8')),
  }
  const config = { kubernetes, kubelet: { ...kubelet, url: server.url, tls: { ...kubelet.tls, ...tls } } }
  const endpoint = await openKubelet({ config, environment: POD, internalIps: [] }, deps, never)
  t.teardown(() => endpoint.close())
  const reading = endpoint.read('/stats/summary', never)
  reading.catch(() => undefined)
  return { server, reading }
}

t.test('by the service account of the pod, and the authority of the cluster', async (t) => {
  const { server, reading } = await ask(t, {})
  const asked = await server.next()
  t.equal(asked.headers.authorization, 'Bearer abc')
  asked.page(200, '{}')
  t.equal(await reading, '{}')
})

t.test('by what the configuration says of its certificate', async (t) => {
  await t.rejects((await ask(t, {}, own)).reading, { message: /set kubelet\.tls\.caFile/ })
  for (const tls of [{ caFile: own.certFile }, { insecureSkipVerify: true }]) {
    const { server, reading } = await ask(t, tls, createCertificate(folder, 'other', own))
    const asked = await server.next()
    asked.page(200, '{}')
    t.equal(await reading, '{}', JSON.stringify(tls))
  }
  await t.rejects(ask(t, { caFile: join(folder, 'none.crt') }), {
    message: /kubelet\.tls\.caFile .*none\.crt cannot be read: ENOENT; correct/,
  })
})

t.test('where it is', async (t) => {
  const deps = { clock: createHandClock(), log: createKeptLog(), readFile: async (path: string) => FILES[path] ?? '' }
  const config = { kubernetes, kubelet }
  const cases = [
    { name: 'as the pod is told', environment: { NODE_IP: '127.0.0.9' }, internalIps: ['127.0.0.8'], says: /at 127\.0\.0\.9:10250/ },
    { name: 'as the Node says', environment: {}, internalIps: ['127.0.0.8'], says: /at 127\.0\.0\.8:10250/ },
    { name: 'IPv6', environment: { NODE_IP: '::1' }, internalIps: [], says: /at \[::1\]:10250/ },
  ]
  for (const { name, environment, internalIps, says } of cases) {
    const endpoint = await openKubelet({ config, environment: { ...POD, ...environment }, internalIps }, deps, never)
    await t.rejects(endpoint.read('/stats/summary', never), { message: says }, name)
    await endpoint.close()
  }
  await t.rejects(openKubelet({ config, environment: POD, internalIps: [] }, deps, never), {
    message: /set NODE_IP in the environment, or kubelet\.url/,
  })
})
