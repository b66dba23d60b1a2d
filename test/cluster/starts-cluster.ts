// A program that has a cluster and would keep it: says which, then waits to be killed.
import { startCluster } from './cluster.js'

const { pids, folder, url } = await startCluster()
process.stdout.write(`${JSON.stringify({ pids, folder, url })}\n`)
await new Promise(() => undefined)
