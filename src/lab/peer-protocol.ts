// What a peer is asked and answers: one JSON object a line, `{id, ...request}` on its standard input, `{id, ...reply}` on its output.

/** One address, or `count` of them from `first` on (IPv6: first must end in `::`). */
export type Addresses = string | { readonly first: string; readonly count: number }

/** Payload, without any header. */
export interface Counts {
  readonly sentBytes: number
  /** UDP only. */
  readonly sentPackets: number
  readonly receivedBytes: number
  readonly receivedPackets: number
  readonly connections: number
  /** Packets and connections that the kernel refused. */
  readonly failed: number
  readonly seconds: number
}

export interface TcpListen {
  readonly port: number
  readonly host?: string
  /** Answers `response` bytes to every `request` bytes; without it a sink. */
  readonly request?: number
  readonly response?: number
}

export interface UdpListen {
  readonly port: number
  readonly host?: string
}

export interface TcpSend {
  readonly to: string
  readonly port: number
  readonly from?: string
  /** Of all streams together. */
  readonly bytes: number
  readonly streams?: number
}

export interface Exchange {
  readonly to: string
  readonly port: number
  readonly from?: string
  readonly connections: number
  readonly request: number
  readonly response: number
  /** At the same time; default 16. */
  readonly parallel?: number
}

export interface UdpSend {
  /** Each source sends to each destination. */
  readonly from?: readonly Addresses[]
  readonly to: readonly Addresses[]
  readonly port: number
  /** Payload of a packet. */
  readonly size: number
  /** To each destination from each source; default 1. */
  readonly packets?: number
}

export interface Paced {
  readonly protocol: 'tcp' | 'udp'
  readonly to: string
  readonly port: number
  readonly from?: string
  readonly bytesPerSecond: number
  /** Payload of a UDP packet; default 1000. */
  readonly size?: number
}

export interface Relay {
  readonly path: string
  readonly port: number
  readonly host?: string
}

/** `listenTcp`, `listenUdp` and `pace` answer a handle at once and go on until it is closed; the others answer when all is sent. */
export interface Requests {
  readonly listenTcp: TcpListen
  readonly listenUdp: UdpListen
  readonly sendTcp: TcpSend
  readonly exchange: Exchange
  readonly sendUdp: UdpSend
  readonly pace: Paced
  readonly relay: Relay
  readonly counts: { readonly handle: number }
  readonly close: { readonly handle: number }
}

export type Reply = { readonly handle: number } | { readonly counts: Counts }
export type Answer = { readonly id: number } & ({ readonly reply: Reply } | { readonly error: string })

/** Something that goes on in a peer. */
export interface Activity {
  counts(): Counts
  close(): void | Promise<void>
}

export type Tally = { -readonly [Key in keyof Omit<Counts, 'seconds'>]: Counts[Key] }

export const emptyTally = (): Tally => ({ sentBytes: 0, sentPackets: 0, receivedBytes: 0, receivedPackets: 0, connections: 0, failed: 0 })

export function* eachAddress(addresses: readonly Addresses[]): Generator<string> {
  for (const entry of addresses) {
    if (typeof entry === 'string') yield entry
    else for (let index = 0; index < entry.count; index++) yield addressAt(entry.first, index)
  }
}

export function addressAt(first: string, index: number): string {
  if (first.endsWith('::')) return `${first}${(index >>> 16).toString(16)}:${(index & 0xffff).toString(16)}`
  const start = first.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + index
  return [24, 16, 8, 0].map((shift) => (start >>> shift) & 255).join('.')
}
