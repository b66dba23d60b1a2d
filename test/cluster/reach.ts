// The way to an API server from inside of nodes that are network namespaces: over their loopbacks, where nothing is counted.
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import type { Topology } from '../../src/lab/topology.js'
import type { Cluster } from './cluster.js'

/** A socket of the file system is in no network namespace. */
const RELAY = `
  const { connect, createServer } = require('node:net')
  const [port, path] = process.argv.slice(1)
  createServer((near) => {
    const far = connect({ path })
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  }).listen(Number(port), '127.0.0.1', () => console.log('listening'))`

export interface Reach {
  close(): Promise<void>
}

/** On each of the nodes the API server answers at its own address from now on. */
export async function reachFrom(topology: Topology, nodes: readonly string[], { url, folder }: Cluster): Promise<Reach> {
  const port = new URL(url).port
  const path = join(folder, 'api.sock')
  const server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1')
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const relays = nodes.map((node) => topology.start(node, [process.execPath, '-e', RELAY, port, path]))
  await Promise.all(relays.map((relay) => relay.waitFor(/listening/)))
  return {
    async close() {
      await Promise.all(relays.map((relay) => relay.stop('SIGKILL')))
      server.close()
      await rm(path, { force: true })
    },
  }
}
