/** As `fetch` is, but through that proxy; the whole of undici is loaded where there is one. */
export async function fetchThrough(proxy: URL | undefined): Promise<typeof globalThis.fetch> {
  if (!proxy) return globalThis.fetch
  const [{ Agent, fetch }, { createTunnel }] = await Promise.all([import('undici'), import('../../proxy/tunnel.js')])
  const dispatcher = new Agent({ connect: createTunnel(proxy, { timeoutMs: CONNECTS_WITHIN_MS }) })
  return ((url: string, options: object) => fetch(url, { ...options, dispatcher })) as typeof globalThis.fetch
}

const CONNECTS_WITHIN_MS = 20_000
