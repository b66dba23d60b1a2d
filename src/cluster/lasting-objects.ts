// What has addresses for as long as it is there, some of them behind host names: each kind of it as data, all of them followed alike.
import type { Clock, Log } from '../deps.js'
import { parseAddress } from '../identity/address.js'
import { type AddressesOf, tenanciesOfService, tenanciesOfServiceEntry, tenanciesOfWorkloadEntry } from '../identity/lasting-tenancies.js'
import { type ServiceFacts, serviceFactsOf } from '../identity/objects/service.js'
import { type ServiceEntryFacts, serviceEntryFactsOf } from '../identity/objects/service-entry.js'
import { type WorkloadEntryFacts, workloadEntryFactsOf } from '../identity/objects/workload-entry.js'
import { createClassify } from '../identity/special-ranges.js'
import type { Tenancies, Tenancy } from '../identity/tenancies.js'
import type { CustomResource } from '../kube/follow-custom.js'
import type { Prune } from '../kube/known.js'
import type { Following } from './following.js'
import { createHostNames, type ResolveHost } from './host-names.js'

export interface LastingParts {
  readonly following: Following
  readonly tenancies: Tenancies
  readonly resolve: ResolveHost
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
}

interface Kind<T> {
  /** What its keys begin with. */
  readonly prefix: string
  /** A path where every API server has it. */
  readonly from: string | CustomResource
  readonly prune: Prune<T>
  hostNamesOf(object: T): readonly string[]
  tenanciesOf(object: T, addressesOf: AddressesOf): readonly Tenancy[]
}

export const SERVICES = '/api/v1/services'
// Istio has had v1 since 1.22.
const istio = (resource: string): CustomResource => ({ group: 'networking.istio.io', versions: ['v1', 'v1beta1'], resource })
const SERVICE_ENTRIES = istio('serviceentries')
const WORKLOAD_ENTRIES = istio('workloadentries')
/** Followed where there are any. */
export const ISTIO_RESOURCES: readonly CustomResource[] = [SERVICE_ENTRIES, WORKLOAD_ENTRIES]

const SERVICE: Kind<ServiceFacts> = {
  prefix: 'service',
  from: SERVICES,
  prune: serviceFactsOf,
  hostNamesOf: ({ loadBalancerHostnames }) => loadBalancerHostnames,
  tenanciesOf: tenanciesOfService,
}

const WORKLOAD_ENTRY: Kind<WorkloadEntryFacts> = {
  prefix: 'workloadentry',
  from: WORKLOAD_ENTRIES,
  prune: workloadEntryFactsOf,
  hostNamesOf: ({ endpoint }) => (endpoint?.hostName ? [endpoint.hostName] : []),
  tenanciesOf: tenanciesOfWorkloadEntry,
}

function createServiceEntry(): Kind<ServiceEntryFacts> {
  const classify = createClassify()
  const isGlobal = (text: string): boolean => {
    const address = parseAddress(text)
    return address !== undefined && classify(address) === 'global'
  }
  return {
    prefix: 'serviceentry',
    from: SERVICE_ENTRIES,
    prune: serviceEntryFactsOf,
    hostNamesOf: ({ endpoints }) => endpoints.flatMap(({ hostName }) => hostName || []),
    tenanciesOf: (entry, addressesOf) => tenanciesOfServiceEntry(entry, { addressesOf, isGlobal }),
  }
}

/** Resolves once all of it has been told; goes on in the background until aborted. */
export async function followLasting(parts: LastingParts, signal: AbortSignal): Promise<void> {
  await Promise.all([
    followKind(SERVICE, parts, signal),
    followKind(createServiceEntry(), parts, signal),
    followKind(WORKLOAD_ENTRY, parts, signal),
  ])
}

/** Each is told of with what its host names stand for, as far as that is known. */
function followKind<T>(kind: Kind<T>, { following, tenancies, resolve, clock, log }: LastingParts, signal: AbortSignal): Promise<void> {
  const { prefix, from, prune, hostNamesOf, tenanciesOf } = kind
  // Of its own, so that no kind takes the places of another's names.
  const hostNames = createHostNames({ resolve, clock, log, resource: typeof from === 'string' ? 'services' : from.resource }, signal)
  const objects = {
    prune,
    put(key: string, object: T): void {
      hostNames.set(key, hostNamesOf(object), (addressesOf) =>
        tenancies.putLasting(`${prefix}/${key}`, tenanciesOf(object, addressesOf), clock.now()),
      )
    },
    remove(key: string): void {
      hostNames.remove(key)
      tenancies.removeLasting(`${prefix}/${key}`, clock.now())
    },
  }
  return typeof from === 'string'
    ? following.follow({ path: from, ...objects }, signal)
    : following.followCustom({ resource: from, ...objects }, signal)
}
