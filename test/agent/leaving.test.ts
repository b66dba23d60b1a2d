import t from 'tap'
import type { Cluster } from '../../src/agent/cluster.js'
import { sayFarewell } from '../../src/agent/farewell.js'
import { createLeaving } from '../../src/agent/leaving.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

const yes = async (): Promise<boolean> => true
const no = async (): Promise<boolean> => false
const fail = (message: string) => async (): Promise<never> => {
  throw new Error(message)
}

interface Given {
  readonly isLast?: Cluster['isLast']
  readonly withdraw?: () => Promise<void>
  readonly finish?: () => Promise<boolean>
  readonly isCounting?: boolean
  readonly isInCluster?: boolean
}

function setUp({ isLast = no, withdraw, finish = yes, isCounting = true, isInCluster = true }: Given) {
  const steps: string[] = []
  const noted =
    <T>(step: string, then: () => Promise<T>) =>
    (): Promise<T> => {
      steps.push(step)
      return then()
    }
  const nothing = async (): Promise<void> => undefined
  const cluster = { isLast, retire: noted('retire', nothing), withdraw: noted('withdraw', withdraw ?? nothing) } as unknown as Cluster
  const clock = createHandClock()
  const leaving = createLeaving(
    {
      cluster: isInCluster ? cluster : undefined,
      isCounting: () => isCounting,
      read: noted('read', nothing),
      finish: noted('finish', finish),
      uninstall: noted('uninstall', nothing),
    },
    { clock },
  )
  return { clock, leaving, steps }
}

t.test('what an agent that was stopped does', async (t) => {
  const removing = ['retire', 'read', 'withdraw', 'finish', 'uninstall']
  const stays = { isRemoved: false, why: '' }
  const cases = [
    { name: 'another comes after it', given: {}, steps: ['finish'], ending: stays },
    { name: 'none comes after it', given: { isLast: yes }, steps: removing, ending: { isRemoved: true, why: '' } },
    { name: 'nobody knows', given: { isLast: fail('refused') }, steps: ['finish'], ending: { isRemoved: false, why: 'refused' } },
    { name: 'it counts nothing', given: { isLast: yes, isCounting: false }, steps: ['finish'], ending: stays },
    { name: 'without a cluster', given: { isInCluster: false }, steps: ['finish'], ending: stays },
    {
      name: 'its Lease stays',
      given: { isLast: yes, withdraw: fail('no way') },
      steps: ['retire', 'read', 'withdraw', 'finish'],
      ending: { isRemoved: false, why: 'no way' },
    },
  ]
  for (const { name, given, steps: wanted, ending } of cases) {
    const { leaving, steps } = setUp(given)
    t.same(await leaving.end(), ending, name)
    t.same(steps, wanted, name)
  }
})

t.test('what cannot be written is not removed', async (t) => {
  const { leaving, steps } = setUp({ isLast: yes, finish: no })
  t.match(await leaving.end(), { isRemoved: false, why: /could not be read or written down/ })
  t.notOk(steps.includes('uninstall'))
})

t.test('an API server that does not answer is not waited for long', async (t) => {
  const hanging = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const { clock, leaving, steps } = setUp({ isLast: hanging })
  const ending = leaving.end()
  await clock.untilSleeping(3_000)
  clock.advance(3_000)
  t.same(await ending, { isRemoved: false, why: 'not done within 3 s' })
  t.same(steps, ['finish'])
})

t.test('its last line', async (t) => {
  const left = { table: 'meshtoll', counts: true, isWritten: true, isRemoved: false, why: '' }
  const cases = [
    { left, line: /^info stopped; the kernel table stays and counts on, so that the next start loses nothing/ },
    { left: { ...left, counts: false }, line: /^info stopped$|^info stopped / },
    { left: { ...left, isRemoved: true }, line: /^info stopped; the kernel table is removed, since no agent comes after this one/ },
    { left: { ...left, why: 'refused' }, line: /^warn stopped; .*: where no agent comes after this one, remove it.*remove_with.*refused/ },
    { left: { ...left, isWritten: false, why: 'refused' }, line: /^warn stopped; .* the state could not be written/ },
  ]
  for (const { left: one, line } of cases) {
    const log = createKeptLog()
    sayFarewell(log, one)
    t.match(log.lines[0], line)
  }
})
