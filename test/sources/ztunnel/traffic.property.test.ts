import t from 'tap'
import { readZtunnel } from '../../../src/sources/ztunnel/stats.js'
import { createTraffic, type Traffic } from '../../../src/sources/ztunnel/traffic.js'
import { fc, runs } from '../../property.js'
import { expositionOf } from './exposition.js'

const RUNS = runs(100)

type Step =
  | { readonly do: 'grow'; readonly name: string; readonly bytes: number }
  | { readonly do: 'read' | 'misread' | 'let go'; readonly name: string }
  | { readonly do: 'begin anew' | 'restart the agent' | 'kill the agent' }

const name = fc.constantFrom('cart', 'jobs', 'web')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('grow' as const), name, bytes: fc.integer({ min: 0, max: 1_000 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'misread' as const, 'let go' as const), name }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>({ do: 'begin anew' }, { do: 'restart the agent' }, { do: 'kill the agent' }),
  },
)
const ZONES = { cart: ['a', 'b'], jobs: ['a', 'b'], web: ['a', 'c'] } as const

/** A ztunnel, an agent, and what the agent has written down. */
function createWorld() {
  let counters = new Map<string, number>()
  /** After each beginning fewer than ever before. */
  let [begunWith, messages] = [1_000_000, 1_000_000]
  let marks = new Map<string, string>()
  let traffic: Traffic
  let hasRead = false
  const [sent, served] = [new Map<string, number>(), new Map<string, number>()]

  const addTo = (sums: Map<string, number>, key: string, bytes: number): unknown => sums.set(key, (sums.get(key) ?? 0) + bytes)

  async function* said(misread?: string): AsyncGenerator<string> {
    const flows = [...counters].map(([name, received]) => ({ name, received, zones: ZONES[name as keyof typeof ZONES] }))
    messages++
    const text = expositionOf(flows, { messages })
    yield misread === undefined ? text : text.replace(new RegExp(`(source_workload="${misread}".*) \\d+\n`), '$1 lots\n')
  }

  async function ask(misread?: string): Promise<void> {
    traffic.see({ name: 'z' })
    await traffic.add('z', await readZtunnel(said(misread), traffic.knownOf('z')))
    hasRead = true
  }

  function post(): void {
    for (const reading of traffic.take(new Set(['z']), 0)) {
      if (reading.kind === 'event') addTo(served, `${reading.labels.src_zone} ${reading.labels.dst_zone}`, reading.count)
      else if (reading.value !== undefined) marks = new Map([[reading.name, reading.value]])
    }
  }

  function start(): void {
    traffic = createTraffic({ clock: { monotonic: () => 0 }, turn: async () => undefined })
    traffic.resume(marks, undefined)
    hasRead = false
  }

  const read = async (): Promise<void> => {
    await ask()
    post()
  }

  start()
  return {
    read,
    sent,
    served,
    async try(step: Step): Promise<void> {
      if (step.do === 'grow') {
        counters.set(step.name, (counters.get(step.name) ?? 0) + step.bytes)
        addTo(sent, ZONES[step.name as keyof typeof ZONES].join(' '), step.bytes)
      } else if (step.do === 'read') await read()
      // Who knows no counter yet cannot know that one is missing.
      else if (step.do === 'misread') await (hasRead ? ask(step.name) : read())
      else if (step.do === 'let go') {
        await read()
        counters.delete(step.name)
        await read()
      } else if (step.do === 'begin anew') {
        await read()
        counters = new Map()
        begunWith -= 1_000
        messages = begunWith
      } else {
        // What it heard last is not written down.
        if (step.do === 'kill the agent') await ask()
        else post()
        start()
      }
    },
  }
}

t.test('each byte is posted once, whichever counters come and go, and whoever begins anew', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
      const world = createWorld()
      await world.read()
      for (const step of steps) await world.try(step)
      await world.read()
      const [sent, served] = [world.sent, world.served].map((sums) => JSON.stringify([...sums].filter(([, sum]) => sum > 0).sort()))
      if (sent !== served) throw new Error(`sent ${sent}, served ${served}`)
    }),
    { numRuns: RUNS },
  )
  t.pass()
})
