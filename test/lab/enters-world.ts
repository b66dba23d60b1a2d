// A program as `meshtoll demo` is one: enters a world by running itself, serves something there, ends when told to.
import { nodeCommand, type Program, startIn } from '../../src/lab/program.js'
import { publish } from '../../src/lab/relay.js'
import { createTopology, type Topology } from '../../src/lab/topology.js'
import { enterWorld, isInWorld } from '../../src/lab/world.js'
import { THREE_ZONES } from './three-zones.js'

const SERVER = `require('http').createServer((_, answer) => answer.end('hello from n1')).listen(10042, '127.0.0.1', () => console.log('listening'))`

async function inside(): Promise<void> {
  const topology = await createTopology(THREE_ZONES)
  const server = startIn('n1', [process.execPath, '-e', SERVER])
  await server.waitFor(/listening/)
  const port = await publish({ path: await topology.peer('n1').relay({ port: 10042 }) })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void end(signal, server, topology))
  }
  process.stdout.write(`${JSON.stringify({ port, uid: process.getuid?.() })}\n`)
}

/** Takes a moment, which the world has to grant. */
async function end(signal: string, server: Program, topology: Topology): Promise<void> {
  await server.stop()
  await topology.close()
  process.stdout.write(`stopped on ${signal}\n`)
  process.exit(7)
}

if (isInWorld()) await inside()
else process.exitCode = await enterWorld([...nodeCommand(process.argv[1] ?? ''), ...process.argv.slice(2)])
