// How a test file that needs a mesh runs: in a world, with a cluster and a mesh of its own.
import type t from 'tap'
import { type ClusterLab, createClusterLab } from '../cluster/agents.js'
import { worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { createMesh, MESH_PEERS, type Mesh, type MeshOptions } from './mesh.js'

/** `await meshTest(import.meta.url, async (t, mesh, lab) => { t.test(...) })`, once a file and at its end. */
export async function meshTest(
  url: string,
  body: (tap: typeof t, mesh: Mesh, lab: ClusterLab) => unknown,
  options: MeshOptions & { readonly timeoutMs?: number } = {},
): Promise<void> {
  await worldTest(
    url,
    async (t) => {
      const skip = reasonToSkip(MESH_PEERS)
      if (skip !== undefined) {
        t.test('in a mesh', { skip }, async () => undefined)
        return
      }
      const lab = await createClusterLab(t)
      await body(t, await createMesh(t, lab, options), lab)
    },
    { timeoutMs: options.timeoutMs ?? 300_000 },
  )
}
