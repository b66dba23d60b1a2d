import t from 'tap'
import type { ApiServer } from '../../src/agent/api-server.js'
import type { CoverageRecord } from '../../src/agent/coverage-record.js'
import type { DirectoryWatch } from '../../src/agent/directory-watch.js'
import { createDirectoryTeller } from '../../src/agent/teller.js'
import { createTenancies, type Tenancy } from '../../src/identity/tenancies.js'

const told = (address: string, node: string): Tenancy => ({
  address,
  key: address,
  tenant: {
    who: { zone: 'a', region: '', namespace: 'shop', kind: 'Deployment', name: 'cart', external: false },
    node,
    coverage: 'node',
  },
  fromMs: 1_000,
  untilMs: 9_000,
})

t.test("a directory's word of other nodes' pods is taken, of this node's own the API server's stands", async (t) => {
  const { signal } = new AbortController()
  const api = {
    readNode: async () => undefined,
    readLease: async () => undefined,
    following: { trouble: '' },
  } as unknown as ApiServer
  const balancer: Tenancy = { ...told('10.1.1.9', 'n1'), tenant: { ...told('', 'n1').tenant, coverage: 'never' } }
  const directory = {
    run: async () => undefined,
    take: () => ({
      tenancies: [told('10.1.1.2', 'n1'), told('10.1.2.2', 'n2'), balancer],
      ranges: undefined,
      zones: undefined,
      unheard: [],
    }),
    covers: undefined,
    trouble: '',
  } as unknown as DirectoryWatch
  const record = { isMissing: true, covering: undefined } as unknown as CoverageRecord
  const teller = createDirectoryTeller({ node: 'n1', patienceMs: 0, api, tenancies: createTenancies(), record }, directory, signal)
  t.same(
    teller.take().tenancies.map(({ address }) => address),
    ['10.1.2.2', '10.1.1.9'],
  )
})
