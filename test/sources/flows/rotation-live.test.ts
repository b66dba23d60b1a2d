import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { FlowReading } from '../../../src/model/flows.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import { nft } from '../../kernel/nft.js'
import {
  addressesFrom,
  bytesByPair,
  CLOCK,
  flowsOf,
  IPV4_UDP,
  imbalanceOf,
  sendTo,
  setUpNode,
  sumOf,
  type TestFlows,
} from './small-node.js'

const SIZE = 100

/** Sends in a process of its own until its input ends; says how many datagrams it sent. */
function startSender(addresses: number) {
  const program = `
    const socket = require('node:dgram').createSocket('udp4')
    const payload = Buffer.alloc(${SIZE})
    let sent = 0, going = true, open = 0
    process.stdin.on('end', () => { going = false }).resume()
    const address = (i) => '10.9.' + Math.floor(i / 250) + '.' + (i % 250 + 1)
    const send = () => {
      if (!going) { if (open === 0) process.stdout.write(String(sent), () => process.exit()); return }
      for (; open < 64; open++) socket.send(payload, 9, address(sent++ % ${addresses}), (error) => { if (error) throw error; if (--open === 0) setImmediate(send) })
    }
    socket.bind(0, () => { socket.setSendBufferSize(1 << 22); send() })`
  const sender = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  let told = ''
  sender.stdout.on('data', (data) => {
    told += data
  })
  return {
    async stop(): Promise<number> {
      sender.stdin.end()
      await once(sender, 'close')
      return Number(told)
    },
  }
}

/** What an agent does: writes down the bytes of a closed generation, then lets it go. */
async function readAndRelease(flows: TestFlows, ledger: Map<string, number>): Promise<FlowReading> {
  const reading = await flows.flowReading()
  const closed = reading.generations.filter((generation) => generation.closed)
  for (const [pair, bytes] of Object.entries(bytesByPair({ ...reading, generations: closed }))) {
    ledger.set(pair, (ledger.get(pair) ?? 0) + bytes)
  }
  await flows.release(closed.map(({ id }) => id))
  return { ...reading, generations: reading.generations.filter((generation) => !generation.closed) }
}

await inNamespace(t, import.meta.filename, () => {
  t.before(setUpNode)

  t.test('generation after generation under load: nothing lost, nothing twice', async (t) => {
    const PAIRS = 700
    const flows = await flowsOf({ maxPairs: 4096 })
    await flows.open()
    const sender = startSender(PAIRS)
    const ledger = new Map<string, number>()
    for (let rotations = 0; rotations < 40; rotations++) {
      flows.rotate()
      await readAndRelease(flows, ledger)
      await sleep(25)
    }
    const sent = await sender.stop()
    await sleep(30)
    const last = await readAndRelease(flows, ledger)
    const counted = Object.entries(bytesByPair(last)).concat([...ledger])
    const ours = counted.filter(([pair]) => pair.startsWith('10.0.0.1 10.9.')).reduce((sum, [, bytes]) => sum + bytes, 0)
    t.ok(sent > 1000, `${sent} datagrams`)
    t.equal(ours + last.counters.overflow, sent * (SIZE + IPV4_UDP))
    t.equal(last.counters.observed, sumOf(Object.fromEntries(ledger)) + sumOf(bytesByPair(last)) + last.counters.overflow)
    t.same(nft('list', 'sets').match(/set pair4_g\d+/g)?.length, last.generations.length, 'what was let go has left the kernel')
    await flows.uninstall()
  })

  t.test('at every read the parts are no less than what was observed, but for the packet that is just being counted', async (t) => {
    const flows = await flowsOf({ maxPairs: 4096 })
    await flows.open()
    const sender = startSender(300)
    const ledger = new Map<string, number>()
    for (let reads = 0; reads < 60; reads++) {
      if (reads % 10 === 0) flows.rotate()
      const reading = await readAndRelease(flows, ledger)
      // A virtual CPU may stand still between the two, and there is one sender.
      t.ok(imbalanceOf(reading) - sumOf(Object.fromEntries(ledger)) <= SIZE + IPV4_UDP, `read ${reads}`)
    }
    await sender.stop()
    await flows.uninstall()
  })

  t.test('a detached generation stays in every reading, closed, until it is released', async (t) => {
    let nowMs = 1_000_000
    const flows = await flowsOf({}, { clock: { ...CLOCK, monotonic: () => nowMs } })
    await flows.open()
    await sendTo(['10.9.0.1'], { size: SIZE })
    flows.rotate()
    const states: unknown[] = []
    const read = async (): Promise<void> => {
      const { generations } = await flows.flowReading()
      states.push(generations.map(({ id, closed }) => `${id}${closed ? ' closed' : ''}`).join(', '))
    }
    await read()
    nowMs += 19
    await read()
    nowMs += 1
    await read()
    await read()
    await sendTo(['10.9.0.1'], { size: SIZE })
    const reading = await flows.flowReading()
    t.same(states, ['1', '1, 2', '1 closed, 2', '1 closed, 2'], 'not closed within 20 ms')
    t.equal(bytesByPair(reading)['10.0.0.1 10.9.0.1'], 2 * (SIZE + IPV4_UDP))
    t.same(
      reading.generations.map(({ seen }) => seen.count > 0),
      [true, true],
    )
    await flows.release([2])
    await read()
    t.equal(states.at(-1), '1 closed, 2', 'a generation that is not closed stays')
    await flows.release([1])
    await read()
    t.equal(states.at(-1), '2')
    await flows.uninstall()
  })

  t.test('pairs that are gone leave with their generation, and their numbers are used again', async (t) => {
    const flows = await flowsOf()
    await flows.open()
    for (let round = 0; round < 4; round++) {
      await sendTo(addressesFrom(100).map((address) => address.replace('10.9.0', `10.9.${round}`)))
      flows.rotate()
      await flows.flowReading()
      await sleep(25)
      const { generations } = await flows.flowReading()
      await flows.release(generations.filter(({ closed }) => closed).map(({ id }) => id))
    }
    const { pairs } = await flows.flowReading()
    t.ok(pairs.size < 250, `${pairs.size} numbers for 400 pairs`)
    t.ok(pairs.addresses < 2 * 250, `${pairs.addresses} numbers for 401 addresses`)
    await flows.uninstall()
  })

  t.test('a set that is half full makes way within a minute by itself', async (t) => {
    let ahead = 0
    const clock = { ...CLOCK, monotonic: () => CLOCK.monotonic() + ahead }
    const flows = await flowsOf({ maxPairs: 64 }, { clock })
    await flows.open()
    await sendTo(addressesFrom(40))
    await flows.flowReading()
    t.equal((await flows.flowReading()).generations.length, 1, 'not at once')
    ahead = 61_000
    await flows.flowReading()
    t.equal((await flows.flowReading()).generations.length, 2)
    await flows.uninstall()
  })
})
