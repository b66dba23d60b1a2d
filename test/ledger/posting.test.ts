import t from 'tap'
import { bookOf, isMulticast } from '../../src/ledger/posting.js'
import type { Known, Placement } from '../../src/model.js'
import { UNKNOWN } from './identity-model.js'

type Local = Placement['local']

const placement = (local: Local, covered: Placement['covered']) => ({ who: UNKNOWN, local, covered })

/** Rows: is the source local, is it covered; columns: is the destination local. */
const HERE = { yes: 'posted', joining: 'posted', no: 'posted', unknown: 'pending' }
const JOINING = { yes: 'handover', joining: 'handover', no: 'handover', unknown: 'pending' }
const ELSEWHERE = { yes: 'elsewhere', joining: 'elsewhere', no: 'elsewhere', unknown: 'elsewhere' }
const JOINING_ELSEWHERE = { ...ELSEWHERE, yes: 'handover', joining: 'handover', no: 'handover', unknown: 'handover' }
const PENDING = { yes: 'pending', joining: 'pending', no: 'pending', unknown: 'pending' }
const TABLE: readonly (readonly [Local, Placement['covered'], Record<Local, string>])[] = [
  ['yes', 'yes', HERE],
  ['yes', 'no', HERE],
  ['yes', 'unknown', HERE],
  ['joining', 'yes', JOINING],
  ['joining', 'no', JOINING],
  ['joining', 'unknown', JOINING],
  ['no', 'yes', ELSEWHERE],
  ['no', 'perhaps', JOINING_ELSEWHERE],
  ['no', 'no', { yes: 'posted', joining: 'posted', no: 'transit', unknown: 'pending' }],
  ['no', 'unknown', PENDING],
  ['unknown', 'yes', ELSEWHERE],
  ['unknown', 'no', PENDING],
  ['unknown', 'unknown', PENDING],
]

t.test('bookOf', async (t) => {
  const answers: readonly Known[] = ['yes', 'no', 'unknown']
  for (const [local, covered, books] of TABLE)
    for (const answer of [...answers, 'joining'] as const)
      for (const other of answers)
        t.equal(
          bookOf(placement(local, covered), placement(answer, other)),
          books[answer],
          `source local ${local}, covered ${covered}; destination local ${answer}, covered ${other}`,
        )
})

t.test('isMulticast', async (t) => {
  const cases = [
    { name: 'the first', address: '224.0.0.0', is: true },
    { name: 'the last', address: '239.255.255.255', is: true },
    { name: 'just below', address: '223.255.255.255', is: false },
    { name: 'reserved, but some clouds give it to pods', address: '240.0.0.1', is: false },
    { name: 'limited broadcast', address: '255.255.255.255', is: true },
    { name: 'beside limited broadcast', address: '255.255.255.254', is: false },
    { name: 'IPv6, all nodes', address: 'ff02::1', is: true },
    { name: 'IPv6, global', address: 'ff0e::1', is: true },
    { name: 'IPv6, unicast', address: '2001:db8::ff02', is: false },
    { name: 'IPv6, link-local', address: 'fe80::1', is: false },
    { name: 'IPv6, a short first group', address: 'ff::1', is: false },
  ]
  for (const { name, address, is } of cases) t.equal(isMulticast(address), is, name)
})
