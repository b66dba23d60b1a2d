import type { Following } from '../cluster/following.js'
import { createSelf, type SelfParts } from '../exporters/self.js'
import { SELF } from '../exporters/self-families.js'
import type { Route } from '../http/router.js'
import { createMetricsRoute } from '../http/routes.js'
import type { Family, FamilySnapshot } from '../model.js'
import type { Desk } from './desk.js'
import type { Election } from './election.js'
import type { Endpoints } from './endpoints/endpoints.js'
import { DIRECTORY } from './families.js'

const SOURCE = 'kubernetes'
const ENDPOINT_SOURCE = 'endpoints'

export interface MetricsParts extends Omit<SelfParts, 'sources'> {
  readonly desk: Pick<Desk, 'sessions' | 'book'>
  readonly following: Pick<Following, 'trouble' | 'takeRejected'>
  readonly election: Pick<Election, 'holds' | 'trouble'>
  readonly endpoints: Pick<Endpoints, 'families'>
  readonly slices: Pick<Following, 'trouble' | 'takeRejected'>
}

export interface DirectoryFamilies {
  /** `zeroFirst`: new series are 0 for a while. What is counted once in a cluster is there for who has the Lease alone. */
  served(options?: { readonly zeroFirst?: boolean }): readonly FamilySnapshot[]
  self(): Promise<readonly FamilySnapshot[]>
}

export function createDirectoryFamilies({ desk, following, election, endpoints, slices, ...parts }: MetricsParts): DirectoryFamilies {
  const { sessions, book } = desk
  const self = createSelf({ ...parts, sources: [SOURCE, ENDPOINT_SOURCE] })
  const one = (family: Family, value: number): FamilySnapshot => ({ family, series: [{ labels: {}, value }] })

  const own = (): readonly FamilySnapshot[] => [
    one(DIRECTORY.sessions, sessions.size),
    one(DIRECTORY.addresses, book.known),
    one(DIRECTORY.asked, book.asked),
    one(DIRECTORY.lines, sessions.lines),
  ]
  return {
    served(options) {
      const { holds } = election
      return [...own(), one(DIRECTORY.leader, holds ? 1 : 0), ...(holds ? endpoints.families(options) : [])]
    },
    async self() {
      self.sourceRead(SOURCE, 0, following.trouble === '')
      self.rejected(SOURCE, following.takeRejected())
      self.sourceRead(ENDPOINT_SOURCE, 0, election.trouble === '' && slices.trouble === '')
      self.rejected(ENDPOINT_SOURCE, slices.takeRejected())
      // There is no state here.
      return (await self.families()).filter(({ family }) => family !== SELF.stateWritable)
    },
  }
}

export interface MetricsOptions {
  /** What the push to Datadog says of itself. */
  readonly pushed?: (() => readonly FamilySnapshot[]) | undefined
  /** OpenMetrics with `_created` samples. */
  readonly created?: boolean
}

export function createDirectoryMetrics({ served, self }: DirectoryFamilies, { pushed = () => [], created = false }: MetricsOptions): Route {
  return createMetricsRoute(
    {
      withSnapshot: (use) => use({ families: served() }),
      self: async () => [...(await self()), ...pushed()],
    },
    { created },
  )
}
