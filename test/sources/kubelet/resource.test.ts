import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseResources } from '../../../src/sources/kubelet/resource.js'

const RECORDED = await readFile(join(import.meta.dirname, '../../fixtures/kubelet/resource.prom'), 'utf8')

t.test('proxies by pod', async (t) => {
  const gateway = { namespace: 'istio-system', name: 'istio-ingressgateway-5c6d-abcde', startedMs: 1_795_161_604_000 }
  const cart = { namespace: 'shop', name: 'cart-7f9c8d-x2x4v', startedMs: 1_795_161_603_000 }
  t.same(parseResources(RECORDED), {
    proxies: [
      { ...gateway, cpuSeconds: 12_000, memoryBytes: 104_857_600 },
      { ...cart, cpuSeconds: 472.5, memoryBytes: 52_428_800 },
    ],
    rejected: 0,
  })
})

t.test('what is missing or wrong', async (t) => {
  const labels = '{container="istio-proxy",namespace="shop",pod="cart"}'
  const cart = { namespace: 'shop', name: 'cart', startedMs: undefined, cpuSeconds: undefined, memoryBytes: undefined }
  const cases = [
    { name: 'nothing', text: '', proxies: [], rejected: 0 },
    { name: 'CPU alone', text: `container_cpu_usage_seconds_total${labels} 1.5\n`, proxies: [{ ...cart, cpuSeconds: 1.5 }], rejected: 0 },
    { name: 'below zero', text: `container_cpu_usage_seconds_total${labels} -1\n`, proxies: [cart], rejected: 0 },
    { name: 'without end', text: `container_memory_working_set_bytes${labels} +Inf\n`, proxies: [cart], rejected: 0 },
    { name: 'cut off', text: 'container_cpu_usage_seconds_total{container="istio-pro', proxies: [], rejected: 1 },
    { name: 'a page', text: '<html>no</html>\n', proxies: [], rejected: 1 },
  ]
  for (const { name, text, proxies, rejected } of cases) t.same(parseResources(text), { proxies, rejected }, name)
})
