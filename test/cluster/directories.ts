// Two replicas of the directory, behind one port on each node's loopback, as a Service would have it.
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { createAuthority, createCertificate } from '../http/certificates.js'
import { eventually } from '../lab/world.js'
import { allow, createServiceAccount, createToken } from './access.js'
import type { ClusterLab } from './agents.js'
import { writeKubeconfig } from './kubeconfig.js'
import { reachFrom } from './reach.js'
import { startServer } from './server.js'

const MAIN = join(process.env['MESHTOLL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url)), 'main.js')
const PORT = 10_043
const NAMESPACE = 'meshtoll'
const DIRECTORY = { namespace: NAMESPACE, name: 'meshtoll-directory' }

export interface Directories {
  /** Of meshtoll.yaml of an agent: `kubernetes.directory`. */
  readonly options: Readonly<Record<string, string>>
  /** kill -9 of one; the next connection goes to the other, and it comes back after `ms`. */
  kill(replica: number, ms: number): Promise<void>
  log(replica: number): Promise<string>
}

/** What a directory may. */
const EVERYWHERE = [
  { apiGroups: [''], resources: ['pods', 'nodes', 'services'], verbs: ['list', 'watch'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
]
const OWN = [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['list', 'watch'] }]
/** What an agent may that has a directory, beside what it may without. */
const AGENT_EVERYWHERE = [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]
const AGENT_OWN = [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] }]

export async function startDirectories(t: Test, { topology, cluster }: ClusterLab): Promise<Directories> {
  const { admin, folder } = cluster
  await createServiceAccount(admin, DIRECTORY)
  await allow(admin, { name: 'meshtoll-directory', rules: EVERYWHERE, serviceAccount: DIRECTORY })
  await allow(admin, { name: 'meshtoll-directory', namespace: NAMESPACE, rules: OWN, serviceAccount: DIRECTORY })
  const agent = { namespace: NAMESPACE, name: 'meshtoll-agent' }
  await allow(admin, { name: 'meshtoll-agent-asks', rules: AGENT_EVERYWHERE, serviceAccount: agent })
  await allow(admin, { name: 'meshtoll-agent-asks', namespace: NAMESPACE, rules: AGENT_OWN, serviceAccount: agent })

  const tokenFile = join(folder, 'agent.token')
  await writeFile(tokenFile, await createToken(admin, { ...agent, audience: 'meshtoll' }))
  const token = await createToken(admin, DIRECTORY)
  const kubeconfig = await writeKubeconfig(cluster, { token, namespace: NAMESPACE, name: 'directory.kubeconfig' })
  const authority = createAuthority(folder, 'authority')
  const { certFile, keyFile } = createCertificate(folder, 'directory', authority)
  const web = join(folder, 'directory.web.yaml')
  await writeFile(web, JSON.stringify({ tls_server_config: { cert_file: certFile, key_file: keyFile } }))
  const config = join(folder, 'directory.yaml')
  await writeFile(config, JSON.stringify({ kubernetes: { kubeconfig } }))

  const logFile = (replica: number): string => join(folder, `directory-${replica}.log`)
  async function start(replica: number, port: number) {
    const flags = [`--config.file=${config}`, `--web.config.file=${web}`, `--web.listen-address=127.0.0.1:${port}`]
    const server = startServer([process.execPath, MAIN, 'directory', ...flags], logFile(replica))
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
  }
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
