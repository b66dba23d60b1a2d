// The way to a server from inside of nodes that are network namespaces: over their loopbacks, where nothing is counted.
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import type { Topology } from '../../src/lab/topology.js'

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

export interface Reached {
  /** On the loopback of each node. */
  readonly port: number
  readonly folder: string
  /** Of our own loopback: where the next connection goes. */
  readonly target: () => number
}

export interface Reach {
  close(): Promise<void>
}

export async function reachFrom(topology: Topology, nodes: readonly string[], { port, folder, target }: Reached): Promise<Reach> {
  const path = join(folder, `${port}.sock`)
  const server = createServer((near) => {
    const far = connect(target(), '127.0.0.1')
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const relays = nodes.map((node) => topology.start(node, [process.execPath, '-e', RELAY, String(port), path]))
  await Promise.all(relays.map((relay) => relay.waitFor(/listening/)))
  return {
    async close() {
      await Promise.all(relays.map((relay) => relay.stop('SIGKILL')))
      server.close()
      await rm(path, { force: true })
    },
  }
}
