import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { podLog } from '../../../src/sources/container-logs/segments.js'
import { fc, runs } from '../../property.js'
import { createCriLog, pushLine } from '../container-logs/cri-log.js'
import { createWorld, target } from './world.js'

const RUNS = runs(60)

type Step =
  | { readonly do: 'write'; readonly name: string; readonly times: number }
  | { readonly do: 'write in parts'; readonly name: string; readonly cutAt: number; readonly isRead: boolean }
  | { readonly do: 'rotate' | 'pack' | 'restart' | 'kill' }
  | { readonly do: 'read'; readonly kill: boolean }

const name = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), name, times: fc.integer({ min: 1, max: 700 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('write in parts' as const),
      name,
      cutAt: fc.integer({ min: 1, max: 140 }),
      isRead: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.constantFrom<Step>({ do: 'rotate' }, { do: 'rotate' }, { do: 'pack' }, { do: 'restart' }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read' as const), kill: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'kill' }) },
)

t.test('each line is counted once, however its files are renamed, packed and begun anew, and whenever the agent is killed', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
      const folder = mkdtempSync(join(tmpdir(), 'istiod-log-'))
      try {
        await tryOut(folder, steps)
      } finally {
        rmSync(folder, { recursive: true })
      }
    }),
    { numRuns: RUNS },
  )
  t.pass(`${RUNS} runs`)

  async function tryOut(folder: string, steps: readonly Step[]): Promise<void> {
    const log = createCriLog(folder)
    log.write('before')
    const world = createWorld(t, () => [target('uid', podLog(folder))])
    await world.read()
    const wanted = new Map<string, number>()
    let lines = 0
    /** At most: what was read may have to be read anew. */
    let unread = 0
    const count = (name: string, times = 1): void => {
      const key = `ServiceEntry/${name} full`
      wanted.set(key, (wanted.get(key) ?? 0) + times)
      lines += times
    }
    for (const one of [...steps, { do: 'read', kill: false } as const]) {
      if (one.do === 'write') {
        // More in one reading would be sampled.
        if (unread + one.times > 4_000) {
          await world.read()
          unread = 0
        }
        unread += one.times
        for (let i = 0; i < one.times; i++) log.write(pushLine(one.name))
        count(one.name, one.times)
      } else if (one.do === 'write in parts') {
        log.write(pushLine(one.name).slice(0, one.cutAt), { isPartial: true })
        if (one.isRead) await world.read()
        log.write(pushLine(one.name).slice(one.cutAt))
        count(one.name)
      } else if (one.do === 'read') await world.read({ kill: one.kill })
      else if (one.do === 'kill') await world.kill()
      else log[one.do]()
    }
    const served = world.served()
    const got = JSON.stringify([Object.entries(served.causes).sort(), served.lines, served.events])
    const expected = JSON.stringify([[...wanted].sort(), lines, lines])
    if (got !== expected) throw new Error(`${got} is not ${expected}`)
    await world.kill()
    if (world.openFiles > 0) throw new Error(`${world.openFiles} files are open`)
  }
})
