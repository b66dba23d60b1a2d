// An intake of Datadog that takes all there is at once, a program: it says how much that was.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerEach } from './asked.js'

export interface IntakeAnswer {
  readonly port: number
  readonly requests: number
  /** As they were sent, compressed. */
  readonly bytes: number
}

let requests = 0
let bytes = 0
const server = createServer(async (request, response) => {
  for await (const piece of request) bytes += (piece as Buffer).length
  requests++
  response.writeHead(202, { 'content-type': 'application/json' }).end('{"errors":[]}')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

await answerEach((): IntakeAnswer => ({ port: (server.address() as AddressInfo).port, requests, bytes }))
