// Which cgroups (version 2) are of which pod, as the kubelet names them below its root. By systemd or by itself:
//   kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_22.slice/cri-containerd-3c4d.scope
//   kubepods/burstable/pod0a1b-22/3c4d
// Those of class Guaranteed are one level higher: kubepods.slice/kubepods-pod0a1b_22.slice. A cgroup's id is the inode of its folder.
import type { Deps } from '../deps.js'

/** Of pods, and of containers of Guaranteed pods; as seen from within a container that is itself deeper, of containers. */
export interface CgroupLevel {
  /** Below the root of our own cgroup namespace, as rules count it (nft_socket_cgroup_subtree_level). */
  readonly relative: number
  /** Below the host's root: what such a rule means, whoever wrote it. */
  readonly absolute: number
}

export interface PodCgroups {
  readonly level: CgroupLevel
  /** Uids of these pods by the ids of their cgroups, and of those below them: of containers, and where a runtime (crun) puts what runs in them. */
  ids(pods: ReadonlySet<string>): Promise<ReadonlyMap<string, string>>
}

export type CgroupDeps = Pick<Deps, 'readFile' | 'listFolders' | 'inodeOf'>

interface Tree {
  readonly path: string
  /** Of our own cgroup below its root. */
  readonly ownDepth: number
}

interface Kubepods {
  readonly path: string
  readonly depth: number
}

const MOUNTS = '/proc/self/mountinfo'
/** Behind the separator: type, device, options. */
const MOUNT = /^\S+ \S+ \S+ (\S+) (\S+) .* - cgroup2 /
const KUBEPODS = /(?:^|-)kubepods(?:\.slice)?$/
const QOS_CLASS = /(?:^|-)(?:burstable|besteffort)(?:\.slice)?$/
const POD = /(?:^|-)pod([0-9A-Za-z_-]+?)(?:\.slice)?$/
const PARENT = '/..'

/** Undefined: the host's cgroups are not to be seen here, or no kubelet has any among them. */
export async function openPodCgroups(deps: CgroupDeps): Promise<PodCgroups | undefined> {
  const tree = treeOf(await deps.readFile(MOUNTS).catch(() => ''))
  const kubepods = tree && (await findKubepods(deps, tree.path))
  if (!kubepods) return undefined
  const found = new Map<string, string>()

  async function look(pods: ReadonlySet<string>): Promise<void> {
    for (const [pod, path] of found) if (!pods.has(pod) || !(await exists(deps, path))) found.delete(pod)
    if ([...pods].every((pod) => found.has(pod))) return
    for await (const [pod, path] of podFolders(deps, kubepods?.path ?? '')) if (pods.has(pod)) found.set(pod, path)
  }

  return {
    level: levelFrom(kubepods.depth + 2, tree.ownDepth),
    async ids(pods) {
      await look(pods)
      const ids = new Map<string, string>()
      for (const [pod, path] of found) {
        const containers = await foldersIn(deps, path)
        const folders = [path, ...containers, ...(await Promise.all(containers.map((folder) => foldersIn(deps, folder)))).flat()]
        for (const id of await Promise.all(folders.map((folder) => deps.inodeOf(folder).catch(() => undefined)))) if (id) ids.set(id, pod)
      }
      return ids
    },
  }
}

/** No rule reaches above who writes it. */
function levelFrom(wanted: number, ownDepth: number): CgroupLevel {
  const relative = Math.max(wanted - ownDepth, 0)
  return { relative, absolute: ownDepth + relative }
}

/** Of what lies outside of our cgroup namespace a mount says how far up it begins: `/../../..` (cgroup_show_path). The one that shows most. */
function treeOf(mounts: string): Tree | undefined {
  const trees = mounts.split('\n').flatMap((line) => {
    const [, root = '', path = ''] = MOUNT.exec(line) ?? []
    const above = root === '/' ? '' : root
    return above.replaceAll(PARENT, '') === '' && path !== '' ? [{ path, ownDepth: above.length / PARENT.length }] : []
  })
  return trees.sort((one, other) => other.ownDepth - one.ownDepth)[0]
}

/** At the root, or below the kubelet's own (`--cgroup-root`). */
async function findKubepods(deps: CgroupDeps, root: string): Promise<Kubepods | undefined> {
  const first = await foldersIn(deps, root)
  const at = first.find((path) => KUBEPODS.test(path.slice(root.length + 1)))
  if (at !== undefined) return { path: at, depth: 1 }
  for (const folder of first) {
    const path = (await foldersIn(deps, folder)).find((below) => KUBEPODS.test(below.slice(folder.length + 1)))
    if (path !== undefined) return { path, depth: 2 }
  }
  return undefined
}

async function* podFolders(deps: CgroupDeps, root: string): AsyncGenerator<readonly [pod: string, path: string]> {
  const top = await foldersIn(deps, root)
  const classes = top.filter((path) => QOS_CLASS.test(nameOf(path)))
  const folders = [...top, ...(await Promise.all(classes.map((path) => foldersIn(deps, path)))).flat()]
  for (const path of folders) {
    const pod = podOf(nameOf(path))
    if (pod !== undefined) yield [pod, path]
  }
}

/** The uid of the pod that a cgroup of this name is of, as its node knows it. */
export const podOf = (name: string): string | undefined => POD.exec(name)?.[1]?.replaceAll('_', '-')

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** A cgroup may go at any time. */
async function foldersIn({ listFolders }: CgroupDeps, path: string): Promise<readonly string[]> {
  const names = await listFolders(path).catch(() => [])
  return names.map((name) => `${path}/${name}`)
}

const exists = ({ inodeOf }: CgroupDeps, path: string): Promise<boolean> =>
  inodeOf(path).then(
    () => true,
    () => false,
  )
