import t from 'tap'
import { createClusterNames } from '../../src/identity/cluster-names.js'
import { createIdentity } from '../../src/identity/identity.js'
import type { Placement } from '../../src/model.js'

const NODE = { name: 'n1', zone: 'z1', region: 'r1' }
const PATIENCE_MS = 30_000
const EXPORTER = { namespace: 'shop', kind: 'DaemonSet', name: 'exporter' }
const ENTRY = { zone: 'z1', region: 'r1', namespace: '', ownerKind: 'Node', ownerName: 'n2', node: 'n2', external: false }

async function createHost() {
  let nowMs = 1_000_000
  const identity = createIdentity(NODE, { clock: { now: () => nowMs }, patienceMs: PATIENCE_MS })
  const update = (changes: Parameters<typeof identity.update>[0]): Promise<void> => identity.update(changes, () => Promise.resolve())
  await update({ addresses: ['10.0.0.1', 'fd00::1'] })
  return {
    identity,
    update,
    nowMs: () => nowMs,
    wait(ms: number) {
      nowMs += ms
      return update({})
    },
  }
}

const shown = ({ who, local }: Placement) => ({ local, kind: who.kind, name: who.name, zone: who.zone })
const node = { kind: 'Node', name: 'n1', zone: 'z1' }
const exporter = { kind: 'DaemonSet', name: 'exporter', zone: 'z1' }

t.test('a socket of the node is its pod’s, in the zone of the node', async (t) => {
  const { identity, update } = await createHost()
  await update({ hostPods: new Map([['4711', EXPORTER]]) })
  t.same(shown(identity.place('10.0.0.1@4711')), { local: 'yes', ...exporter })
  t.same(shown(identity.place('fd00::1@4711')), { local: 'yes', ...exporter })
  t.same(shown(identity.place('10.0.0.1')), { local: 'yes', ...node })
})

t.test('one that nobody has told of yet waits, and is then the node’s', async (t) => {
  const { identity, update, wait } = await createHost()
  const before = identity.version
  t.same(shown(identity.place('10.0.0.1@4711')), { local: 'unknown', ...node })
  await wait(PATIENCE_MS - 1)
  t.equal(identity.version, before, 'nothing is to be looked at again')
  t.equal(identity.place('10.0.0.1@4711').local, 'unknown')
  await wait(1)
  t.equal(identity.version, before + 1, 'patience is over')
  t.same(shown(identity.place('10.0.0.1@4711')), { local: 'yes', ...node })
  await update({ hostPods: new Map([['4711', EXPORTER]]) })
  t.equal(identity.version, before + 2)
  t.same(shown(identity.place('10.0.0.1@4711')), { local: 'yes', ...exporter }, 'told of late')
})

t.test('who it was when its bytes came it stays', async (t) => {
  const { identity, update, nowMs } = await createHost()
  await update({ hostPods: new Map([['4711', EXPORTER]]) })
  const before = identity.place('10.0.0.1@4711')
  await update({ hostPods: new Map() })
  t.same(shown(identity.placeSince('10.0.0.1@4711', before, nowMs() - 10_000)), { local: 'yes', ...exporter })
  t.equal(identity.placeDuring('10.0.0.1@4711', before, { fromMs: 0, toMs: 1 }), before)
})

t.test('an address that is not the node’s has no pods', async (t) => {
  const { identity, update } = await createHost()
  await update({ hostPods: new Map([['4711', EXPORTER]]), entries: [{ ...ENTRY, cidr: '10.0.0.2/32' }] })
  t.same(shown(identity.place('10.0.0.2@4711')), { local: 'no', kind: 'Node', name: 'n2', zone: 'z1' })
  t.equal(identity.place('10.9.9.9@4711').who.name, '_unknown')
  t.equal(identity.place('nonsense@4711').who.name, '_unknown')
})

t.test('it waits by the clock that never jumps, and no longer than it has in the process before', async (t) => {
  const steady = { ms: 500 }
  const wall = { ms: 1_000_000 }
  const options = { node: 'n1', patienceMs: PATIENCE_MS, skewMs: 2_000, isBehindUs: () => false, monotonic: () => steady.ms }
  const cluster = createClusterNames(options)
  cluster.resume({ readAtMs: 0, atMs: 0, addresses: [], had: () => undefined, waited: new Map([['10.0.0.1@4711', 20_000]]) })
  const identity = createIdentity(NODE, { clock: { now: () => wall.ms }, cluster, patienceMs: PATIENCE_MS })
  const answers = async () => {
    await identity.update({ addresses: ['10.0.0.1'], cluster: { isCurrent: true, standing: 'yes' } }, async () => undefined)
    return ['10.0.0.1@4711', '10.0.0.1@4712'].map((text) => identity.placeSince(text, undefined, wall.ms).local)
  }
  t.same(await answers(), ['unknown', 'unknown'])
  steady.ms += 10_000
  wall.ms -= 3_600_000
  t.same(await answers(), ['yes', 'unknown'])
  steady.ms += 20_000
  t.same(await answers(), ['yes', 'yes'])
})
