import t from 'tap'
import { proxyRequestOf } from '../../../src/identity/objects/proxy-request.js'

t.test('what a proxy reserves', async (t) => {
  const proxy = (resources?: unknown) => ({ name: 'istio-proxy', resources })
  const requests = { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2', memory: '1Gi' } }
  const both = { cpuCores: 0.1, memoryBytes: 134_217_728 }
  const none = { cpuCores: undefined, memoryBytes: undefined }
  const cases = [
    { name: 'a container', spec: { containers: [{ name: 'cart' }, proxy(requests)] }, found: both },
    { name: 'a sidecar', spec: { containers: [{ name: 'cart' }], initContainers: [{ name: 'istio-init' }, proxy(requests)] }, found: both },
    { name: 'nothing', spec: { containers: [proxy()] }, found: none },
    { name: 'limits alone', spec: { containers: [proxy({ limits: requests.limits })] }, found: none },
    { name: 'nonsense', spec: { containers: [proxy({ requests: { cpu: 'lots', memory: {} } })] }, found: none },
    { name: 'CPU alone', spec: { containers: [proxy({ requests: { cpu: 2 } })] }, found: { ...none, cpuCores: 2 } },
    { name: 'no proxy', spec: { containers: [{ name: 'cart', resources: requests }] }, found: undefined },
    { name: 'no spec', spec: null, found: undefined },
    { name: 'a wrong list', spec: { containers: 'istio-proxy' }, found: undefined },
  ]
  for (const { name, spec, found } of cases) t.same(proxyRequestOf({ spec }), found, name)
})
