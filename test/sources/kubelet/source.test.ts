import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { untilAborted } from '../../../src/deadline.js'
import type { Reading } from '../../../src/model.js'
import { createKubelet, type KubeletEndpoint, KubeletRefused, type PodsHere } from '../../../src/sources/kubelet/source.js'
import { testSourceContract } from '../../contract/source.js'
import { createKeptLog } from '../../kube/kept-log.js'

const FIXTURES = join(import.meta.dirname, '../../fixtures/kubelet')
const SUMMARY = await readFile(join(FIXTURES, 'summary.json'), 'utf8')
const RESOURCES = await readFile(join(FIXTURES, 'resource.prom'), 'utf8')
const CART = { uid: 'u-cart', namespace: 'shop', name: 'cart-7f9c8d-x2x4v' }
const NO_PODS: PodsHere = { uidOf: () => undefined, proxies: () => [] }
const never = new AbortController().signal

type Answer = (path: string, signal: AbortSignal) => Promise<string>

function createHere({ answer, pods = NO_PODS, servesNode = false }: { answer: Answer; pods?: PodsHere; servesNode?: boolean }) {
  const log = createKeptLog()
  const done: string[] = []
  const open = async (): Promise<KubeletEndpoint> => {
    done.push('open')
    return { read: answer, close: async () => void done.push('close') }
  }
  return { source: createKubelet({ open, pods, servesNode }, { log }), log, done }
}

const sourceSaying = (text: string) => createHere({ answer: async () => text, servesNode: true }).source

// It is never absent: who asks a kubelet was told to.
testSourceContract(t, {
  empty: () => sourceSaying('{"node": {}, "pods": []}'),
  failing: (failure) => createHere({ answer: () => Promise.reject(failure) }).source,
  recorded: () => sourceSaying(SUMMARY),
  hanging: () => createHere({ answer: (_, signal) => untilAborted(new Promise(() => undefined), signal) }).source,
})

const shown = (readings: readonly Reading[]): unknown[] =>
  readings.flatMap((reading) => {
    if (reading.kind !== 'total' && reading.kind !== 'value') return []
    const { family, value, pod, labels } = reading
    const of = reading.kind === 'total' ? [reading.target, reading.series] : [pod?.name ?? labels.device]
    return [[family.name.replace('meshtoll_', ''), ...of, value]]
  })

t.test('what it says of a node', async (t) => {
  const pods = { ...NO_PODS, proxies: () => [{ pod: CART, cpuCores: 0.1, memoryBytes: undefined }] }
  const { source } = createHere({ answer: async () => SUMMARY, pods })
  const { readings } = await source.read(never)
  const uid = (last: number): string => `11111111-0000-4000-8000-00000000000${last}`
  t.same(
    shown(readings).filter((row) => !JSON.stringify(row).includes('gateway')),
    [
      ['owner_network_receive_bytes_total', `network ${uid(1)}`, 'eth0', 9_007_199_254],
      ['owner_network_transmit_bytes_total', `network ${uid(1)}`, 'eth0', 8_007_199_254],
      ['proxy_cpu_seconds_total', `container ${uid(1)} istio-proxy`, '', 472.5],
      ['proxy_memory_working_set_bytes', 'cart-7f9c8d-x2x4v', 52_428_800],
      ['owner_network_receive_bytes_total', `network ${uid(2)}`, 'eth0', 1000],
      ['owner_network_transmit_bytes_total', `network ${uid(2)}`, 'eth0', 2000],
      ['owner_network_receive_bytes_total', `network ${uid(2)}`, 'net1', 30],
      ['owner_network_transmit_bytes_total', `network ${uid(2)}`, 'net1', 40],
      ['owner_network_receive_bytes_total', `network ${uid(3)}`, 'eth0', 500_000],
      ['owner_network_transmit_bytes_total', `network ${uid(3)}`, 'eth0', 600_000],
      ['proxy_cpu_seconds_total', `container ${uid(3)} istio-proxy`, '', 12_000],
      ['owner_network_receive_bytes_total', `network ${uid(4)}`, 'eth0', 812_345_679_901],
      ['owner_network_transmit_bytes_total', `network ${uid(4)}`, 'eth0', 412_345_678_901],
      ['owner_network_receive_bytes_total', `network ${uid(4)}`, 'eth1', 5000],
      ['owner_network_transmit_bytes_total', `network ${uid(4)}`, 'eth1', 6000],
      ['owner_network_receive_bytes_total', `network ${uid(4)}`, 'cilium_host', 7000],
      ['owner_network_transmit_bytes_total', `network ${uid(4)}`, 'cilium_host', 8000],
      ['owner_network_receive_bytes_total', 'network d41d8cd98f00b204e9800998ecf8427e', 'eth0', 812_345_678_901],
      ['owner_network_transmit_bytes_total', 'network d41d8cd98f00b204e9800998ecf8427e', 'eth0', 412_345_678_901],
      ['owner_network_receive_bytes_total', `network ${uid(5)}`, '', undefined],
      ['proxy_cpu_seconds_total', `container ${uid(5)} istio-proxy`, '', undefined],
      ['proxy_cpu_request_cores', 'cart-7f9c8d-x2x4v', 0.1],
    ],
  )
  const networks = readings.flatMap(({ kind, ...reading }) =>
    'pod' in reading && reading.pod?.network ? [[reading.pod.name, reading.pod.network]] : [],
  )
  t.same(Object.fromEntries(networks), {
    'cart-7f9c8d-x2x4v': 'own',
    'stock-0': 'own',
    'istio-ingressgateway-5c6d-abcde': 'own',
    'node-exporter-zzzzz': 'perhaps node',
    'kube-proxy-n1': 'own',
    'web-6d7e-born1': 'own',
  })
})

t.test('numbers that may be those of the node', async (t) => {
  const on = (rxBytes: number, txBytes: number, name = 'eth0') => ({ name, rxBytes, txBytes })
  const node = { ...on(1000, 2000), interfaces: [on(1000, 2000), on(10, 20, 'eth1')] }
  const cases = [
    { name: 'read a moment later', network: { interfaces: [on(1099, 2001), on(10, 20, 'eth1')] }, is: 'perhaps node' },
    { name: 'other numbers', network: { interfaces: [on(1000, 3000), on(10, 20, 'eth1')] }, is: 'own' },
    { name: 'other interfaces', network: { interfaces: [on(1000, 2000), on(10, 20, 'net1')] }, is: 'own' },
    { name: 'fewer interfaces', network: on(1000, 2000), is: 'own' },
    { name: 'none yet', network: undefined, is: 'own' },
  ]
  for (const { name, network, is } of cases) {
    const podRef = { name: 'cart', namespace: 'shop', uid: 'u1' }
    const { source } = createHere({ answer: async () => JSON.stringify({ node: { network: node }, pods: [{ podRef, network }] }) })
    const [first] = (await source.read(never)).readings
    t.equal(first?.kind === 'total' && first.pod?.network, is, name)
  }
})

t.test('for who cannot see the node, its devices as well', async (t) => {
  const { readings } = await createHere({ answer: async () => SUMMARY, servesNode: true }).source.read(never)
  t.same(shown(readings).slice(0, 3), [
    ['node_network_receive_bytes_total', 'eth0', 812_345_678_901],
    ['node_network_transmit_bytes_total', 'eth0', 412_345_678_901],
    ['node_network_receive_bytes_total', 'eth1', 5000],
  ])
})

t.test('where there is no summary CPU and memory are read elsewhere', async (t) => {
  for (const status of [403, 404]) {
    let hasSummary = false
    const answer = async (path: string): Promise<string> => {
      if (path === '/metrics/resource') return RESOURCES
      if (hasSummary) return SUMMARY
      throw new KubeletRefused(status, `${status}; do this`)
    }
    const pods = { ...NO_PODS, uidOf: (_: string, name: string) => (name === CART.name ? CART.uid : undefined) }
    const { source, log, done } = createHere({ answer, pods })
    for (const attempt of ['first', 'second']) {
      const { readings } = await source.read(never)
      t.same(
        shown(readings),
        [
          ['owner_network_receive_bytes_total', `network ${CART.uid}`, '', undefined],
          ['proxy_cpu_seconds_total', `container ${CART.uid} istio-proxy`, '', 472.5],
          ['proxy_memory_working_set_bytes', CART.name, 52_428_800],
        ],
        `${attempt}: of pods that are known, under the names of the summary`,
      )
    }
    t.equal(log.lines.length, 1, 'said once')
    t.match(log.lines, [new RegExp(`^warn the kubelet serves no summary.*${status}; do this`)])
    hasSummary = true
    await source.read(never)
    t.match(log.lines.at(-1), /^info the kubelet serves its summary again/)
    t.same(done, ['open'], 'over one connection')
  }
})

t.test('where neither is served', async (t) => {
  const cases = [
    { summary: 403, resources: 403, says: '/stats/summary' },
    { summary: 404, resources: 403, says: '/metrics/resource' },
    { summary: 404, resources: 404, says: '/metrics/resource' },
  ]
  for (const { summary, resources, says } of cases) {
    const answer = (path: string) => Promise.reject(new KubeletRefused(path === '/stats/summary' ? summary : resources, path))
    await t.rejects(createHere({ answer }).source.read(never), { name: 'KubeletRefused', message: says }, `${summary} and ${resources}`)
  }
})

t.test('after a failure it begins with a new connection', async (t) => {
  let failures = 1
  const { source, done } = createHere({ answer: async () => (failures-- > 0 ? '{' : SUMMARY) })
  await t.rejects(source.read(never), { name: 'NotUnderstood' })
  await source.read(never)
  await source.read(never)
  t.same(done, ['open', 'close', 'open'])
})
