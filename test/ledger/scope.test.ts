import t from 'tap'
import { scopeOf } from '../../src/ledger/scope.js'
import type { Who } from '../../src/model.js'

const at = (zone: string, region: string): Who => ({ zone, region, namespace: '', kind: '', name: '', external: false })
const outside: Who = { ...at('', ''), external: true }

t.test('scopeOf', async (t) => {
  const cases = [
    { name: 'one zone', from: at('a', 'r1'), to: at('a', 'r1'), scope: 'same_zone' },
    { name: 'two zones of a region', from: at('a', 'r1'), to: at('b', 'r1'), scope: 'cross_zone' },
    { name: 'two regions', from: at('a', 'r1'), to: at('c', 'r2'), scope: 'cross_region' },
    { name: 'two regions that name their zones alike', from: at('a', 'r1'), to: at('a', 'r2'), scope: 'cross_region' },
    { name: 'two regions, zones not known', from: at('_unknown', 'r1'), to: at('_unknown', 'r2'), scope: 'cross_region' },
    { name: 'one zone, regions not known', from: at('a', ''), to: at('a', ''), scope: 'same_zone' },
    { name: 'two zones, one region not known', from: at('a', 'r1'), to: at('b', '_unknown'), scope: 'cross_zone' },
    { name: 'one region, the source zone not known', from: at('_unknown', 'r1'), to: at('a', 'r1'), scope: 'unknown' },
    { name: 'one region, the destination zone not known', from: at('a', 'r1'), to: at('', 'r1'), scope: 'unknown' },
    { name: 'nothing known', from: at('_unknown', '_unknown'), to: at('_unknown', '_unknown'), scope: 'unknown' },
    { name: 'to outside', from: at('a', 'r1'), to: outside, scope: 'to_external' },
    { name: 'from outside', from: outside, to: at('a', 'r1'), scope: 'from_external' },
    { name: 'to outside, the source not known', from: at('_unknown', ''), to: outside, scope: 'to_external' },
    { name: 'from outside, the destination not known', from: outside, to: at('_unknown', ''), scope: 'from_external' },
    { name: 'from outside to outside', from: outside, to: outside, scope: 'to_external' },
  ]
  for (const { name, from, to, scope } of cases) t.equal(scopeOf(from, to), scope, name)
})
