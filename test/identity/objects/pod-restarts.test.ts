import t from 'tap'
import { restartsOf } from '../../../src/identity/objects/pod-restarts.js'

const terminated = (reason?: string) => ({ terminated: { exitCode: 1, ...(reason !== undefined && { reason }) } })
const podOf = (...containerStatuses: readonly unknown[]) => ({ status: { containerStatuses } })
const one = (count: unknown, more: object = {}) => podOf({ name: 'main', restartCount: count, ...more })
const main = (count: number, reason: string) => [{ container: 'main', count, reason }]

t.test('restartsOf', async (t) => {
  const cases = [
    { name: 'never restarted', pod: one(0), restarts: [] },
    { name: 'restarted', pod: one(3, { lastState: terminated('OOMKilled'), state: { running: {} } }), restarts: main(3, 'OOMKilled') },
    {
      name: 'waits to be restarted again',
      pod: one(4, { lastState: terminated('Error'), state: { waiting: { reason: 'CrashLoopBackOff' } } }),
      restarts: main(4, 'Error'),
    },
    {
      name: 'lost what ended it',
      pod: one(4, { state: { waiting: { reason: 'CrashLoopBackOff' } } }),
      restarts: main(4, 'CrashLoopBackOff'),
    },
    { name: 'ended again', pod: one(1, { lastState: {}, state: terminated('Completed') }), restarts: main(1, 'Completed') },
    { name: 'nothing is said', pod: one(1, { lastState: terminated() }), restarts: main(1, '_unknown') },
    { name: 'a word of its own', pod: one(1, { lastState: terminated('Nope-7f3a') }), restarts: main(1, '_other') },
    {
      name: 'a sidecar and a debug container',
      pod: {
        status: {
          initContainerStatuses: [{ name: 'proxy', restartCount: 2, lastState: terminated('Error') }],
          ephemeralContainerStatuses: [{ name: 'debug', restartCount: 2, lastState: terminated('Error') }],
        },
      },
      restarts: [{ container: 'proxy', count: 2, reason: 'Error' }],
    },
    {
      name: 'two containers, one restarted',
      pod: podOf({ name: 'a', restartCount: 0 }, { name: 'b', restartCount: 1 }),
      restarts: [{ container: 'b', count: 1, reason: '_unknown' }],
    },
    { name: 'no pod', pod: null, restarts: [] },
    { name: 'no number', pod: one('3'), restarts: [] },
    { name: 'no such number', pod: one(Number.NaN), restarts: [] },
    { name: 'less than none', pod: one(-1), restarts: [] },
    { name: 'no list', pod: { status: { containerStatuses: 'x' } }, restarts: [] },
    { name: 'no containers in it', pod: podOf(null, 7), restarts: [] },
  ]
  for (const { name, pod, restarts } of cases) t.same(restartsOf(pod), restarts, name)
})
