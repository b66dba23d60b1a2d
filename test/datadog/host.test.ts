import t from 'tap'
import { defaultConfig } from '../../src/config/config.js'
import { createNodeHost, hostIn } from '../../src/datadog/host.js'
import { type NodeFacts, nodeFactsOf } from '../../src/identity/objects/node.js'
import { createHandClock } from '../kube/hand-clock.js'

const nodeOf = (providerID?: string): NodeFacts | undefined =>
  nodeFactsOf({ kind: 'Node', metadata: { name: 'n1', uid: 'u1' }, spec: { providerID } })
const AWS = 'aws:///us-east-1a/i-0a1b2c3d4e5f60718'

t.test('what a cloud calls a node', async (t) => {
  const cases = [
    { name: 'AWS', providerId: AWS, host: 'i-0a1b2c3d4e5f60718' },
    { name: 'AWS, an id of eight digits', providerId: 'aws:///us-east-1a/i-0a1b2c3d', host: 'i-0a1b2c3d' },
    { name: 'AWS Fargate', providerId: 'aws:///us-east-1a/4c8e/fargate-ip-10-0-1-2.ec2.internal', host: undefined },
    { name: 'Google Cloud', providerId: 'gce://shop-prod/us-east1-b/gke-main-pool-1a2b', host: 'gke-main-pool-1a2b.shop-prod' },
    { name: 'Google Cloud, without a name', providerId: 'gce://shop-prod/us-east1-b/', host: undefined },
    {
      name: 'Azure',
      providerId:
        'azure:///subscriptions/1/resourceGroups/main/providers/Microsoft.Compute/virtualMachineScaleSets/aks-pool/virtualMachines/0',
      host: undefined,
    },
    { name: 'kind', providerId: 'kind://docker/kind/kind-control-plane', host: undefined },
    { name: 'outside of clouds', providerId: '', host: undefined },
  ]
  for (const { name, providerId, host } of cases) t.equal(hostIn(providerId), host, name)
})

interface Situation {
  readonly hostname?: string
  /** What the API server says of the node, from the first moment on and once `identity.patience` is over; false where there is none. */
  readonly first: NodeFacts | undefined | false
  readonly later?: NodeFacts | undefined
}

/** The host before `identity.patience` is over, after it, and an hour later. */
function hostsIn({ hostname = 'auto', first, later }: Situation): readonly (string | undefined)[] {
  const clock = createHandClock()
  const { datadog, ...defaults } = defaultConfig('n1')
  const { patienceMs } = defaults.identity
  let own = first || undefined
  const config = { ...defaults, datadog: { ...datadog, hostname } }
  const host = createNodeHost({ config, ownNode: first === false ? undefined : () => own }, clock)
  host()
  clock.advance(patienceMs - 1)
  const early = host()
  clock.advance(1)
  const atLast = host()
  own = later
  clock.advance(3_600_000)
  return [early, atLast, host()]
}

t.test('the host of a node is one, from when it is known', async (t) => {
  const cases = [
    { name: 'the API server says it', first: nodeOf(AWS), later: nodeOf(AWS), hosts: Array(3).fill('i-0a1b2c3d4e5f60718') },
    { name: 'it says it and is gone', first: nodeOf(AWS), hosts: Array(3).fill('i-0a1b2c3d4e5f60718') },
    { name: 'the node has no provider ID', first: nodeOf(), later: nodeOf(AWS), hosts: ['n1', 'n1', 'n1'] },
    { name: 'it says nothing for too long', first: undefined, later: nodeOf(AWS), hosts: [undefined, 'n1', 'n1'] },
    { name: 'there is none', first: false as const, hosts: ['n1', 'n1', 'n1'] },
    { name: 'by configuration', hostname: 'n1-main', first: nodeOf(AWS), later: nodeOf(AWS), hosts: Array(3).fill('n1-main') },
  ]
  for (const { name, hosts, ...situation } of cases) t.same(hostsIn(situation), hosts, name)
})
