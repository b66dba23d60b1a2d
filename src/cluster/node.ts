// One Node of the API server.
import { type NodeFacts, nodeFactsOf } from '../identity/objects/node.js'
import { type KubeClient, readJson } from '../kube/client.js'
import { isNotFound, KubeError } from '../kube/kube-error.js'
import type { RawNode } from './daemon-nodes.js'
import { NODES } from './objects.js'

const FORBIDDEN = 403

/** Undefined where there is none. */
export async function readNode(client: KubeClient, name: string, signal: AbortSignal): Promise<NodeFacts | undefined> {
  const raw = await readRawNode(client, name, signal)
  return raw && nodeFactsOf(raw)
}

/** The whole of it. Who may list Nodes may not always get one: then it is asked for by a list of one. */
export async function readRawNode(client: KubeClient, name: string, signal: AbortSignal): Promise<RawNode | undefined> {
  try {
    return (await readJson(client, `${NODES}/${name}`, { signal })) as RawNode
  } catch (error) {
    if (isNotFound(error)) return undefined
    if (!(error instanceof KubeError && error.status === FORBIDDEN)) throw error
    return readListed(client, name, { refusal: error, signal })
  }
}

async function readListed(
  client: KubeClient,
  name: string,
  { refusal, signal }: { readonly refusal: Error; readonly signal: AbortSignal },
): Promise<RawNode | undefined> {
  const query = { fieldSelector: `metadata.name=${name}` }
  // Whoever may not list either is told of the smaller rule.
  const list = await readJson(client, NODES, { query, signal }).catch(() => Promise.reject(refusal))
  const [node] = (list as { readonly items?: readonly RawNode[] | null }).items ?? []
  return node
}
