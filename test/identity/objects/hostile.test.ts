// Whatever is sent, nothing throws, and what comes out is whole.
import t from 'tap'
import { fieldsOf } from '../../../src/formats/raw.js'
import { nodeFactsOf } from '../../../src/identity/objects/node.js'
import { controllerOf } from '../../../src/identity/objects/owner-reference.js'
import { type PodFacts, podFactsOf } from '../../../src/identity/objects/pod.js'
import { serviceFactsOf } from '../../../src/identity/objects/service.js'
import { serviceEntryFactsOf } from '../../../src/identity/objects/service-entry.js'
import { workloadEntryFactsOf } from '../../../src/identity/objects/workload-entry.js'
import { createOwners } from '../../../src/identity/owners.js'
import { heldAddressesOf, placeOfPod } from '../../../src/identity/pod-places.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { fc } from '../../property.js'
import { change, FIXTURES, fixture } from './fixture.js'

const owners = createOwners(
  {
    readController: async () => undefined,
    createBackoff: () => ({ nextMs: () => 1 }),
    giveUpMs: 1,
    clock: createHandClock(),
    log: createKeptLog(),
  },
  new AbortController().signal,
)

function checkPod(pod: PodFacts): void {
  const texts = [pod.uid, pod.namespace, pod.name, pod.node, pod.generateName, ...pod.addresses]
  if (!texts.every((text) => typeof text === 'string')) throw new Error(`not texts: ${texts}`)
  if (!(pod.startedMs > 0) || !((pod.endedMs ?? Number.MAX_VALUE) >= pod.startedMs))
    throw new Error(`from ${pod.startedMs} to ${pod.endedMs}`)
  const owner = owners.ownerOf(pod)
  if (!(owner instanceof Promise) && (owner.kind === '' || owner.name === '')) throw new Error(`no owner: ${JSON.stringify(owner)}`)
  heldAddressesOf(pod)
}

function readAll(raw: unknown): void {
  const [pod, node] = [podFactsOf(raw), nodeFactsOf(raw)]
  for (const factsOf of [serviceFactsOf, serviceEntryFactsOf, workloadEntryFactsOf]) factsOf(raw)
  controllerOf(fieldsOf(raw))
  if (pod) checkPod(pod)
  if (node) placeOfPod({ node: node.name }, new Map([[node.name, node]]))
}

t.test('any JSON', async (t) => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), readAll), { numRuns: 5000 })
  t.pass('5,000 values')
})

/** Paths to everything inside: `['metadata', 'ownerReferences', '0', 'kind']`. */
function pathsIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsIn(inner).map((path) => [key, ...path])])
}

const spoiled = fc.oneof(
  ...FIXTURES.map((name) =>
    fc.record({
      name: fc.constant(name),
      paths: fc.uniqueArray(fc.constantFrom(...pathsIn(fixture(name))), { minLength: 1, maxLength: 4 }),
    }),
  ),
)

// Names that objects inherit, words of the format, and what is nearly right.
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    '',
    '-',
    'constructor',
    '__proto__',
    'toString',
    'ReplicaSet',
    'Job',
    'Node',
    'None',
    'apps/v1',
    'batch/v1',
    'Failed',
    'Always',
  ),
  fc.constantFrom(
    null,
    [],
    {},
    [null],
    [[]],
    [{}],
    { ip: null },
    { terminated: {} },
    { terminated: { finishedAt: '9999-12-31T23:59:59Z' } },
  ),
)

t.test('objects with anything in the wrong place', async (t) => {
  fc.assert(
    fc.property(spoiled, fc.array(odd, { minLength: 4, maxLength: 4 }), ({ name, paths }, values) => {
      const object = fixture(name)
      // Longer paths first, since a shorter one may take away what they lead through.
      const inwards = [...paths].sort((a, b) => b.length - a.length)
      for (const [at, path] of inwards.entries()) change(object, path, values[at])
      readAll(object)
    }),
    { numRuns: 5000 },
  )
  t.pass('5,000 objects')
})

t.test('more than a stack can hold', async (t) => {
  const many = Array.from({ length: 150_000 }, (_, at) => ({
    name: `c${at}`,
    ip: '10.1.0.1',
    address: '10.1.0.1',
    state: { terminated: { finishedAt: '2026-03-02T11:00:15Z' } },
  }))
  for (const name of ['pod-completed', 'pod-evicted', 'node', 'service-load-balancer-ip', 'service-entry-dns', 'service-entry-none']) {
    const object = fixture(name)
    for (const path of [
      'status.podIPs',
      'spec.containers',
      'status.containerStatuses',
      'status.conditions',
      'status.addresses',
      'spec.podCIDRs',
      'spec.externalIPs',
      'spec.endpoints',
      'spec.hosts',
      'spec.addresses',
      'metadata.ownerReferences',
    ]) {
      change(object, path.split('.'), many)
    }
    t.doesNotThrow(() => readAll(object), name)
  }
})
