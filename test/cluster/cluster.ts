// A real API server with its own etcd, in a temporary folder and on free ports. Both end with this process, however it ends.
import { startApiServer } from './api-server.js'
import { writeAuditPolicy } from './audit.js'
import { type Client, createClient } from './client.js'
import { startEtcd } from './etcd.js'
import { createFolder } from './folder.js'

/** What suites with a cluster need of test/peers/table.js. */
export const CLUSTER_PEERS = ['etcd', 'kube-apiserver'] as const

export interface ClusterOptions {
  /** Where the API server listens. */
  readonly address?: string
  /** Further flags of kube-apiserver; the last of a kind wins. */
  readonly flags?: readonly string[]
  /** It writes down what ServiceAccounts ask for. */
  readonly audit?: boolean
}

export interface Cluster {
  readonly url: string
  /** A file with the authority of the API server's certificate. */
  readonly caFile: string
  /** May do everything, as all of the group system:masters. */
  readonly adminToken: string
  readonly admin: Client
  /** Of etcd and the API server that run now. */
  readonly pids: readonly number[]
  readonly folder: string
  /** As somebody else. */
  clientOf(token: string): Client
  /** kill -9 of the API server, then another one on the same etcd and port. It has no history: older watches answer 410, lists go on. */
  restart(): Promise<void>
  /** Throws away the history of etcd and, by a restart, of the API server: watches and lists that go on from before answer 410. */
  compact(): Promise<void>
  stop(): Promise<void>
}

export async function startCluster({ address = '127.0.0.1', flags = [], audit = false }: ClusterOptions = {}): Promise<Cluster> {
  const folder = await createFolder('meshtoll-cluster')
  const undo = [folder.remove]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const etcd = await startEtcd(folder.path)
    undo.push(() => etcd.server.stop())
    const auditing = audit ? await writeAuditPolicy(folder.path) : []
    const api = await startApiServer({ folder: folder.path, etcdUrl: etcd.url, address, flags: [...auditing, ...flags] })
    undo.push(() => api.server.stop())
    const { url, caFile, adminToken } = api
    const clientOf = (token: string): Client => {
      const client = createClient({ url, caFile, token })
      undo.push(async () => client.close())
      return client
    }
    return {
      url,
      caFile,
      adminToken,
      admin: clientOf(adminToken),
      folder: folder.path,
      get pids() {
        return [etcd.server.pid, api.server.pid]
      },
      clientOf,
      restart: api.restart,
      async compact() {
        await etcd.compact()
        // It would go on answering from memory what etcd has forgotten.
        await api.restart()
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
