// The traffic maker of one namespace, a program: requests as JSON lines on standard input, answers on standard output (peer-protocol.ts).
// Ends when its input ends.
import { createInterface } from 'node:readline'
import type { Activity, Answer, Reply, Requests } from './peer-protocol.js'
import { exchange, listenTcp, paceTcp, relay, sendTcp } from './peer-tcp.js'
import { listenUdp, paceUdp, sendUdp } from './peer-udp.js'

type Handlers = { readonly [Name in keyof Requests]: (request: Requests[Name]) => Promise<Reply> }
type Line = { readonly id: number } & { readonly [Name in keyof Requests]?: Requests[Name] }

function createHandlers(): Handlers {
  const activities = new Map<number, Activity>()
  let last = 0
  const keep = async (starting: Promise<Activity>): Promise<Reply> => {
    const activity = await starting
    activities.set(++last, activity)
    return { handle: last }
  }
  const find = (handle: number): Activity => {
    const activity = activities.get(handle)
    if (!activity) throw new Error(`nothing goes on under ${handle}`)
    return activity
  }
  return {
    listenTcp: (request) => keep(listenTcp(request)),
    listenUdp: (request) => keep(listenUdp(request)),
    pace: (request) => keep(request.protocol === 'tcp' ? paceTcp(request) : paceUdp(request)),
    relay: (request) => keep(relay(request)),
    sendTcp: async (request) => ({ counts: await sendTcp(request) }),
    sendUdp: async (request) => ({ counts: await sendUdp(request) }),
    exchange: async (request) => ({ counts: await exchange(request) }),
    counts: async ({ handle }) => ({ counts: find(handle).counts() }),
    async close({ handle }) {
      const activity = find(handle)
      activities.delete(handle)
      await activity.close()
      return { counts: activity.counts() }
    },
  }
}

async function answer(handlers: Handlers, { id, ...requests }: Line): Promise<Answer> {
  try {
    for (const name of Object.keys(requests) as (keyof Requests)[]) return { id, reply: await call(handlers, name, requests) }
    throw new Error('an empty request')
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

function call<Name extends keyof Requests>(handlers: Handlers, name: Name, requests: Partial<Requests>): Promise<Reply> {
  return handlers[name](requests[name] as Requests[Name])
}

const handlers = createHandlers()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  void answer(handlers, JSON.parse(line) as Line).then((said) => process.stdout.write(`${JSON.stringify(said)}\n`))
})
lines.on('close', () => process.exit(0))
