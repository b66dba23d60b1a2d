// What an agent answers at /api/v1/snapshot, and how it is asked through a unix socket of the world.
import { request } from 'node:http'
import type { Books, Series } from '../../model.js'

export interface AgentSnapshot {
  readonly node: string
  /** When the kernel was read. */
  readonly at: string
  readonly ready: boolean
  readonly why: string
  readonly books: Books & { readonly difference: number }
  readonly sources: readonly { readonly name: string; readonly up: boolean; readonly readSeconds: number; readonly error: string }[]
  readonly series: Readonly<Record<string, readonly Series[]>>
}

const ANSWERS_WITHIN_MS = 10_000

export async function readSnapshot(socketPath: string, signal: AbortSignal): Promise<AgentSnapshot> {
  return JSON.parse(await get(socketPath, '/api/v1/snapshot', signal)) as AgentSnapshot
}

export function get(socketPath: string, path: string, signal: AbortSignal): Promise<string> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(ANSWERS_WITHIN_MS)])
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, signal: until, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.once('error', reject).once('end', () => {
        if (response.statusCode === 200) resolve(body)
        else reject(new Error(`${path}: ${response.statusCode} ${body.trim()}`))
      })
    })
    asking.once('error', reject).end()
  })
}

export const seriesOf = ({ series }: AgentSnapshot, family: string): readonly Series[] => series[family] ?? []

export const sumOf = (series: readonly Series[]): number => series.reduce((sum, { value }) => sum + value, 0)
