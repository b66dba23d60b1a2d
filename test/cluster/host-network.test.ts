// Pods on their node's network share its address: whose bytes they are is told by the cgroups of their sockets, as a kubelet names them.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { type CgroupTree, createCgroupTree, inCgroup, inContainerOf, noCgroups } from '../kernel/cgroup-tree.js'
import { type Agents, between, booked, flowBytes, type Served } from '../lab/agents.js'
import { eventually, worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { type ClusterLab, createClusterLab } from './agents.js'
import { CLUSTER_PEERS } from './cluster.js'
import { createRunningPod, createWorkload } from './objects.js'
import { ownerOf } from './resource.js'

const N1 = '10.0.1.10'
const STOCK = '10.1.2.2'
const SIZE = 500
const DATAGRAM = SIZE + 28
const STATIC_UID = 'd4c3b2a1d4c3b2a1d4c3b2a1d4c3b2a1'
const BURSTABLE = 'kubepods.slice/kubepods-burstable.slice/kubepods-burstable'

const folderOf = (uid: string): string => `${BURSTABLE}-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-1.scope`

const OF_AGENT = folderOf('a9e27000-0000-4000-8000-000000000000')

interface HostLab {
  readonly lab: ClusterLab
  readonly agents: Agents
  readonly exporter: string
  readonly proxy: string
  /** From a process of n1: so many datagrams, in that cgroup or in none. */
  send(path: string | undefined, to: string, packets: number): Promise<void>
  readonly tree: CgroupTree
}

/** On n1 a DaemonSet's pod and one from a file are on the node's network; its agent sees their cgroups as those of its host. */
async function createHostLab(t: Test): Promise<HostLab> {
  const lab = await createClusterLab(t)
  const { admin } = lab.cluster
  const daemonSet = await createWorkload(admin, { kind: 'DaemonSet', namespace: 'shop', name: 'exporter' })
  const onHost = { namespace: 'shop', node: 'n1', hostNetwork: true, podIps: [N1] }
  const pod = await createRunningPod(admin, { ...onHost, name: 'exporter-x7k2p', owner: ownerOf(daemonSet) })
  await createRunningPod(admin, { ...onHost, name: 'proxy-n1', annotations: { 'kubernetes.io/config.mirror': STATIC_UID } })
  await lab.createPod({ name: 'stock-7d9f-a', address: STOCK, node: 'n2', deployment: 'stock' })
  const tree = createCgroupTree()
  t.teardown(() => tree.remove())
  const [exporter, proxy] = [folderOf(pod.metadata.uid ?? ''), folderOf(STATIC_UID)]
  for (const path of [exporter, proxy, OF_AGENT]) tree.make(path)
  for (const peer of ['p2a', 'database']) await lab.topology.peer(peer).listenUdp({ port: 9 })
  const agents = await lab.startAgents({
    options: { identity: { patience: '4s' } },
    inventory: [{ cidr: '10.0.9.5/32', ownerKind: 'Database', ownerName: 'database' }],
    enclose: ({ name }, argv) => (name === 'n1' ? inContainerOf(tree, OF_AGENT, argv) : undefined),
  })
  await eventually(
    'all cover their pods',
    () => (agents.all.every((agent) => /covers its pods/.test(agent.log())) ? true : undefined),
    30_000,
  )
  await sleep(2_500)
  const send = async (path: string | undefined, to: string, packets: number): Promise<void> => {
    const argv = [process.execPath, '-e', sending(to, packets)]
    await lab.topology.run('n1', path === undefined ? argv : inCgroup(tree, path, argv))
  }
  return { lab, agents, tree, exporter, proxy, send }
}

const sending = (to: string, packets: number): string => `
  const socket = require('node:dgram').createSocket('udp4')
  let left = ${packets}
  const next = () => left-- > 0 ? socket.send(Buffer.alloc(${SIZE}), 9, '${to}', next) : socket.close()
  next()`

const LISTENING = "require('node:dgram').createSocket('udp4').bind(9, () => process.stdout.write('up'))"

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(CLUSTER_PEERS) ?? noCgroups()
    if (skip !== undefined && process.env['CI'] === 'true') t.fail(skip)
    const grew = (after: readonly Served[], before: readonly Served[], from: string, to: string): number =>
      between(after, from, to) - between(before, from, to)

    t.test('what pods on their node’s network send and receive is theirs, the rest is the node’s', { skip: skip ?? false }, async (t) => {
      const { lab, agents, tree, exporter, proxy, send } = await createHostLab(t)
      const { topology, truth } = lab
      const before = await agents.atRest()
      const sentBefore = await truth.total()
      await send(exporter, STOCK, 40)
      await send(proxy, STOCK, 30)
      await send(undefined, STOCK, 20)
      const listening = topology.start('n1', inCgroup(tree, exporter, [process.execPath, '-e', LISTENING]))
      await listening.waitFor(/up/)
      for (const from of ['database', 'p2a']) await topology.peer(from).sendUdp({ to: [N1], port: 9, size: SIZE, packets: 10 })
      const all = await agents.atRest()
      t.comment(agents.on('n1').log())
      t.equal(grew(all, before, 'exporter', 'stock'), 40 * DATAGRAM)
      t.equal(grew(all, before, 'proxy', 'stock'), 30 * DATAGRAM)
      t.equal(grew(all, before, 'n1', 'stock'), 20 * DATAGRAM, 'a process that is in no pod')
      t.equal(grew(all, before, 'database', 'exporter'), 10 * DATAGRAM, 'from who has no agent')
      t.equal(grew(all, before, 'stock', 'n1'), 10 * DATAGRAM, 'another node’s agent knows the address alone')
      t.equal(flowBytes(all) - flowBytes(before), (await truth.total()) - sentBefore)
      t.equal(booked(all, 'pending'), 0)
      t.match(
        all.flatMap(({ series }) => series['meshtoll_flow_bytes_total'] ?? []).find(({ labels }) => labels['src_owner_name'] === 'proxy')
          ?.labels,
        { src_zone: 'zone-1', src_namespace: 'shop', src_owner_kind: 'StaticPod', scope: 'cross_zone' },
      )
    })

    t.test('through kill -9 and a pod that is replaced, each byte once', { skip: skip ?? false }, async (t) => {
      const { lab, agents, tree, exporter, send } = await createHostLab(t)
      const before = await agents.atRest()
      const sentBefore = await lab.truth.total()
      await send(exporter, STOCK, 25)
      await agents.on('n1').kill()
      await send(exporter, STOCK, 25)
      await agents.on('n1').start()
      await send(exporter, STOCK, 25)
      const owner = await lab.cluster.admin.send('GET', '/apis/apps/v1/namespaces/shop/daemonsets/exporter')
      const next = await createRunningPod(lab.cluster.admin, {
        namespace: 'shop',
        name: 'exporter-2',
        node: 'n1',
        hostNetwork: true,
        podIps: [N1],
        owner: ownerOf(owner as Parameters<typeof ownerOf>[0]),
      })
      const path = folderOf(next.metadata.uid ?? '')
      tree.make(path)
      await send(path, STOCK, 25)
      const all = await eventually('none waits', async () => {
        const served = await agents.atRest()
        return booked(served, 'pending') === 0 ? served : undefined
      })
      t.equal(grew(all, before, 'exporter', 'stock'), 100 * DATAGRAM)
      t.equal(flowBytes(all) - flowBytes(before), (await lab.truth.total()) - sentBefore)
    })

    t.test('a socket in a cgroup of nobody: its bytes wait, and are the node’s after that', { skip: skip ?? false }, async (t) => {
      const lab = await createHostLab(t)
      const stray = folderOf('00000000-0000-0000-0000-000000000000')
      lab.tree.make(stray)
      const before = await lab.agents.atRest()
      await lab.send(stray, STOCK, 20)
      const waiting = await lab.agents.atRest()
      t.equal(booked(waiting, 'pending'), 20 * DATAGRAM)
      t.equal(grew(waiting, before, 'n1', 'stock'), 0)
      await eventually('patience', async () => (booked(await lab.agents.atRest(), 'pending') === 0 ? true : undefined), 20_000)
      t.equal(grew(await lab.agents.atRest(), before, 'n1', 'stock'), 20 * DATAGRAM)
    })
  },
  { timeoutMs: 240_000 },
)
