// Asks over HTTP what is in another network namespace, by a socket of the file system (Peer.relay).
import { request } from 'node:http'
import { parseSamples } from '../../src/formats/prometheus-samples.js'
import type { Topology } from '../../src/lab/topology.js'

/** `GET` of a path of one port in there; any other status than 200 is an error. */
export type Ask = (path: string) => Promise<string>

const WITHIN_MS = 5_000

export async function askAt(topology: Topology, namespace: string, port: number): Promise<Ask> {
  const socketPath = await topology.peer(namespace).relay({ port })
  return (path) =>
    new Promise((resolve, reject) => {
      const asked = request({ socketPath, path, agent: false, timeout: WITHIN_MS }, async (response) => {
        const chunks: Buffer[] = []
        response.once('error', reject)
        for await (const chunk of response) chunks.push(chunk)
        const text = Buffer.concat(chunks).toString()
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`${namespace}:${port}${path}: ${response.statusCode} ${text}`))
      })
      asked.once('timeout', () => asked.destroy(new Error(`${namespace}:${port}${path}: no answer within ${WITHIN_MS} ms`)))
      asked.once('error', reject).end()
    })
}

/** The sum of all series of this name with these labels; 0 where there is none, as of a counter that nobody has raised yet. */
export function sumOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const { samples } = parseSamples(text, (one) => one === name)
  const isWanted = (has: Readonly<Record<string, string>>): boolean =>
    Object.entries(labels).every(([label, value]) => has[label] === value)
  return samples.filter((sample) => isWanted(sample.labels)).reduce((sum, { value }) => sum + value, 0)
}
