// UDP of a peer: a sink, any number of packets between any number of addresses, a steady stream.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  type Activity,
  type Counts,
  eachAddress,
  emptyTally,
  type Paced,
  type Tally,
  type UdpListen,
  type UdpSend,
} from './peer-protocol.js'

const TICK_MS = 20
/** Between two looks at the command line. */
const BURST = 256

const now = (): number => performance.now() / 1_000
const since = (tally: Tally, start: number): Counts => ({ ...tally, seconds: now() - start })

export async function listenUdp({ port, host = '0.0.0.0' }: UdpListen): Promise<Activity> {
  const tally = emptyTally()
  const start = now()
  const socket = open(host)
  socket.on('message', (message) => {
    tally.receivedPackets++
    tally.receivedBytes += message.length
  })
  await bind(socket, port, host)
  return {
    counts: () => since(tally, start),
    close() {
      socket.close()
    },
  }
}

export async function sendUdp({ from = [], to, port, size, packets = 1 }: UdpSend): Promise<Counts> {
  const tally = emptyTally()
  const start = now()
  const sources = from.length > 0 ? eachAddress(from) : [undefined]
  for (const source of sources) {
    const [destination = ''] = eachAddress(to)
    const socket = open(destination)
    await bind(socket, 0, source)
    await sendFrom(socket, { to: eachAddress(to), port, packets, payload: Buffer.alloc(size) }, tally)
    socket.close()
  }
  return since(tally, start)
}

interface Volley {
  readonly to: Iterable<string>
  readonly port: number
  readonly packets: number
  readonly payload: Buffer
}

async function sendFrom(socket: Socket, { to, port, packets, payload }: Volley, tally: Tally): Promise<void> {
  let burst: Promise<void>[] = []
  for (const address of to) {
    for (let packet = 0; packet < packets; packet++) {
      burst.push(send(socket, { payload, port, address }, tally))
      if (burst.length < BURST) continue
      await Promise.all(burst)
      burst = []
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(burst)
}

interface Packet {
  readonly payload: Buffer
  readonly port: number
  readonly address: string
}

/** Resolves when the kernel has taken or refused it. */
function send(socket: Socket, { payload, port, address }: Packet, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    socket.send(payload, 0, payload.length, port, address, (error) => {
      if (error) tally.failed++
      else {
        tally.sentPackets++
        tally.sentBytes += payload.length
      }
      resolve()
    })
  })
}

export async function paceUdp({ to, port, from, bytesPerSecond, size = 1_000 }: Paced): Promise<Activity> {
  const tally = emptyTally()
  const start = now()
  const socket = open(to)
  await bind(socket, 0, from)
  const payload = Buffer.alloc(size)
  const pending = new Set<Promise<void>>()
  let sent = 0
  const timer = setInterval(() => {
    const due = Math.floor(((now() - start) * bytesPerSecond) / size)
    // A late tick catches up, but not on a pause of a second or more.
    for (sent = Math.max(sent, due - bytesPerSecond / size); sent < due; sent++) {
      const packet = send(socket, { payload, port, address: to }, tally)
      pending.add(packet)
      void packet.then(() => pending.delete(packet))
    }
  }, TICK_MS)
  return {
    counts: () => since(tally, start),
    async close() {
      clearInterval(timer)
      await Promise.all(pending)
      socket.close()
    },
  }
}

/** With a lookup that answers at once the event comes before bind returns. */
async function bind(socket: Socket, port: number, address: string | undefined): Promise<void> {
  const listening = once(socket, 'listening')
  socket.bind(port, address)
  await listening
}

/** Addresses are always numbers here: a lookup that answers at once is worth a third of the packet rate. */
function open(address: string): Socket {
  const family = address.includes(':') ? 6 : 4
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // As much as net.core.rmem_max lets it have. A long burst overflows it all the same: what arrived is for the device's counters to say.
    recvBufferSize: 4 << 20,
    lookup: (host, _options, callback) => callback(null, host, family),
    // A reply to something long sent, such as an ICMP error, is nobody's failure.
  }).on('error', () => undefined)
}
