// A server of /metrics that has a series of every family there is.
import t from 'tap'
import { catalogue } from '../../src/catalogue.js'
import { createSelf } from '../../src/exporters/self.js'
import { families as selfFamilies } from '../../src/exporters/self-families.js'
import { createRoutes } from '../../src/http/routes.js'
import type { Served } from '../../src/http/served.js'
import { createServer } from '../../src/http/server.js'
import type { Family, FamilySnapshot } from '../../src/model.js'
import { BOOKS, STATUS } from './served.js'

/** One series, with every label that the family declares. */
const sampleOf = (family: Family): FamilySnapshot => ({
  family,
  series: [{ labels: Object.fromEntries(family.labels.map((label) => [label, `a ${label}`])), value: 2 ** 52 + 1 }],
})

export async function serveCatalogue() {
  const self = createSelf({ version: '0.1.0', nodeVersion: 'v20.0.0', sources: ['flows'], cpuUsage: () => ({ user: 1, system: 1 }) })
  const families = catalogue.filter((family) => !selfFamilies.includes(family)).map(sampleOf)
  const agent: Served = { withSnapshot: (use) => use({ atMs: 0, books: BOOKS, families }), self: () => self.families(), status: STATUS }
  const log = { warn: t.comment, error: t.comment }
  return createServer({ routes: createRoutes({ agent, log, version: '0.1.0' }), listenAddress: { host: '127.0.0.1', port: 0 }, log })
}
