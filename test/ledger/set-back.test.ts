import t from 'tap'
import { type LastRead, parseLastRead, renderLastRead } from '../../src/ledger/last-read.js'
import { bootedMsOf, byClockOfNow } from '../../src/ledger/set-back.js'
import type { Pairs } from '../../src/model.js'

const clockOf = (nowMs: number, bootMs?: number) => ({ now: () => nowMs, ...(bootMs !== undefined && { sinceBoot: () => bootMs }) })

t.test('what another process read last, by the clock of now', async (t) => {
  const [then, later] = [1_000_000, 1_060_000]
  const cases = [
    { name: 'the clock went on', now: clockOf(later, 65_000), readAtMs: 999_900 },
    { name: 'it was set back by 5 s', now: clockOf(later - 5_000, 65_000), readAtMs: 994_900 },
    { name: 'by more than the agent was away', now: clockOf(later - 90_000, 65_000), readAtMs: 909_900 },
    { name: 'forward', now: clockOf(later + 90_000, 65_000), readAtMs: 999_900 },
    { name: 'the machine began anew', now: clockOf(later, 4_000), readAtMs: 999_900 },
    { name: 'it is not known', now: clockOf(later - 90_000), readAtMs: 999_900 },
  ]
  const parts = { pairs: { size: 0, addresses: 0 } as unknown as Pairs, textOf: () => undefined, pause: async () => undefined }
  const column = { count: 0, pair: new Int32Array(0), bytes: new Float64Array(0) }
  const waiting = [{ fromMs: then - 9_000, toMs: then - 8_000, column }]
  const moment = { epoch: 'e1', atMs: then, readAtMs: then - 100, bootedMs: bootedMsOf(clockOf(then, 5_000)) }
  for (const { name, now, readAtMs } of cases) {
    const written = parseLastRead(Buffer.concat(await renderLastRead(moment, [], { ...parts, waiting }))) as LastRead
    const read = byClockOfNow(written, now)
    t.match(read, { readAtMs, atMs: readAtMs + 100, epoch: 'e1' }, name)
    const came: { readonly fromMs: number; readonly toMs: number }[] = []
    for await (const { fromMs, toMs } of read.waitedThen(column, parts.pairs, parts.pause)) came.push({ fromMs, toMs })
    t.same(came, [{ fromMs: readAtMs - 8_900, toMs: readAtMs - 7_900 }], name)
  }
})
