// Reads a URL when asked, a program: so that the reader's work is not that of the process that is measured.
import { Agent, request } from 'node:http'
import { answerEach } from './asked.js'

export interface Got {
  readonly status: number
  readonly bytes: number
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

await answerEach(
  ({ url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> }) =>
    new Promise<Got>((resolve, reject) => {
      const asked = request(url, { agent, headers }, (response) => {
        let bytes = 0
        response.on('data', (piece: Buffer) => {
          bytes += piece.length
        })
        response.once('error', reject).once('end', () => resolve({ status: response.statusCode ?? 0, bytes }))
      })
      asked.once('error', reject).end()
    }),
)
