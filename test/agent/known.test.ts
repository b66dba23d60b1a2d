// What was served before must be known before anything is served, and what is known must not be lost by something that fails.
import { execFileSync } from 'node:child_process'
import t, { type Test } from 'tap'
import type { OpenNetlink } from '../../src/deps.js'
import { ENOBUFS, KernelError } from '../../src/kernel/errors.js'
import { inNamespace } from '../kernel/in-namespace.js'
import { IPV4_UDP, sendTo, setUpNode } from '../sources/flows/small-node.js'
import { type AgentHere, createAgentHere, flowTo, gapOf, servedOf } from './agent-here.js'
import { uninstall } from './uninstall.js'

const STOCK = '10.9.0.1'
const bytesOf = (packets: number): number => packets * (100 + IPV4_UDP)
const OBSERVED = 'meshtoll_flow_observed_bytes_total'
/** nfnetlink: NFT_MSG_DELSET of nf_tables (linux/netfilter/nf_tables.h). */
const DELETE_SET = (10 << 8) | 11

/** Fails what is sent while `fails` says so. */
function failing(fails: (message: Buffer) => boolean): (open: OpenNetlink) => OpenNetlink {
  return (open) => (protocol, groups) => {
    const socket = open(protocol, groups)
    return {
      send(message) {
        if (protocol === 'netfilter' && fails(Buffer.from(message))) throw new KernelError('send to the kernel', ENOBUFS)
        socket.send(message)
      },
      receive: (buffer) => socket.receive(buffer),
      close: () => socket.close(),
    }
  }
}

function hasMessage(batch: Buffer, type: number): boolean {
  for (let at = 0; at + 16 <= batch.length; at += Math.ceil(batch.readUInt32LE(at) / 4) * 4)
    if (batch.readUInt16LE(at + 4) === type) return true
  return false
}

async function startHere(t: Test, stateDir: string, more: Partial<Parameters<typeof createAgentHere>[1]> = {}): Promise<AgentHere> {
  const here = await createAgentHere(t, { stateDir, skew: { wallMs: 0, monotonicMs: 0 }, ...more })
  await here.agent.start(AbortSignal.timeout(10_000))
  return here
}

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)
  t.afterEach(uninstall)

  t.test('an agent that cannot read flows serves no totals, and leaves those of before as they were', async (t) => {
    const stateDir = t.testdir()
    const first = await startHere(t, stateDir)
    await sendTo([STOCK], { times: 10 })
    t.equal(flowTo(await first.snapshot(), 'stock'), bytesOf(10))
    await first.stop()

    const blind = await startHere(t, stateDir, { through: failing(() => true) })
    const snapshot = await blind.snapshot()
    t.equal(servedOf(snapshot, OBSERVED), undefined, 'nothing rather than 0')
    t.equal(gapOf(snapshot), undefined)
    t.ok((servedOf(snapshot, 'meshtoll_node_network_transmit_bytes_total') ?? 0) > 0)
    await blind.stop()

    const last = await startHere(t, stateDir)
    await sendTo([STOCK], { times: 5 })
    t.equal(flowTo(await last.snapshot(), 'stock'), bytesOf(15))
    await last.stop()
  })

  t.test('a set that cannot be dropped is dropped later, and no byte of it is counted again', async (t) => {
    let isFull = true
    const config = { flows: { rotateIntervalMs: 0 } }
    const here = await startHere(t, t.testdir(), { config, through: failing((batch) => isFull && hasMessage(batch, DELETE_SET)) })
    for (let turn = 1; turn <= 4; turn++) {
      await sendTo([STOCK])
      t.equal(flowTo(await here.snapshot(), 'stock'), bytesOf(turn))
    }
    t.ok(here.lines.some((line) => line.startsWith('warn kernel sets that were read')))
    isFull = false
    for (let turn = 5; turn <= 7; turn++) {
      await sendTo([STOCK])
      t.equal(flowTo(await here.snapshot(), 'stock'), bytesOf(turn))
    }
    await here.stop()
  })

  t.test("somebody resets the kernel's counters while no agent runs: a gap, and nothing twice", async (t) => {
    const stateDir = t.testdir()
    const first = await startHere(t, stateDir)
    await sendTo([STOCK], { times: 10 })
    t.equal(flowTo(await first.snapshot(), 'stock'), bytesOf(10))
    await first.stop()
    execFileSync('nft', ['reset', 'counters', 'table', 'inet', 'meshtoll'])

    const next = await startHere(t, stateDir)
    await sendTo([STOCK], { times: 3 })
    const snapshot = await next.snapshot()
    t.equal(flowTo(snapshot, 'stock'), bytesOf(3))
    const { books } = snapshot
    t.equal(books.observed - books.posted - books.elsewhere - books.multicast - books.tunnel - books.overflow - books.pending, 0)
    t.ok((gapOf(snapshot) ?? 0) > 0)
    await next.stop()
  })
})
