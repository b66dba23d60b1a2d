// Pods on this node's network, by the cgroups that the kernel counts their sockets in.
import type { HostPod } from '../identity/host-pods.js'
import type { ChangingIdentity } from '../identity/identity.js'
import type { OwnPods } from '../identity/own-pods.js'
import { type CgroupDeps, type CgroupLevel, openPodCgroups, type PodCgroups } from '../kernel/cgroups.js'
import type { Readings } from '../model.js'

interface Parts {
  readonly identity: Pick<ChangingIdentity, 'update'>
  /** Undefined: there is no cluster, and so there are none. */
  readonly pods: Pick<OwnPods, 'live'> | undefined
}

/** Read like a source; what was found before stays in force. */
export interface HostPods {
  readonly name: string
  /** Undefined where cgroups cannot tell. */
  findCgroupLevel(): Promise<CgroupLevel | undefined>
  read(): Promise<Readings>
}

/** The kernel counts on in the sets of today for one that is long gone. */
const MOST_REMEMBERED = 10_000
const NOTHING: Readings = { readings: [], rejected: 0 }

export function createHostPods({ identity, pods }: Parts, deps: CgroupDeps): HostPods {
  let known: ReadonlyMap<string, HostPod> = new Map()
  let opened: Promise<PodCgroups | undefined> | undefined

  const open = (): Promise<PodCgroups | undefined> => {
    opened ??= pods ? openPodCgroups(deps) : Promise.resolve(undefined)
    return opened
  }

  function ownersByUid(): ReadonlyMap<string, HostPod> {
    const owners = new Map<string, HostPod>()
    for (const { nodeUid, namespace, owner, hostNetwork } of pods?.live() ?? [])
      if (hostNetwork) owners.set(nodeUid, { namespace, kind: owner.kind, name: owner.name })
    return owners
  }

  return {
    name: 'cgroups',
    findCgroupLevel: async () => (await open())?.level,
    async read() {
      const cgroups = await open()
      if (!cgroups) return NOTHING
      const owners = ownersByUid()
      const ids = await cgroups.ids(new Set(owners.keys()))
      const found = [...ids].flatMap(([id, uid]) => {
        const owner = owners.get(uid)
        return owner ? [[id, owner] as const] : []
      })
      if (found.every(([id, owner]) => isSame(known.get(id), owner))) return NOTHING
      known = new Map([...[...known].filter(([id]) => !ids.has(id)), ...found].slice(-MOST_REMEMBERED))
      await identity.update({ hostPods: known }, () => Promise.resolve())
      return NOTHING
    },
  }
}

const isSame = (one: HostPod | undefined, { namespace, kind, name }: HostPod): boolean =>
  one?.namespace === namespace && one.kind === kind && one.name === name
