import t from 'tap'
import { meshRoleOf } from '../../../src/identity/objects/mesh-role.js'

t.test('what a pod is to Istio', async (t) => {
  const named = (...names: string[]) => names.map((name) => ({ name }))
  const app = (name: string) => ({ labels: { app: name } })
  const cases = [
    { name: 'a sidecar', spec: { containers: named('cart', 'istio-proxy') }, role: 'proxy' },
    {
      name: 'a sidecar that Kubernetes calls one',
      spec: { containers: named('cart'), initContainers: named('istio-proxy') },
      role: 'proxy',
    },
    { name: 'a gateway', metadata: app('istio-ingressgateway'), spec: { containers: named('istio-proxy') }, role: 'proxy' },
    { name: 'istiod', metadata: app('istiod'), spec: { containers: named('discovery') }, role: 'istiod' },
    { name: 'istiod by its label alone', metadata: app('istiod'), spec: {}, role: 'istiod' },
    { name: 'istiod by its container alone', spec: { containers: named('discovery') }, role: 'istiod' },
    { name: 'a ztunnel', metadata: app('ztunnel'), spec: { containers: named('istio-proxy') }, role: 'ztunnel' },
    { name: 'only set up by Istio', spec: { containers: named('cart'), initContainers: named('istio-init') }, role: undefined },
    { name: 'nothing', spec: undefined, role: undefined },
    { name: 'nonsense', metadata: { labels: 'app' }, spec: { containers: 'istio-proxy', initContainers: [null] }, role: undefined },
  ]
  for (const { name, metadata, spec, role } of cases) t.equal(meshRoleOf({ metadata, spec }), role, name)
  t.equal(meshRoleOf(null), undefined)
})
