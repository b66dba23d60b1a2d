/** As `fetch` is, but through that proxy; the whole of undici is loaded where there is one. */
export async function fetchThrough(proxy: URL | undefined): Promise<typeof globalThis.fetch> {
  if (!proxy) return globalThis.fetch
  const [{ Agent, buildConnector, fetch }, { openTunnel, placeOf }] = await Promise.all([import('undici'), import('../../proxy/tunnel.js')])
  const secure = buildConnector({ timeout: CONNECTS_WITHIN_MS })
  const dispatcher = new Agent({
    connect: (target, callback) => {
      openTunnel(proxy, placeOf(target), CONNECTS_WITHIN_MS).then(
        (socket) => (target.protocol === 'https:' ? secure({ ...target, httpSocket: socket }, callback) : callback(null, socket)),
        (error: Error) => callback(error, null),
      )
    },
  })
  return ((url: string, options: object) => fetch(url, { ...options, dispatcher })) as typeof globalThis.fetch
}

const CONNECTS_WITHIN_MS = 20_000
