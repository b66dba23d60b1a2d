// Agents as far as a directory is concerned, a program: all of them ask at once, over a TLS connection each, and hear what they are told.
// Lines are not parsed but searched, since on a real node each agent has a CPU of its own for that.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { gzipSync } from 'node:zlib'
import { answerEach, argumentOf } from './asked.js'
import { addressOf, type ClusterSize } from './cluster.js'

export interface AgentsGiven extends ClusterSize {
  readonly url: string
  readonly ca: string
  /** Of the first one here, and how many. */
  readonly first: number
  readonly agents: number
  readonly addresses: number
}

export interface AgentsAsked {
  /** All connect, whatever connections they have, and go on from what they know or not. */
  readonly connect?: { readonly goOn: boolean }
  /** Waits until all have heard of pods in their next life: one of `every` was restarted. */
  readonly restarted?: { readonly every: number }
}

/** Milliseconds from the question until each was served, and addresses that were told. */
export interface AgentsAnswer {
  readonly servedMs: readonly number[]
  readonly told: number
  readonly megabytes: number
}

interface Agent {
  readonly index: number
  readonly pods: readonly number[]
  /** Of pods in their next life. */
  readonly restarted: Set<string>
  instance: string
  revision: number
  told: number
  bytes: number
  response?: IncomingMessage
  look(): void
}

const given = argumentOf() as AgentsGiven
const UNKNOWN_SHARE = 20
const UNKNOWNS = 5_000
const STRIDE = 7919
const NEXT_LIFE = /"address":"([^"]+)","key":"00000001-/g

/** Spread over all, other ones for each; one in twenty is nobody's that the cluster knows, such as a host behind a VPN. */
const podsOf = (index: number): readonly number[] =>
  Array.from({ length: given.addresses }, (_, at) => {
    const one = index * 104_729 + at * STRIDE
    return at % UNKNOWN_SHARE === 0 ? given.pods + (one % UNKNOWNS) : one % given.pods
  })

const agents: readonly Agent[] = Array.from({ length: given.agents }, (_, at) => ({
  index: given.first + at,
  pods: podsOf(given.first + at),
  restarted: new Set<string>(),
  instance: '',
  revision: 0,
  told: 0,
  bytes: 0,
  look: () => undefined,
}))

function hear(agent: Agent, line: string): void {
  if (line.startsWith('{"session"')) {
    agent.instance = JSON.parse(line).instance
  } else if (line.startsWith('{"revision"')) {
    agent.revision = JSON.parse(line).revision
    agent.look()
  } else if (line.startsWith('{"tenancies"')) {
    agent.told += line.split('"address":').length - 1
    for (const [, address = ''] of line.matchAll(NEXT_LIFE)) agent.restarted.add(address)
  }
}

/** Until the connection breaks. */
async function read(agent: Agent, response: IncomingMessage): Promise<void> {
  let rest = ''
  try {
    for await (const piece of response.setEncoding('utf8')) {
      agent.bytes += piece.length
      const lines = `${rest}${piece}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) hear(agent, line)
    }
  } catch {
    // It was closed from here.
  }
}

async function connect(agent: Agent, goOn: boolean): Promise<void> {
  const { index, instance, revision, pods } = agent
  const since = goOn ? { instance, revision } : { instance: '', revision: 0 }
  const body = gzipSync(JSON.stringify({ node: `node-${index}`, addresses: pods.map(addressOf), ...since }))
  const sent = request(`${given.url}/v1/watch`, {
    method: 'POST',
    agent: false,
    ca: given.ca,
    headers: { authorization: `Bearer token-${index}`, 'content-length': body.length, 'content-encoding': 'gzip' },
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`/v1/watch: ${response.statusCode}`)
  agent.response = response
  await new Promise<void>((resolve) => {
    agent.look = resolve
    void read(agent, response)
  })
}

function isRestarted({ pods, restarted }: Agent, every: number): boolean {
  return pods.every((pod) => pod >= given.pods || pod % every !== 0 || restarted.has(addressOf(pod)))
}

async function timedEach(task: (agent: Agent) => Promise<void>): Promise<AgentsAnswer> {
  const start = performance.now()
  const before = agents.map(({ told, bytes }) => ({ told, bytes }))
  const servedMs = await Promise.all(agents.map((agent) => task(agent).then(() => performance.now() - start)))
  const sum = (of: (agent: Agent, at: number) => number): number => agents.reduce((all, agent, at) => all + of(agent, at), 0)
  return {
    servedMs,
    told: sum(({ told }, at) => told - (before[at]?.told ?? 0)),
    megabytes: sum(({ bytes }, at) => bytes - (before[at]?.bytes ?? 0)) / 1e6,
  }
}

await answerEach(async ({ connect: connecting, restarted }: AgentsAsked) => {
  if (connecting) {
    for (const { response } of agents) response?.destroy()
    return timedEach((agent) => connect(agent, connecting.goOn))
  }
  const every = restarted?.every ?? 1
  return timedEach(
    (agent) =>
      new Promise((resolve) => {
        agent.look = () => {
          if (isRestarted(agent, every)) resolve()
        }
        agent.look()
      }),
  )
})
