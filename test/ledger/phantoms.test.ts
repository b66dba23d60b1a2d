import t from 'tap'
import { type Account, createAccounts, phantomKeyOf } from '../../src/ledger/accounts.js'
import { createPhantoms } from '../../src/ledger/phantoms.js'

const HOUR_MS = 3_600_000
const WEB_LABELS = {
  src_zone: 'a',
  src_namespace: 'shop',
  src_owner_kind: 'Deployment',
  src_owner_name: 'cart',
  dst_namespace: 'shop',
  dst_owner_kind: 'Deployment',
  dst_owner_name: 'web',
}

function setUp() {
  const time = { nowMs: 1_000_000 }
  const clock = { now: () => time.nowMs, monotonic: () => 0, sleep: async () => undefined }
  const accounts = createAccounts({ clock, onOwner: () => undefined })
  const owner = (name: string, zone = '') => accounts.ownerOf({ zone, namespace: 'shop', kind: 'Deployment', name })
  const accountTo = (name: string): Account => accounts.flow(phantomKeyOf(owner('cart', 'a'), owner(name)), 0)
  const phantoms = createPhantoms(clock)
  const routeTo = (account: Account) => ({ into: [accounts.book('posted'), account], via: [] })
  const note = (account: Account, endedMs: number | undefined, sinceMs: number | undefined) =>
    phantoms.note(routeTo(account), { endedMs, sinceMs })
  const windows = () => [...phantoms.windows(time.nowMs)].map(({ value }) => value)
  return { time, accounts, phantoms, accountTo, routeTo, note, windows }
}

t.test('the longest of the pods that ended within the last hour', async (t) => {
  const { time, phantoms, accountTo, note, windows } = setUp()
  const web = accountTo('web')
  t.same(windows(), [])
  note(web, 1_000_000, 1_005_000)
  t.same([...phantoms.windows(time.nowMs)], [{ labels: WEB_LABELS, value: 5 }])
  note(web, 1_000_000, 1_003_000)
  t.same(windows(), [5], 'a shorter one of the same time')
  note(web, 2_000_000, 2_012_000)
  note(accountTo('mail'), 2_000_000, 2_002_000)
  t.same(windows(), [12, 2], 'each owner has its own')
  time.nowMs = 2_000_000 + HOUR_MS
  t.same(windows(), [12, 2])
  time.nowMs += 300_000
  t.same(windows(), [], 'to five minutes')
})

t.test('a long one is over, and a short one is not', async (t) => {
  const { time, accountTo, note, windows } = setUp()
  const web = accountTo('web')
  note(web, 1_000_000, 1_060_000)
  note(web, 3_000_000, 3_004_000)
  t.same(windows(), [60])
  time.nowMs = 3_000_000 + HOUR_MS
  t.same(windows(), [4])
  note(web, time.nowMs, time.nowMs + 1_000)
  t.same(windows(), [4], 'what is over is forgotten by the next one, no more than that')
})

t.test('a series that is folded takes its window along', async (t) => {
  const { phantoms, accountTo, routeTo } = setUp()
  const [route, fold] = [routeTo(accountTo('web')), accountTo('_other')]
  phantoms.note(route, { endedMs: 1_000_000, sinceMs: 1_005_000 })
  route.into = [fold]
  t.same([...phantoms.windows(1_000_000)], [{ labels: fold.labels, value: 5 }])
})

t.test('what cannot be told', async (t) => {
  const { accounts, phantoms, accountTo, note, windows } = setUp()
  const web = accountTo('web')
  note(web, undefined, 1_005_000)
  note(web, 1_000_000, undefined)
  phantoms.note({ into: [accounts.book('pending')], via: [] }, { endedMs: 1_000_000, sinceMs: 1_005_000 })
  t.same(windows(), [])
  note(web, 1_000_000, 999_000)
  t.same(windows(), [0], 'by a clock that was set back')
  phantoms.note({ into: [accounts.book('pending')], via: [web] }, { endedMs: 1_000_000, sinceMs: 1_007_000 })
  t.same(windows(), [7], 'translated transit')
  web.withdrawn = true
  t.same(windows(), [], 'while its bytes are not served')
})
