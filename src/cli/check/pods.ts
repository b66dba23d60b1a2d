// The pods of this node, and what each is to Istio.
import { PODS } from '../../cluster/objects.js'
import type { Config } from '../../config/fields.js'
import { within } from '../../deadline.js'
import type { Deps } from '../../deps.js'
import { meshRoleOf } from '../../identity/objects/mesh-role.js'
import { podFactsOf } from '../../identity/objects/pod.js'
import { createOwnPods, type OwnPods } from '../../identity/own-pods.js'
import { readAccess } from '../../kube/access.js'
import { createKubeClient, readJson } from '../../kube/client.js'

export interface OwnPodsHere {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
}

type ProbeDeps = Pick<Deps, 'clock' | 'readFile'>

const LISTED_WITHIN_MS = 5_000
const NOBODY = { kind: '', name: '' }

/** Rejects with one line where they cannot be listed. */
export async function readPods({ config, environment }: OwnPodsHere, deps: ProbeDeps, signal: AbortSignal): Promise<OwnPods> {
  const { name } = config.node
  const { kubeconfig } = config.kubernetes
  const { namespace: _, ...access } = await readAccess({ kubeconfig, environment }, deps, signal)
  const client = createKubeClient(access, deps)
  try {
    const list = await within(deps.clock, { ms: LISTED_WITHIN_MS, signal }, (limited) =>
      readJson(client, PODS, { query: { fieldSelector: `spec.nodeName=${name}` }, signal: limited }),
    )
    const pods = createOwnPods(name)
    for (const raw of (list as { readonly items?: readonly unknown[] }).items ?? []) {
      const pod = podFactsOf(raw)
      if (pod) pods.put(`${pod.namespace}/${pod.name}`, { ...pod, role: meshRoleOf(raw) }, NOBODY)
    }
    return pods
  } finally {
    await client.close()
  }
}
