import t from 'tap'
import { createHostNames, type Resolved } from '../../src/cluster/host-names.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

function setUp() {
  const [clock, log] = [createHandClock(), createKeptLog()]
  const answers = new Map<string, readonly Resolved[] | Error>()
  const asked: string[] = []
  const stopping = new AbortController()
  const hostNames = createHostNames(
    {
      clock,
      log,
      resource: 'services',
      async resolve(name) {
        asked.push(name)
        const answer = answers.get(name) ?? []
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    stopping.signal,
  )
  const told: string[] = []
  return {
    hostNames,
    answers,
    clock,
    said: () => log.lines,
    stopping,
    set: (key: string, ...names: string[]) =>
      hostNames.set(key, names, (addressesOf) => void told.push(`${key}: ${names.flatMap(addressesOf).join(' ')}`)),
    told: () => told.splice(0),
    asked: () => asked.splice(0),
  }
}
const at = (ttlSeconds: number, ...addresses: string[]): readonly Resolved[] => addresses.map((address) => ({ address, ttlSeconds }))

t.test('the addresses of a load balancer, as they change', async (t) => {
  const { set, answers, told, asked, clock } = setUp()
  answers.set('a.elb', at(60, '203.0.113.9', '203.0.113.5'))
  set('shop/web', 'a.elb')
  await settled()
  t.same(told(), ['shop/web: ', 'shop/web: 203.0.113.5 203.0.113.9'], 'the Service itself does not wait')
  clock.advance(59_999)
  await settled()
  t.same(asked(), ['a.elb'], 'asked for once, until its time is over')
  clock.advance(1)
  await settled()
  t.same([asked(), told()], [['a.elb'], []], 'the same answer is no news')
  answers.set('a.elb', at(60, '203.0.113.7'))
  clock.advance(60_000)
  await settled()
  t.same(told(), ['shop/web: 203.0.113.7'])
  answers.set('a.elb', new Error('SERVFAIL'))
  clock.advance(60_000)
  await settled()
  t.same(told(), [], 'what was resolved stands')
  t.same(clock.sleeping, [60_000], 'and it is tried again')
})

t.test('times that are too short or too long', async (t) => {
  for (const [ttl, waits] of [
    [0, 30_000],
    [86_400, 600_000],
  ] as const) {
    const { set, answers, clock } = setUp()
    answers.set('a.elb', at(ttl, '203.0.113.5'))
    set('shop/web', 'a.elb')
    await settled()
    t.same(clock.sleeping, [waits], `${ttl} s`)
  }
})

t.test('a name is asked for while somebody has it', async (t) => {
  const { set, hostNames, answers, told, asked, clock } = setUp()
  for (const name of ['a.elb', 'b.elb']) answers.set(name, at(60, name === 'a.elb' ? '203.0.113.5' : '203.0.113.6'))
  set('shop/web', 'a.elb')
  set('shop/api', 'a.elb')
  await settled()
  t.same(asked(), ['a.elb'], 'one question for two')
  t.same(told().sort(), ['shop/api: ', 'shop/api: 203.0.113.5', 'shop/web: ', 'shop/web: 203.0.113.5'])
  set('shop/web', 'b.elb')
  hostNames.remove('shop/api')
  await settled()
  t.same(told(), ['shop/web: ', 'shop/web: 203.0.113.6'])
  asked()
  clock.advance(60_000)
  await settled()
  t.same(asked(), ['b.elb'])
  hostNames.remove('shop/web')
  await settled()
  t.same(clock.sleeping, [])
})

t.test('no more than so many names, and none after the end', async (t) => {
  const { set, hostNames, answers, told, asked, said, stopping, clock } = setUp()
  const quiet = async (): Promise<void> => {
    for (let turn = 0; turn < 1_000; turn++) await settled()
  }
  for (let index = 0; index < 1_000; index++) set(`shop/${index}`, `${index}.elb`)
  await quiet()
  t.same([asked().length, said()], [1_000, []])
  for (const name of ['late.elb', 'later.elb', 'last.elb']) answers.set(name, at(60, '203.0.113.5'))
  set('shop/late', 'late.elb')
  set('shop/too', 'late.elb')
  set('shop/later', 'later.elb')
  set('shop/last', 'last.elb')
  await quiet()
  t.same(asked(), [])
  t.same(said(), [
    'warn too many host names: the addresses of further ones stay unknown {"limit":1000,"resource":"services","first":"late.elb"}',
  ])
  told()
  hostNames.remove('shop/later')
  hostNames.remove('shop/7')
  await settled()
  t.same([asked(), told()], [['late.elb'], ['shop/late: 203.0.113.5', 'shop/too: 203.0.113.5']], 'the next that waits takes its place')
  set('shop/8', '8.elb', 'never.elb')
  set('shop/9', 'last.elb')
  await settled()
  t.same(asked(), ['last.elb'])
  t.same(said().length, 1)
  stopping.abort(new Error('stopped'))
  await settled()
  t.same(clock.sleeping, [])
})
