// A program as `meshtoll demo` is one: enters a world by running itself, serves something there, ends when told to.
import { type Exit, nodeCommand, startIn } from '../../src/lab/program.js'
import { publish } from '../../src/lab/relay.js'
import { createTopology } from '../../src/lab/topology.js'
import { enterWorld, isInWorld } from '../../src/lab/world.js'
import { THREE_ZONES } from './three-zones.js'

const SERVER = `require('http').createServer((_, answer) => answer.end('hello from n1')).listen(10042, '127.0.0.1', () => console.log('listening'))`

async function inside(): Promise<void> {
  const topology = await createTopology(THREE_ZONES)
  const server = startIn('n1', [process.execPath, '-e', SERVER])
  await server.waitFor(/listening/)
  const port = await publish({ path: await topology.peer('n1').relay({ port: 10042 }) })
  process.once('SIGTERM', () => {
    void server.stop().then(async ({ signal }: Exit) => {
      await topology.close()
      process.stdout.write(`stopped by ${signal}\n`)
      process.exit(7)
    })
  })
  process.stdout.write(`${JSON.stringify({ port, uid: process.getuid?.() })}\n`)
}

if (isInWorld()) await inside()
else process.exitCode = await enterWorld([...nodeCommand(process.argv[1] ?? ''), ...process.argv.slice(2)])
