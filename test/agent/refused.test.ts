// What the kernel may answer at any time, through the seam: the agent goes on, says once what is wrong and what to do, and recovers.
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/fields.js'
import type { Netlink, OpenNetlink } from '../../src/deps.js'
import { KernelError } from '../../src/kernel/errors.js'
import { inNamespace } from '../kernel/in-namespace.js'
import { IPV4_UDP, sendTo, setUpNode } from '../sources/flows/small-node.js'
import { type AgentHere, createAgentHere, flowTo, gapOf, servedOf } from './agent-here.js'
import { uninstall } from './uninstall.js'

const EPERM = 1
const EINVAL = 22
const EPROTONOSUPPORT = 93
const EOPNOTSUPP = 95
const ENOBUFS = 105
const STOCK = '10.9.0.1'
const bytesOf = (packets: number): number => packets * (100 + IPV4_UDP)

type Protocol = Parameters<OpenNetlink>[0]

/** Which calls fail now, and how. */
interface Fault {
  protocol: Protocol | 'none'
  call: 'open' | 'send' | 'receive'
  errno: number
  /** Calls that pass before. */
  after: number
}

const NO_FAULT: Fault = { protocol: 'none', call: 'send', errno: 0, after: 0 }

function faulty(fault: Fault): (open: OpenNetlink) => OpenNetlink {
  const meet = (protocol: Protocol, call: Fault['call'], attempt: string): void => {
    if (fault.protocol !== protocol || fault.call !== call || fault.after-- > 0) return
    throw new KernelError(attempt, fault.errno)
  }
  return (open) => (protocol, groups) => {
    meet(protocol, 'open', 'open a netlink socket')
    const socket: Netlink = open(protocol, groups)
    return {
      send(message) {
        meet(protocol, 'send', 'send to the kernel')
        socket.send(message)
      },
      receive(buffer) {
        meet(protocol, 'receive', 'receive from the kernel')
        return socket.receive(buffer)
      },
      close: () => socket.close(),
    }
  }
}

interface Situation {
  readonly here: AgentHere
  readonly fault: Fault
}

async function createSituation(t: Test, first: Fault, flows: Partial<Config['flows']> = {}): Promise<Situation> {
  const fault = { ...first }
  const here = await createAgentHere(t, {
    stateDir: t.testdir(),
    skew: { wallMs: 0, monotonicMs: 0 },
    config: { flows },
    through: faulty(fault),
  })
  return { here, fault }
}

const start = ({ here }: Situation): Promise<void> => here.agent.start(AbortSignal.timeout(10_000))
const complaints = ({ here }: Situation): string[] => here.lines.filter((line) => /^(warn|error)/.test(line))
const downOf = ({ here }: Situation): string[] => here.agent.status.sources.filter(({ up }) => !up).map(({ name }) => name)

const PRIVILEGE = /needs CAP_NET_ADMIN \(could not .*EPERM.*\); run as root, or give the process CAP_NET_ADMIN and nothing else/
const NF_TABLES =
  /needs nf_tables with the family inet \(Linux 5\.10 or newer\) \(could not .*\); load the module nf_tables, or set flows\.enabled: false/

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(uninstall)

  const atFirst: readonly { name: string; fault: Fault; remedy: RegExp }[] = [
    { name: 'no privilege', fault: { protocol: 'netfilter', call: 'send', errno: EPERM, after: 0 }, remedy: PRIVILEGE },
    {
      name: 'no privilege to write, only to read',
      fault: { protocol: 'netfilter', call: 'send', errno: EPERM, after: 3 },
      remedy: PRIVILEGE,
    },
    { name: 'no nfnetlink', fault: { protocol: 'netfilter', call: 'open', errno: EPROTONOSUPPORT, after: 0 }, remedy: NF_TABLES },
    { name: 'nfnetlink without nf_tables', fault: { protocol: 'netfilter', call: 'receive', errno: EINVAL, after: 0 }, remedy: NF_TABLES },
    { name: 'no family inet', fault: { protocol: 'netfilter', call: 'receive', errno: EOPNOTSUPP, after: 2 }, remedy: NF_TABLES },
  ]
  for (const { name, fault, remedy } of atFirst) {
    t.test(`${name}: all but flows works, and flows as soon as they can`, async (t) => {
      const situation = await createSituation(t, fault)
      const { here } = situation
      await start(situation)
      await sendTo([STOCK])
      for (let reading = 0; reading < 3; reading++) {
        // Every attempt meets it.
        situation.fault.after = fault.after
        const snapshot = await here.snapshot()
        t.same(downOf(situation), ['flows'])
        t.ok((servedOf(snapshot, 'meshtoll_node_network_transmit_bytes_total', { device: 'uplink' }) ?? 0) > 0)
      }
      t.equal(here.agent.status.ready, true)
      t.equal(complaints(situation).length, 1, 'said once')
      t.match(complaints(situation)[0], remedy)

      Object.assign(situation.fault, NO_FAULT)
      // A table that was made before something else failed has counted already.
      const already = flowTo(await here.snapshot(), 'stock') ?? 0
      t.same(downOf(situation), [])
      t.ok(already <= bytesOf(1))
      await sendTo([STOCK], { times: 4 })
      t.equal(flowTo(await here.snapshot(), 'stock'), already + bytesOf(4), 'counted from then on')
      t.equal(complaints(situation).length, 1)
      t.ok(here.lines.some((line) => line.startsWith('info source can be read again {"source":"flows"}')))
    })

    t.test(`${name}, though flows are asked for: it does not start`, async (t) => {
      const situation = await createSituation(t, fault, { enabled: true })
      await t.rejects(start(situation), { message: remedy })
      await t.rejects(situation.here.snapshot(), { message: remedy }, 'nor answers')
    })
  }

  const later: readonly { name: string; fault: Fault; remedy: RegExp }[] = [
    {
      name: 'no room for an answer',
      fault: { protocol: 'netfilter', call: 'receive', errno: ENOBUFS, after: 0 },
      remedy: /no room for its answer \(could not .*ENOBUFS.*\); nothing is lost, the next read makes up for it/,
    },
    {
      name: 'no room in the middle of a read',
      fault: { protocol: 'netfilter', call: 'receive', errno: ENOBUFS, after: 5 },
      remedy: /nothing is lost/,
    },
    { name: 'privilege taken away', fault: { protocol: 'netfilter', call: 'send', errno: EPERM, after: 0 }, remedy: PRIVILEGE },
  ]
  for (const { name, fault, remedy } of later) {
    t.test(`${name} while it counts: totals stand, and nothing is lost`, async (t) => {
      const situation = await createSituation(t, NO_FAULT)
      const { here } = situation
      await start(situation)
      await sendTo([STOCK], { times: 2 })
      t.equal(flowTo(await here.snapshot(), 'stock'), bytesOf(2))
      for (let reading = 0; reading < 3; reading++) {
        Object.assign(situation.fault, fault)
        await sendTo([STOCK])
        t.equal(flowTo(await here.snapshot(), 'stock'), bytesOf(2), 'what was served')
        t.same(downOf(situation), ['flows'])
      }
      t.equal(complaints(situation).length, 1, 'said once')
      t.match(complaints(situation)[0], remedy)

      Object.assign(situation.fault, NO_FAULT)
      const snapshot = await here.snapshot()
      t.same(downOf(situation), [])
      t.equal(flowTo(snapshot, 'stock'), bytesOf(5))
      t.equal(gapOf(snapshot), 0)
    })
  }

  t.test('addresses that could not be read are read when they can be', async (t) => {
    const fault: Fault = { protocol: 'route', call: 'send', errno: ENOBUFS, after: 0 }
    const here = await createAgentHere(t, {
      stateDir: t.testdir(),
      skew: { wallMs: 0, monotonicMs: 0 },
      inventory: [],
      through: faulty(fault),
    })
    const situation = { here, fault }
    await start(situation)
    t.ok(downOf(situation).includes('inventory'))
    Object.assign(fault, NO_FAULT)
    await here.snapshot()
    t.same(downOf(situation), [])
    const before = (await here.snapshot()).books.posted
    await sendTo([STOCK], { times: 4 })
    t.ok((await here.snapshot()).books.posted >= before + bytesOf(4), 'what this node sends is known as its own')
  })
})
