// Sends UDP datagrams as fast as one CPU can, a program that is asked for volleys.
// Each source sends to all destinations in one sendmmsg(2), then the next source does: so all pairs take turns.
import koffi from 'koffi'
import { addressAt } from '../src/lab/peer-protocol.js'
import { answerEach, argumentOf } from './asked.js'
import type { SenderSpec, Sent, Volley } from './volley.js'

const AF_INET = 2
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000
const SOL_SOCKET = 1
const SO_SNDBUFFORCE = 32
const SOCKADDR_BYTES = 16
/** struct mmsghdr where pointers have 8 bytes. */
const MMSGHDR_BYTES = 64
const SMALLEST_BATCH = 64

const library = koffi.load(null)
const socket = library.func('int socket(int, int, int)')
const bind = library.func('int bind(int, const uint8_t *, uint32_t)')
const setOption = library.func('int setsockopt(int, int, int, const uint8_t *, uint32_t)')
const sendMany = library.func('int sendmmsg(int, void *, uint32_t, int)')

function must(result: number, attempt: string): number {
  if (result < 0) throw new Error(`${attempt}: errno ${koffi.errno()}`)
  return result
}

function addressOf(text: string, port: number): Buffer {
  const address = Buffer.alloc(SOCKADDR_BYTES)
  address.writeUInt16LE(AF_INET, 0)
  address.writeUInt16BE(port, 2)
  address.set(text.split('.').map(Number), 4)
  return address
}

function openFrom(address: string): number {
  const fd = must(socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0), 'socket')
  must(bind(fd, addressOf(address, 20_000), SOCKADDR_BYTES), `bind ${address}`)
  must(setOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, Buffer.from(Uint32Array.of(4 << 20).buffer), 4), 'SO_SNDBUFFORCE')
  return fd
}

/** Native memory does not move, so the pointers in it hold. */
function allocate(bytes: number): { readonly memory: object; readonly at: bigint; readonly buffer: Buffer } {
  const memory = koffi.alloc('uint8_t', bytes)
  return { memory, at: koffi.address(memory), buffer: Buffer.from(koffi.view(memory, bytes)) }
}

function messagesTo({ to, destinations, port, size }: SenderSpec, batch: number): object {
  const payload = allocate(Math.max(size, 1))
  const addresses = allocate(batch * SOCKADDR_BYTES)
  const vector = allocate(16)
  vector.buffer.writeBigUInt64LE(payload.at, 0)
  vector.buffer.writeBigUInt64LE(BigInt(size), 8)
  const messages = allocate(batch * MMSGHDR_BYTES)
  messages.buffer.fill(0)
  for (let i = 0; i < batch; i++) {
    addresses.buffer.set(addressOf(addressAt(to, i % destinations), port), i * SOCKADDR_BYTES)
    messages.buffer.writeBigUInt64LE(addresses.at + BigInt(i * SOCKADDR_BYTES), i * MMSGHDR_BYTES)
    messages.buffer.writeUInt32LE(SOCKADDR_BYTES, i * MMSGHDR_BYTES + 8)
    messages.buffer.writeBigUInt64LE(vector.at, i * MMSGHDR_BYTES + 16)
    messages.buffer.writeBigUInt64LE(1n, i * MMSGHDR_BYTES + 24)
  }
  return messages.memory
}

const spec = argumentOf() as SenderSpec
const sockets = Array.from({ length: spec.sources }, (_, index) => openFrom(addressAt(spec.from, index)))
const batch = spec.destinations * Math.ceil(SMALLEST_BATCH / spec.destinations)
const messages = messagesTo(spec, batch)
let next = 0

function sendBatch(): number {
  const fd = sockets[next] ?? -1
  next = (next + 1) % sockets.length
  return sendMany(fd, messages, batch, 0)
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function send({ packets, overMs = 0 }: Volley): Promise<Sent> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  let sent = 0
  while (sent < packets) {
    sent += must(sendBatch(), 'sendmmsg')
    if (overMs > 0) await sleep(Math.max(0, start + (sent / packets) * overMs - performance.now()))
  }
  const { user, system } = process.cpuUsage(cpu)
  return { packets: sent, cpuNs: (user + system) * 1_000, wallNs: (performance.now() - start) * 1e6 }
}

await answerEach(send)
