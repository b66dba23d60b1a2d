// Two replicas of the directory as the chart has them, behind one port on each node's loopback, as a Service would have it.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { parse, stringify } from 'yaml'
import { readDirectoryAccess } from '../deploy/access.js'
import { objectOf } from '../deploy/helm.js'
import { readManifest } from '../deploy/manifests.js'
import { createAuthority, createCertificate, type Pair } from '../http/certificates.js'
import { eventually } from '../lab/world.js'
import { createToken } from './access.js'
import type { ClusterLab } from './agents.js'
import { writeKubeconfig } from './kubeconfig.js'
import { reachFrom } from './reach.js'
import { create, type NewObject } from './resource.js'
import { startServer } from './server.js'

const MAIN = join(process.env['MESHTOLL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url)), 'main.js')
const PORT = 10_043
export interface Directories {
  /** Of meshtoll.yaml of an agent: `kubernetes.directory`. */
  readonly options: Readonly<Record<string, string>>
  /** kill -9 of one; the next connection goes to the other, and it comes back after `ms`. */
  kill(replica: number, ms: number): Promise<void>
  log(replica: number): Promise<string>
  /** Of each replica on our own loopback. */
  readonly ports: readonly number[]
}

export async function startDirectories(t: Test, { topology, cluster }: ClusterLab): Promise<Directories> {
  const { admin, folder } = cluster
  const { account, objects } = await readDirectoryAccess()
  const { namespace } = account
  for (const object of objects) await create(admin, object)
  const tokenFile = join(folder, 'agent.token')
  await writeFile(tokenFile, await createToken(admin, { namespace, name: 'meshtoll-agent', audience: 'meshtoll' }))
  const token = await createToken(admin, account)
  const kubeconfig = await writeKubeconfig(cluster, { token, namespace, name: 'directory.kubeconfig' })
  const authority = createAuthority(folder, 'authority')
  const certificate = createCertificate(folder, 'directory', authority)
  const args = await mountDirectory(join(folder, 'directory'), { kubeconfig, certificate })

  const logFile = (replica: number): string => join(folder, `directory-${replica}.log`)
  async function start(replica: number, port: number) {
    const listening = args.map((arg) => arg.replace(/(?<=--web.listen-address=).*/, `127.0.0.1:${port}`))
    const server = startServer([process.execPath, MAIN, ...listening], logFile(replica))
    await server.ready(async () => (await readFile(logFile(replica), 'utf8')).includes('agents are answered'))
    return server
  }

  const ports = await Promise.all([freePort(), freePort()])
  const replicas = await Promise.all(ports.map((port, replica) => start(replica, port)))
  const isUp = [true, true]
  let turn = 0
  t.teardown(() => Promise.all(replicas.map((server) => server.stop())))
  const target = (): number => {
    turn++
    const next = isUp[turn % 2] ? turn % 2 : (turn + 1) % 2
    return ports[next] as number
  }
  const nodes = topology.spec.nodes.map(({ name }) => name)
  const reach = await reachFrom(topology, nodes, { port: PORT, folder, target })
  t.teardown(() => reach.close())
  return {
    options: { url: `https://127.0.0.1:${PORT}`, caFile: authority.certFile, tokenFile },
    async kill(replica, ms) {
      isUp[replica] = false
      await replicas[replica]?.stop()
      await new Promise((resolve) => setTimeout(resolve, ms))
      replicas[replica] = await start(replica, ports[replica] as number)
      isUp[replica] = true
    },
    log: (replica) => readFile(logFile(replica), 'utf8'),
    ports,
  }
}

/** Its container's arguments, and what it finds in its volume, by `folder`; only to the API server it comes by a kubeconfig. */
async function mountDirectory(folder: string, { kubeconfig, certificate }: { readonly kubeconfig: string; readonly certificate: Pair }) {
  const objects = await readManifest('full-directory')
  const { name } = (await readDirectoryAccess()).account
  const { data } = objectOf(objects, 'ConfigMap', name) as NewObject & { readonly data: Readonly<Record<string, string>> }
  const config = { ...parse(data['meshtoll.yaml'] ?? ''), kubernetes: { kubeconfig } }
  const files = { ...data, 'meshtoll.yaml': stringify(config), 'tls.crt': certificate.cert, 'tls.key': certificate.key }
  await mkdir(folder)
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
  const { template } = objectOf(objects, 'Deployment')['spec'] as { readonly template: { readonly spec: PodSpec } }
  const [{ args }] = template.spec.containers
  return args.map((arg) => arg.replace('/etc/meshtoll', folder))
}

interface PodSpec {
  readonly containers: readonly [{ readonly args: readonly string[] }]
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

export const untilCovering = (logs: () => readonly string[]): Promise<true> =>
  eventually('all cover their pods', () => (logs().every((log) => /covers its pods/.test(log)) ? true : undefined), 40_000)
