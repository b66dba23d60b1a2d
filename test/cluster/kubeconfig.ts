// The file by which a program acts as somebody.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from './cluster.js'

export interface KubeconfigGiven {
  readonly token: string
  /** Of the context. */
  readonly namespace: string
  /** Of the file, in the cluster's folder. */
  readonly name?: string
}

/** Answers with its path. */
export async function writeKubeconfig(
  { url, caFile, folder }: Pick<Cluster, 'url' | 'caFile' | 'folder'>,
  { token, namespace, name = 'kubeconfig' }: KubeconfigGiven,
): Promise<string> {
  const path = join(folder, name)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: 'agent', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'agent', namespace } }],
    'current-context': 'lab',
  }
  await writeFile(path, JSON.stringify(config))
  return path
}
