// Which addresses live behind this node, as the kernel routes them: for those that nobody tells of.
import type { Rtnetlink } from '../kernel/rtnetlink.js'

export interface Behind {
  /** Looks at the devices anew, before a reading. Without netlink nothing is behind us. */
  look(): void
  /** One word for IPv4, four for IPv6. */
  isBehindUs(address: readonly number[]): boolean
}

/** What network plug-ins put between a node and its pods. */
const TO_PODS = new Set(['veth', 'bridge', 'netkit'])

export function createBehind(rtnetlink: Pick<Rtnetlink, 'links' | 'defaultRouteDevices' | 'deviceTo'>): Behind {
  let devices: ReadonlySet<number> | undefined

  function devicesToPods(): ReadonlySet<number> {
    const uplinks = rtnetlink.defaultRouteDevices()
    return new Set(rtnetlink.links().flatMap(({ index, kind }) => (TO_PODS.has(kind) && !uplinks.includes(index) ? [index] : [])))
  }

  return {
    look() {
      devices = undefined
    },
    isBehindUs(address) {
      try {
        devices ??= devicesToPods()
        const device = rtnetlink.deviceTo(address)
        return device !== undefined && devices.has(device)
      } catch {
        return false
      }
    },
  }
}
