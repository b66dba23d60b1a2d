import t from 'tap'
import { untilAborted, within } from '../src/deadline.js'
import type { Clock } from '../src/deps.js'

/** Sleeps until told. */
function createSleeper(): { readonly clock: Pick<Clock, 'sleep'>; wake(): void; readonly asleep: number } {
  const waking = new Set<() => void>()
  return {
    clock: {
      sleep: (_, signal) =>
        new Promise((resolve, reject) => {
          waking.add(resolve)
          const stop = (): void => {
            waking.delete(resolve)
            reject(signal?.reason)
          }
          signal?.addEventListener('abort', stop, { once: true })
        }),
    },
    wake() {
      for (const resolve of waking) resolve()
    },
    get asleep() {
      return waking.size
    },
  }
}

const hangs = (signal: AbortSignal): Promise<never> => untilAborted(new Promise<never>(() => undefined), signal)

t.test('within', async (t) => {
  const live = new AbortController()
  const { signal } = live
  const one = createSleeper()
  t.equal(await within(one.clock, { ms: 8_000, signal }, async () => 'done'), 'done', 'in time')
  t.equal(one.asleep, 0, 'and nothing is left behind')
  await t.rejects(
    within(one.clock, { ms: 8_000, signal }, () => Promise.reject(new Error('EIO'))),
    { message: 'EIO' },
  )
  const late = within(one.clock, { ms: 8_000, signal }, hangs)
  one.wake()
  await t.rejects(late, { name: 'TimeoutError', message: 'not done within 8 s' })
  const stopped = within(one.clock, { ms: 8_000, signal }, hangs)
  live.abort(new Error('stopped'))
  await t.rejects(stopped, { message: 'stopped' })
  await t.rejects(within(one.clock, { ms: 8_000, signal }, hangs), { message: 'stopped' }, 'before it began')
  t.equal(one.asleep, 0)
})

t.test('untilAborted', async (t) => {
  const reason = new Error('over')
  const never = new Promise<string>(() => undefined)
  const live = new AbortController()
  t.equal(await untilAborted(Promise.resolve('read'), live.signal), 'read', 'what was read')
  await t.rejects(untilAborted(Promise.reject(new Error('EIO')), live.signal), { message: 'EIO' }, 'a failure as it is')
  await t.rejects(untilAborted(never, AbortSignal.abort(reason)), reason, 'aborted before')
  const late = new AbortController()
  const reading = untilAborted(never, late.signal)
  late.abort(reason)
  await t.rejects(reading, reason, 'aborted meanwhile')
})
