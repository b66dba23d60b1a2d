// The files that one log is in, oldest first. A kubelet (pkg/kubelet/logs) names them by how often the container was started; it rotates by
// renaming, and packs all but the youngest of those that it renamed:
//   0.log.20261121-054512.gz  0.log.20261121-061003  0.log  1.log
// Elsewhere a log is one file, and what logrotate makes of it: istiod.log.1, istiod.log
import type { OfPod } from '../../model.js'

export interface LogPlace {
  readonly folder: string
  /** The names that are of this log, in the order they were written. */
  inOrder(names: readonly string[]): readonly string[]
}

/** Where a kubelet keeps them. */
export const PODS = '/var/log/pods'
const PACKED = '.gz'
const OF_POD = /^(\d+)\.log(?:\.(\d{8}-\d{6}))?(?:\.gz)?$/

export const containerLog = ({ namespace, name, uid }: OfPod, container: string): LogPlace =>
  podLog(`${PODS}/${namespace}_${name}_${uid}/${container}`)

export function podLog(folder: string): LogPlace {
  return {
    folder,
    inOrder: (names) =>
      names
        .flatMap((name) => {
          const [found, started = '', rotated = '~'] = OF_POD.exec(name) ?? []
          // Packed, and not removed yet: one file, twice.
          const isTwin = isPacked(name) && names.includes(name.slice(0, -PACKED.length))
          return found === undefined || isTwin ? [] : [{ name, started: Number(started), rotated }]
        })
        .sort((a, b) => a.started - b.started || (a.rotated < b.rotated ? -1 : 1))
        .map(({ name }) => name),
  }
}

export function fileLog(path: string): LogPlace {
  const at = path.lastIndexOf('/')
  const name = path.slice(at + 1)
  return {
    folder: path.slice(0, at) || '/',
    inOrder: (names) => [`${name}.1`, name].filter((one) => names.includes(one)),
  }
}

export const isPacked = (name: string): boolean => name.endsWith(PACKED)
