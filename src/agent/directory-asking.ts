// Tells the directory which addresses are of interest from now on, and which are no more.
import type { KubeClient } from '../kube/client.js'
import { isNotFound } from '../kube/kube-error.js'

export interface Wish {
  readonly session: string
  readonly add: readonly string[]
  readonly drop: readonly string[]
}

export interface DirectoryAsking {
  /** `wish`: asked anew for each attempt. */
  tell(wish: () => Wish, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const MOST_TRIES = 12

/** `connect`: by a connection of its own, since a watch holds the other. */
export function createDirectoryAsking(connect: () => KubeClient): DirectoryAsking {
  let client = connect()

  async function post(body: Wish, signal: AbortSignal): Promise<void> {
    const response = await client.request('/v1/addresses', { method: 'POST', body, gzip: true, signal })
    for await (const _ of response.body);
  }

  return {
    /** The other replica does not know the session: each new connection may lead to the one that does. */
    async tell(wish, signal) {
      for (let tries = 1; ; tries++) {
        try {
          return await post(wish(), signal)
        } catch (error) {
          if (!isNotFound(error) || tries === MOST_TRIES) throw error
        }
        await client.close()
        client = connect()
      }
    },
    close: () => client.close(),
  }
}
