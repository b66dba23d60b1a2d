// A container of a pod, as a kubelet would have it made from the image: its own root, read-only, with the volumes of the pod in it; its user, capabilities,
// environment and limit of memory. Call it inside a world (src/lab/world.ts); what lies below the program and Node is this machine's own /usr.
import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Program } from '../../src/lab/program.js'
import type { Topology } from '../../src/lab/topology.js'
import type { NewObject } from '../cluster/resource.js'
import type { Image } from './image.js'
import { createMemoryLimit, type MemoryLimit } from './memory-limit.js'

export interface Container {
  readonly command?: readonly string[]
  readonly args: readonly string[]
  readonly env: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } }
  }[]
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean
    readonly readOnlyRootFilesystem: boolean
    readonly capabilities: { readonly add?: readonly string[] }
  }
  readonly resources: { readonly requests: { readonly memory: string }; readonly limits: { readonly memory: string } }
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
}

export interface PodSpec {
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number }
  readonly initContainers?: readonly [Container]
  readonly containers: readonly [Container]
  readonly volumes?: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[]
}

export interface Pod {
  readonly spec: PodSpec
  /** Starts one of its containers; with `argv` something else in the same surroundings, as kubectl exec does. */
  start(container: Container, argv?: readonly string[]): Program
  /** Of memory; undefined where this machine does not let us set one. */
  readonly limit: MemoryLimit | undefined
  /** Kills what was started and runs still. */
  close(): Promise<void>
}

export interface PodParts {
  readonly topology: Topology
  readonly image: Image
  /** What the chart renders. */
  readonly objects: readonly NewObject[]
  /** What is known of the pod once it is on a node, by the names of the variables. */
  readonly fields: Readonly<Record<string, string>>
  /** What the kubelet adds of the cluster: the Service of the API server, and a folder with the token of the ServiceAccount. */
  readonly inCluster?: { readonly environment: Readonly<Record<string, string>>; readonly account: string }
}

export const mebibytesOf = (quantity: string): number => {
  const [, mebibytes] = /^(\d+)Mi$/.exec(quantity) ?? []
  if (mebibytes === undefined) throw new Error(`this knows Mi only: ${quantity}`)
  return Number(mebibytes)
}

/** Who made the world as an ordinary user has no other uid in it. */
export const hasAllUsers = (): boolean => Number(readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2]) > 65_532

export function podSpecOf(objects: readonly NewObject[]): PodSpec {
  const made = objects.find(({ kind }) => kind === 'DaemonSet' || kind === 'Job')
  if (!made) throw new Error('there is nothing that makes pods')
  return (made as NewObject & { readonly spec: { readonly template: { readonly spec: PodSpec } } }).spec.template.spec
}

// $1 the root, $2 the image's files, $3 their place in it, $4 Node, $5 a file to write our process id to; then volumes as `source place options`, until
// `--`. /usr and its libraries are the base image's part.
const ENTER = `set -e
root=$1 app=$2 workdir=$3 node=$4 procs=$5; shift 5
[ -z "$procs" ] || echo $$ >"$procs"
place() { mkdir -p "$root$2"; mount --rbind "$1" "$root$2"; [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"; }
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root"
place /usr /usr ro
for folder in bin sbin lib lib64; do
  if [ -L "/$folder" ]; then cp -P "/$folder" "$root/"; elif [ -d "/$folder" ]; then place "/$folder" "/$folder" ro; fi
done
place "$app" "$workdir" ro
place /sys /sys rw
place /proc /proc rw
mkdir -p "$root/dev" "$root/tmp" "$root/node"
for device in null zero urandom; do : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
: >"$root/node/node"; mount --bind "$node" "$root/node/node"
while [ "$1" != -- ]; do place "$1" "$2" "$3"; shift 3; done
shift
mount -o remount,ro "$root"
exec chroot "$root" "$@"`

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

export async function createPod({ topology, image, objects, fields, inCluster }: PodParts): Promise<Pod> {
  const spec = podSpecOf(objects)
  const folder = await mkdtemp('/run/lab/pod-')
  await chmod(folder, 0o755)
  const sources = await prepareVolumes(folder, spec, objects)
  const root = join(folder, 'root')
  await mkdir(root)
  const { memory } = spec.containers[0].resources.limits
  const limit = createMemoryLimit(`meshtoll-${process.pid}-${folder.slice(-6)}`, mebibytesOf(memory) * 2 ** 20)

  const started: Program[] = []
  const start = (container: Container, argv?: readonly string[]): Program => {
    const place = (arg: string) => arg.replaceAll(/\$\((\w+)\)/g, (_, name) => fields[name] ?? '')
    const given = Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? fields[name] ?? '']))
    const env = Object.entries({ ...inCluster?.environment, ...given }).map(([name, value]) => `${name}=${value}`)
    const volumes = (container.volumeMounts ?? []).flatMap(({ name, mountPath, readOnly }) => [
      sources.get(name) ?? '',
      mountPath,
      readOnly ? 'ro' : 'rw',
    ])
    if (inCluster) volumes.push(inCluster.account, ACCOUNT, 'ro')
    const command = ['env', '-i', `--chdir=${image.workdir}`, 'PATH=/node:/usr/bin:/usr/sbin', 'NODE_ENV=production', ...env]
    const program = [
      ...privileges(spec, container),
      ...command,
      ...(argv ?? [...(container.command ?? image.entrypoint), ...container.args.map(place)]),
    ]
    const parts = [root, image.folder, image.workdir, process.execPath, limit?.procs ?? '', ...volumes, '--', ...program]
    const one = topology.start(fields['NODE_NAME'] ?? '', ['unshare', '--mount', 'sh', '-c', ENTER, 'enter', ...parts])
    started.push(one)
    return one
  }
  const close = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.stop('SIGKILL')))
    limit?.remove()
  }
  return { spec, start, limit, close }
}

/** Of each volume the folder on this machine, by its name: what the ConfigMap holds, an empty one, or the node's own where there is one. */
async function prepareVolumes(
  folder: string,
  { volumes = [] }: PodSpec,
  objects: readonly NewObject[],
): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>()
  for (const { name, hostPath } of volumes) {
    const path = hostPath?.path.startsWith('/sys') ? hostPath.path : join(folder, name)
    sources.set(name, path)
    if (path === hostPath?.path) continue
    await mkdir(path)
    await chmod(path, 0o777)
  }
  const { data = {} } = (objects.find(({ kind }) => kind === 'ConfigMap') ?? {}) as { readonly data?: Readonly<Record<string, string>> }
  for (const [name, text] of Object.entries(data)) await writeFile(join(sources.get('config') ?? '', name), text)
  return sources
}

function privileges({ securityContext: { runAsUser, runAsGroup } }: PodSpec, { securityContext }: Container): readonly string[] {
  const { allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem } = securityContext
  if (allowPrivilegeEscalation || !readOnlyRootFilesystem) throw new Error('the chart gives more than this takes away')
  const kept = ['-all', ...(capabilities.add ?? []).map((name) => `+${name.toLowerCase()}`)].join(',')
  const user = runAsUser === 0 || !hasAllUsers() ? [] : [`--reuid=${runAsUser}`, `--regid=${runAsGroup}`, '--clear-groups']
  return ['setpriv', '--no-new-privs', `--bounding-set=${kept}`, `--inh-caps=${kept}`, ...user, '--']
}
