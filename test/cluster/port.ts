// Ports for servers that cannot be told to choose one.
import { once } from 'node:events'
import { createServer } from 'node:net'

/** How often another process may be faster in taking the port that was free. */
const ATTEMPTS = 3

/** Starts something on a port that nobody listens on, and on another one when it says that somebody does. */
export async function onFreePort<Started>(host: string, start: (port: number) => Promise<Started>) {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(host)
    try {
      return { started: await start(port), port }
    } catch (error) {
      if (attempt === ATTEMPTS || !String(error).includes('address already in use')) throw error
    }
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error(`no port on ${host}`)
  return address.port
}
