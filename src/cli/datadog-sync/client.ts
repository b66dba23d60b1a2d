// The client of Datadog: 140 MB on disk and half a second to load, so that only a sync does, and only where somebody installed it.
import type * as Common from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/index.js'
import type * as V1 from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/index.js'

export interface Client {
  readonly common: typeof Common
  readonly v1: typeof V1
}

export type LoadClient = () => Promise<Client>

/** Rejects with one line where it is not installed. */
export async function loadClient(): Promise<Client> {
  try {
    const [common, v1] = await Promise.all([
      import('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/index.js'),
      import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/index.js'),
    ])
    return { common, v1 }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@datadog/datadog-api-client')) throw error
    throw new Error('meshtoll datadog sync needs the client of Datadog; npm install @datadog/datadog-api-client')
  }
}
