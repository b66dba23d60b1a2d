// A DNS server over UDP (RFC 1035): what it knows, and ways to fail.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from 'tap'
import { parseAddress } from '../../src/identity/address.js'

interface Entry {
  readonly data: string
  /** Seconds. */
  readonly ttl: number
}

type Failure = 'SERVFAIL' | 'REFUSED' | 'garbage' | 'silence'

interface Host {
  readonly A?: readonly Entry[] | Failure
  readonly AAAA?: readonly Entry[] | Failure
  /** Then the addresses are those of another host. */
  readonly CNAME?: Entry
}

/** By host name; another one is answered by NXDOMAIN. */
export type Zone = Readonly<Record<string, Host>>

export interface NameServer {
  /** `ADDRESS:PORT`. */
  readonly address: string
  /** Resolves at the first question. */
  readonly asked: Promise<unknown>
}

const CODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const
const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' }
const CNAME = 5
const HEADER_BYTES = 12
const A_RESPONSE = 0x8180

export async function startNameServer(t: Test, zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.on('message', (query, { address, port }) => {
    const answer = answerTo(query, zone)
    if (answer) socket.send(answer, port, address)
  })
  return { address: `127.0.0.1:${socket.address().port}`, asked: once(socket, 'message') }
}

function answerTo(query: Buffer, zone: Zone): Buffer | undefined {
  const { name, type, question } = parseQuestion(query)
  const { CNAME: alias, ...host } = zone[name] ?? {}
  const said = (alias ? zone[alias.data] : host)?.[type] ?? []
  if (said === 'silence') return undefined
  // Its id alone.
  if (said === 'garbage') return Buffer.concat([query.subarray(0, 2), Buffer.alloc(5, 0xff)])
  const failure = zone[name] ? said : 'NXDOMAIN'
  const code = typeof failure === 'string' ? CODES[failure as keyof typeof CODES] : 0
  const entries = typeof said === 'string' ? [] : said
  const records = [
    ...(alias ? [recordOf(name, { type: CNAME, ttl: alias.ttl, data: encodedName(alias.data) })] : []),
    ...entries.map(({ data, ttl }) => recordOf(alias?.data ?? name, { type: type === 'A' ? 1 : 28, ttl, data: addressBytes(data) })),
  ]
  const header = Buffer.from(query.subarray(0, HEADER_BYTES))
  header.writeUInt16BE(A_RESPONSE | code, 2)
  for (const [index, count] of [1, records.length, 0, 0].entries()) header.writeUInt16BE(count, 4 + 2 * index)
  return Buffer.concat([header, question, ...records])
}

function parseQuestion(query: Buffer): { readonly name: string; readonly type: 'A' | 'AAAA'; readonly question: Buffer } {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = TYPES[query.readUInt16BE(at + 1)]
  if (!type) throw new Error(`a question of type ${query.readUInt16BE(at + 1)}`)
  return { name: labels.join('.').toLowerCase(), type, question: query.subarray(HEADER_BYTES, at + 5) }
}

const encodedName = (name: string): Buffer =>
  Buffer.concat([...name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]), Buffer.from([0])])

function addressBytes(text: string): Buffer {
  const words = parseAddress(text) ?? []
  const bytes = Buffer.alloc(4 * words.length)
  for (const [index, word] of words.entries()) bytes.writeInt32BE(word, 4 * index)
  return bytes
}

function recordOf(name: string, { type, ttl, data }: { readonly type: number; readonly ttl: number; readonly data: Buffer }): Buffer {
  const fields = Buffer.alloc(10)
  fields.writeUInt16BE(type, 0)
  fields.writeUInt16BE(1, 2)
  fields.writeUInt32BE(ttl, 4)
  fields.writeUInt16BE(data.length, 8)
  return Buffer.concat([encodedName(name), fields, data])
}
