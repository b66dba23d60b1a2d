import t from 'tap'
import type { Log } from '../../../src/deps.js'
import { createPace } from '../../../src/sources/flows/pace.js'
import { CLOCK } from './small-node.js'

function paceAt() {
  const time = { ms: 0 }
  const lines: string[] = []
  const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  return { time, lines, ...createPace({ clock: { ...CLOCK, monotonic: () => time.ms }, log }) }
}

t.test('repairs', async (t) => {
  const cases = [
    { name: 'three at once, then one in five seconds', at: [0, 1, 2, 3, 4, 6, 7, 8, 11, 12, 13], made: [0, 1, 2, 7, 12] },
    { name: 'one now and then is always made', at: [0, 5, 10, 15, 20, 25], made: [0, 5, 10, 15, 20, 25] },
    { name: 'after ten quiet seconds three at once again', at: [0, 1, 2, 3, 12, 13, 14, 15], made: [0, 1, 2, 12, 13, 14] },
  ]
  for (const { name, at, made } of cases) {
    const { time, takeRepair } = paceAt()
    const taken = at.filter((second) => {
      time.ms = second * 1000
      return takeRepair()
    })
    t.same(taken, made, name)
  }
})

t.test('a warning is one a minute, each by itself', async (t) => {
  const { time, warn, lines } = paceAt()
  for (const second of [0, 1, 59, 60]) {
    time.ms = second * 1000
    warn('one')
    if (second === 1) warn('other')
  }
  t.same(lines, ['warn one', 'debug one', 'warn other', 'debug one', 'warn one'])
})
