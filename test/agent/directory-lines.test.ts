import t from 'tap'
import { parseDirectoryLine } from '../../src/agent/directory-lines.js'

const TENANCY = {
  address: '10.1.2.3',
  key: '9a4c',
  node: 'n7',
  coverage: 'node',
  zone: 'us-east-1b',
  region: 'us-east-1',
  namespace: 'shop',
  kind: 'Deployment',
  name: 'stock',
  fromMs: 1_763_719_200_000,
  untilMs: null,
}
const NOTHING = { session: '', instance: '', revision: undefined, tenancies: [], nodes: [], ranges: [], zones: undefined }

t.test('a line of the directory', async (t) => {
  const cases = [
    {
      name: 'the first',
      line: { session: '8c1f', instance: 'f3a0', revision: 41 },
      says: { ...NOTHING, session: '8c1f', instance: 'f3a0', revision: 41 },
    },
    { name: 'all is told', line: { revision: 42 }, says: { ...NOTHING, revision: 42 } },
    {
      name: 'nodes',
      line: {
        nodes: [
          { name: 'n7', covers: true },
          { name: 'n8', covers: false },
        ],
      },
      says: {
        ...NOTHING,
        nodes: [
          { name: 'n7', covers: true },
          { name: 'n8', covers: false },
        ],
      },
    },
    {
      name: 'ranges',
      line: { ranges: [{ cidr: '10.1.7.0/24', node: 'n7' }] },
      says: { ...NOTHING, ranges: [{ cidr: '10.1.7.0/24', node: 'n7' }] },
    },
    { name: 'zones', line: { zones: [{ zone: 'a', region: '' }] }, says: { ...NOTHING, zones: [{ zone: 'a', region: '_unknown' }] } },
    { name: 'of a later version', line: { weather: 'fine' }, says: NOTHING },
    {
      name: 'rows that are none',
      line: { tenancies: [7, null, { ...TENANCY, coverage: 'perhaps' }, { ...TENANCY, fromMs: 'now' }], nodes: 'all', ranges: [{}] },
      says: NOTHING,
    },
  ]
  for (const { name, line, says } of cases) t.same(parseDirectoryLine(JSON.stringify(line)), says, name)
  const [still, ended] = parseDirectoryLine(JSON.stringify({ tenancies: [TENANCY, { ...TENANCY, untilMs: 5, later: true }] })).tenancies
  t.same(still, {
    address: '10.1.2.3',
    key: '9a4c',
    tenant: {
      who: { zone: 'us-east-1b', region: 'us-east-1', namespace: 'shop', kind: 'Deployment', name: 'stock', external: false },
      node: 'n7',
      coverage: 'node',
    },
    fromMs: 1_763_719_200_000,
    untilMs: Number.POSITIVE_INFINITY,
  })
  t.equal(ended?.untilMs, 5)
  const internet = { ...TENANCY, coverage: 'outside', node: '', zone: '', region: '', kind: 'ServiceEntry', name: 'api', external: true }
  const [outside] = parseDirectoryLine(JSON.stringify({ tenancies: [internet] })).tenancies
  t.same(outside?.tenant, {
    who: { zone: '', region: '', namespace: 'shop', kind: 'ServiceEntry', name: 'api', external: true },
    node: '',
    coverage: 'outside',
  })
  for (const text of ['', '7', 'null', '{"revision":']) t.throws(() => parseDirectoryLine(text), SyntaxError, text)
})
