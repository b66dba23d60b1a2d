// Logs of pods as the API server hands them on. Its client is made with the first that is asked for.
import type { ConnectionOptions } from '../cluster/connection.js'
import type { Config } from '../config/fields.js'
import type { Deps } from '../deps.js'
import type { KubeClient } from '../kube/client.js'
import type { ContainerName } from '../kube/pod-log.js'
import type { ApiPlace } from '../sources/container-logs/api-tail.js'

export interface PodLogs {
  placeOf(container: ContainerName): ApiPlace
  /** What is followed fails. */
  close(): Promise<void>
}

export interface PodLogsParts {
  readonly config: Pick<Config, 'kubernetes'>
  readonly environment: ConnectionOptions['environment']
}

/** There is no such pod; or no container of it, or not yet. */
const NOTHING_THERE = [404, 400]

export function createPodLogs({ config, environment }: PodLogsParts, deps: Pick<Deps, 'clock' | 'readFile'>): PodLogs {
  let opened: Promise<KubeClient> | undefined

  async function connect(signal: AbortSignal): Promise<KubeClient> {
    const [{ readAccess }, { createKubeClient }] = await Promise.all([import('../kube/access.js'), import('../kube/client.js')])
    const { namespace: _, ...access } = await readAccess({ environment, kubeconfig: config.kubernetes.kubeconfig }, deps, signal)
    return createKubeClient(access, deps)
  }

  function client(signal: AbortSignal): Promise<KubeClient> {
    opened ??= connect(signal).catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }

  return {
    placeOf: (container) => ({
      path: `pods/log of ${container.namespace}/${container.pod}`,
      async open(asked, signal) {
        const [{ openPodLog }, { KubeError }] = await Promise.all([import('../kube/pod-log.js'), import('../kube/kube-error.js')])
        try {
          return await openPodLog(await client(signal), container, asked, signal)
        } catch (error) {
          if (error instanceof KubeError && NOTHING_THERE.includes(error.status)) return undefined
          throw error
        }
      },
    }),
    async close() {
      await (await opened?.catch(() => undefined))?.close()
    },
  }
}
