// How a test file that needs a cluster runs: against one of its own, or not at all, which it says.
import t from 'tap'
import { reasonToSkip } from '../peers/needed.js'
import { CLUSTER_PEERS, type Cluster, type ClusterOptions, startCluster } from './cluster.js'

export interface SuiteOptions extends ClusterOptions {
  /** Limit of the file and of each test in it. */
  readonly timeoutMs?: number
}

/** `await clusterTest(async (t, cluster) => { t.test(...) })`, once a file and at its end. */
export async function clusterTest(
  body: (tap: typeof t, cluster: Cluster) => unknown,
  { timeoutMs = 180_000, ...options }: SuiteOptions = {},
): Promise<void> {
  t.setTimeout(timeoutMs)
  const skip = reasonToSkip(CLUSTER_PEERS)
  if (skip !== undefined) {
    t.test('against a cluster', { skip }, async () => undefined)
    return
  }
  const cluster = await startCluster(options)
  t.teardown(() => cluster.stop())
  await body(t, cluster)
}
