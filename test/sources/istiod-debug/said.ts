// What an istiod says, written down as it writes it, and an HTTP that says it in pieces.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Http } from '../../../src/sources/istiod-debug/source.js'

const captureOf = (name: string): Promise<string> => readFile(join(import.meta.dirname, `../../fixtures/istio/debug-${name}.json`), 'utf8')

/** Of three proxies that all reject a listener. */
export const CAPTURED: Said = { syncz: await captureOf('syncz'), connections: await captureOf('connections') }

export interface Said {
  readonly syncz: string
  readonly connections: string
}

export interface Told {
  readonly proxy: string
  readonly type?: string
  readonly address?: string
  readonly connectedAt?: string
  /** By type URL. */
  readonly resources?: Readonly<Record<string, object>>
  /** As before 1.23. */
  readonly older?: Readonly<Record<string, string>>
}

export const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
export const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'

export const say = (told: readonly Told[]): Said => ({
  syncz: JSON.stringify(
    told.map(({ proxy, type = 'sidecar', resources, older }) => ({
      cluster_id: 'Kubernetes',
      proxy,
      proxy_type: type,
      istio_version: '1.31.0',
      ...older,
      ...(older ? {} : { resources: resources ?? {} }),
    })),
  ),
  connections: JSON.stringify({
    totalClients: told.length,
    clients: told.map(({ proxy, address = '10.1.0.2', connectedAt = '2026-11-21T05:45:19.429636566Z' }, i) => ({
      connectionId: `${proxy}-${i + 1}`,
      connectedAt,
      address: `${address}:48078`,
    })),
  }),
})

/** `answer`: of a URL, with the token that was shown; an Error is what it rejects with, undefined never comes. */
export function createHttp(answer: (url: URL, token: string | undefined) => string | Error | undefined, pieceLength = 1_000): Http {
  return {
    leave: () => undefined,
    close: async () => undefined,
    async read(url, read, _, { token } = {}) {
      const said = answer(new URL(url), token)
      if (said instanceof Error) throw said
      if (said === undefined) await new Promise(() => undefined)
      return read(piecesOf(said ?? '', pieceLength))
    },
  }
}

async function* piecesOf(text: string, length: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length)
}

export const partOf = ({ pathname }: URL): keyof Said => (pathname === '/debug/connections' ? 'connections' : 'syncz')
