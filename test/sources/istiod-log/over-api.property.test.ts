import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { fc, runs } from '../../property.js'
import { pushLine } from '../container-logs/cri-log.js'
import { createKubeletLog } from '../container-logs/kubelet-log.js'
import { createWorld, target } from './world.js'

const RUNS = runs(60)
/** More than any wait takes. */
const MAX_TURNS = 2_000

type Step =
  | { readonly do: 'write'; readonly name: string; readonly times: number; readonly afterNanos: number }
  | { readonly do: 'read'; readonly kill: boolean }
  | { readonly do: 'restart' | 'break off' | 'kill' | 'refuse' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      name: fc.constantFrom('a', 'b', 'c'),
      times: fc.integer({ min: 1, max: 30 }),
      afterNanos: fc.constantFrom(0, 0, 1, 900, 40_000_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), kill: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Step>({ do: 'restart' }, { do: 'break off' }, { do: 'break off' }, { do: 'kill' }, { do: 'refuse' }),
  },
)

t.test('each line is counted once, whatever breaks off, ends, refuses or is killed', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), tryOut), { numRuns: RUNS })
  t.pass(`${RUNS} runs`)

  async function tryOut(steps: readonly Step[]): Promise<void> {
    const log = createKubeletLog(() => world.nowMs)
    const targets = [{ ...target('uid', log.place), startedMs: 0 }]
    const world = createWorld(t, () => targets)
    const wanted = new Map<string, number>()
    let lines = 0
    let hasRestarted = false
    const read = () => world.read().catch(() => undefined)

    /** All of it is served, and written down. */
    async function catchUp(): Promise<void> {
      log.refuse(undefined)
      await read()
      for (let i = 0; i < MAX_TURNS && !log.isHandedOn; i++) await turn()
      await turn()
      await read()
      hasRestarted = false
    }

    log.write('before')
    await catchUp()
    for (const one of steps) {
      if (one.do === 'write') {
        for (let i = 0; i < one.times; i++) log.write(pushLine(one.name), one.afterNanos)
        wanted.set(`ServiceEntry/${one.name} full`, (wanted.get(`ServiceEntry/${one.name} full`) ?? 0) + one.times)
        lines += one.times
        await turn()
      } else if (one.do === 'read') await world.read({ kill: one.kill }).catch(() => undefined)
      else if (one.do === 'kill') await world.kill()
      else if (one.do === 'break off') log.breakOff()
      else if (one.do === 'refuse') log.refuse(new Error('503'))
      else {
        // Of the one before the last nobody can be told.
        if (hasRestarted) await catchUp()
        log.restart()
        hasRestarted = true
      }
    }
    await catchUp()
    const served = world.served()
    const got = JSON.stringify([Object.entries(served.causes).sort(), served.lines, served.events])
    const expected = JSON.stringify([[...wanted].sort(), lines, lines])
    if (got !== expected) throw new Error(`${got} is not ${expected}`)
    await world.kill()
  }
})
