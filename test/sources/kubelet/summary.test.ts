import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { NotUnderstood, parseSummary } from '../../../src/sources/kubelet/summary.js'

const RECORDED = await readFile(join(import.meta.dirname, '../../fixtures/kubelet/summary.json'), 'utf8')
const REFERENCE = { name: 'cart', namespace: 'shop', uid: 'u1' }
const POD = { ...REFERENCE, startedMs: undefined, interfaces: [], proxy: undefined }
const textOf = (pod: object): string => JSON.stringify({ node: {}, pods: [{ podRef: REFERENCE, ...pod }] })
const eth0 = { name: 'eth0', rxBytes: 1, txBytes: 2 }
const row = { name: 'eth0', receive: 1, transmit: 2 }

t.test('a pod, whatever is in it', async (t) => {
  const proxy = (more: object) => ({ containers: [{ name: 'cart' }, { name: 'istio-proxy', ...more }] })
  const none = { startedMs: undefined, cpuSeconds: undefined, memoryBytes: undefined }
  const cases = [
    { name: 'nothing but its name', pod: {}, rows: {}, rejected: 0 },
    { name: 'null everywhere', pod: { startTime: null, network: null, containers: null }, rows: {}, rejected: 0 },
    { name: 'wrong kinds everywhere', pod: { startTime: 7, network: 'eth0', containers: { a: 1 } }, rows: {}, rejected: 0 },
    { name: 'its start', pod: { startTime: '2026-11-20T08:00:01Z' }, rows: { startedMs: Date.UTC(2026, 10, 20, 8, 0, 1) }, rejected: 0 },
    { name: 'the default interface', pod: { network: eth0 }, rows: { interfaces: [row] }, rejected: 0 },
    { name: 'listed as well', pod: { network: { ...eth0, interfaces: [eth0] } }, rows: { interfaces: [row] }, rejected: 0 },
    {
      name: 'beside the others',
      pod: { network: { ...eth0, interfaces: [{ ...eth0, name: 'net1' }] } },
      rows: { interfaces: [row, { ...row, name: 'net1' }] },
      rejected: 0,
    },
    {
      name: 'no default one',
      pod: {
        network: {
          name: '',
          interfaces: [
            { ...eth0, name: 'net1' },
            { ...eth0, name: 'lo' },
          ],
        },
      },
      rows: { interfaces: [{ ...row, name: 'net1' }] },
      rejected: 0,
    },
    {
      name: 'an interface twice',
      pod: { network: { interfaces: [eth0, { ...eth0, rxBytes: 9 }] } },
      rows: { interfaces: [row] },
      rejected: 0,
    },
    {
      name: 'one direction only',
      pod: { network: { name: 'eth0', rxBytes: 1, txBytes: null } },
      rows: { interfaces: [{ ...row, transmit: undefined }] },
      rejected: 0,
    },
    { name: 'texts for numbers', pod: { network: { name: 'eth0', rxBytes: '1', txBytes: {} } }, rows: {}, rejected: 2 },
    { name: 'below zero', pod: { network: { ...eth0, rxBytes: -1 } }, rows: { interfaces: [{ ...row, receive: undefined }] }, rejected: 1 },
    {
      name: 'the largest number that counts bytes',
      pod: { network: { ...eth0, rxBytes: Number.MAX_SAFE_INTEGER } },
      rows: { interfaces: [{ ...row, receive: Number.MAX_SAFE_INTEGER }] },
      rejected: 0,
    },
    {
      name: 'zero less one of 64 bits',
      pod: { network: { ...eth0, rxBytes: 18446744073709551615n } },
      rows: { interfaces: [{ ...row, receive: undefined }] },
      rejected: 1,
    },
    { name: 'a proxy that says nothing yet', pod: proxy({}), rows: { proxy: none }, rejected: 0 },
    {
      name: 'a proxy',
      pod: proxy({ startTime: '1970-01-01T00:00:09Z', cpu: { usageCoreNanoSeconds: 1_500_000_000 }, memory: { workingSetBytes: 5 } }),
      rows: { proxy: { startedMs: 9000, cpuSeconds: 1.5, memoryBytes: 5 } },
      rejected: 0,
    },
    {
      name: 'eight cores for a month',
      pod: proxy({ cpu: { usageCoreNanoSeconds: 20736000000000000n } }),
      rows: { proxy: { ...none, cpuSeconds: 20_736_000 } },
      rejected: 0,
    },
    {
      name: 'a proxy out of its mind',
      pod: proxy({ cpu: { usageCoreNanoSeconds: 18446744073709551615n }, memory: { workingSetBytes: true } }),
      rows: { proxy: none },
      rejected: 2,
    },
  ]
  // JSON knows larger numbers than JavaScript can write.
  const big = (pod: object): string =>
    textOf(JSON.parse(JSON.stringify(pod, (_, value) => (typeof value === 'bigint' ? `#${value}#` : value)))).replaceAll(/"#(\d+)#"/g, '$1')
  for (const { name, pod, rows, rejected } of cases)
    t.same(parseSummary(big(pod)), { node: [], pods: [{ ...POD, ...rows }], rejected }, name)
})

t.test('what is no pod costs that pod', async (t) => {
  const wrong = [null, 7, 'cart', {}, { podRef: null }, { podRef: { ...REFERENCE, uid: '' } }, { podRef: { ...REFERENCE, name: 7 } }]
  const { pods, rejected } = parseSummary(JSON.stringify({ pods: [...wrong, { podRef: REFERENCE }] }))
  t.same([pods, rejected], [[POD], wrong.length])
})

t.test('what is no summary', async (t) => {
  const cases = [
    { name: 'nothing', text: '', says: 'no whole JSON' },
    { name: 'a page', text: '<html>', says: 'no whole JSON' },
    { name: 'half of it', text: RECORDED.slice(0, RECORDED.length / 2), says: 'no whole JSON' },
    { name: 'null', text: 'null', says: 'no summary' },
    { name: 'a list', text: '[]', says: 'no summary' },
    { name: 'pods of another kind', text: '{"pods": {}}', says: 'no summary' },
    { name: 'an error as JSON', text: '{"error": "overloaded"}', says: 'no summary' },
  ]
  for (const { name, text, says } of cases) {
    const error = (() => {
      try {
        return parseSummary(text)
      } catch (thrown) {
        return thrown
      }
    })()
    t.ok(error instanceof NotUnderstood && error.message.includes(says), `${name}: ${error}`)
  }
})

t.test('cut off anywhere it is understood as nothing', async (t) => {
  const whole = JSON.stringify(JSON.parse(RECORDED))
  for (let length = 0; length < whole.length; length += 97)
    t.throws(() => parseSummary(whole.slice(0, length)), { name: 'NotUnderstood' }, `${length}`)
})

t.test('a node as its API types have it', async (t) => {
  const { node, pods, rejected } = parseSummary(RECORDED)
  t.equal(rejected, 0)
  t.same(
    node.map(({ name }) => name),
    ['eth0', 'eth1', 'cilium_host'],
  )
  t.same(
    pods.map(({ name, interfaces, proxy }) => [name, interfaces.length, proxy?.cpuSeconds]),
    [
      ['cart-7f9c8d-x2x4v', 1, 472.5],
      ['stock-0', 2, undefined],
      ['istio-ingressgateway-5c6d-abcde', 1, 12_000],
      ['node-exporter-zzzzz', 3, undefined],
      ['kube-proxy-n1', 1, undefined],
      ['web-6d7e-born1', 0, undefined],
    ],
  )
})
