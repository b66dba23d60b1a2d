// A directory behind a real server, in this process, whose API server says what the test says.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Leases } from '../../src/cluster/leases.js'
import { defaultConfig } from '../../src/config/config.js'
import type { Config } from '../../src/config/fields.js'
import type { ApiServer } from '../../src/directory/api-server.js'
import { openDirectory } from '../../src/directory/directory.js'
import { createServer } from '../../src/http/server.js'
import type { Tenancies } from '../../src/identity/tenancies.js'
import { KEY } from '../datadog/judge.js'
import { createKeptLog } from '../kube/kept-log.js'

const CLOCK = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal): Promise<void> => sleep(ms, undefined, signal && { signal }),
}

export const TOKEN = 'system:serviceaccount:meshtoll:meshtoll-agent'

export interface Given {
  /** Default: the token is the user. */
  readonly review?: ApiServer['review']
  /** All there is; resolves when it has been told. */
  readonly tell?: (tenancies: Tenancies, leases: Leases) => void | Promise<void>
  /** Why changes are not heard of. */
  readonly trouble?: () => string
  /** Default: nobody has the Lease, and nobody gets it soon. */
  readonly lease?: ApiServer['lease']
  readonly followSlices?: ApiServer['followSlices']
  readonly datadog?: Partial<Config['datadog']>
  readonly hostName?: string
}

/** Whatever of it is read is put `into`. */
function recording<T extends object>(values: T, into: Set<string>, before = ''): T {
  return new Proxy(values, {
    get(target, name) {
      const [value, path] = [Reflect.get(target, name), `${before}${String(name)}`]
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return recording(value, into, `${path}.`)
      into.add(path.replace(/Ms$/, ''))
      return value
    },
  })
}

const NO_LEASE: ApiServer['lease'] = {
  read: async () => undefined,
  write: async (holding) => ({ ...holding, resourceVersion: '1', metadata: {} }),
}

export async function serveDirectory(t: Test, given: Given = {}) {
  const { review = async (token) => token, tell = () => undefined, trouble = () => '' } = given
  const config = defaultConfig('n0')
  const stopping = new AbortController()
  const log = createKeptLog()
  let told: Tenancies | undefined
  let saidLeases: Leases | undefined
  let mayEnd: () => boolean = () => false
  let isTold: () => void = () => undefined
  const allTold = new Promise<void>((resolve) => {
    isTold = resolve
  })
  const api: ApiServer = {
    namespace: 'meshtoll',
    review,
    async followObjects(tenancies) {
      told = tenancies
      await tell(tenancies, saidLeases ?? { put: () => undefined, remove: () => undefined })
      isTold()
    },
    async followLeases(leases) {
      saidLeases = leases
    },
    async endAbandonedLeases(asked) {
      mayEnd = asked
    },
    lease: given.lease ?? NO_LEASE,
    followSlices: given.followSlices ?? (async () => undefined),
    slices: { trouble: '', takeRejected: () => 0 },
    following: {
      follow: () => Promise.resolve(),
      followCustom: () => Promise.resolve(),
      takeRejected: () => 0,
      get trouble() {
        return trouble()
      },
    },
    close: async () => undefined,
  }
  const optionsRead = new Set<string>()
  const directory = await openDirectory(
    {
      config: recording({ ...config, datadog: { ...config.datadog, ...given.datadog } }, optionsRead),
      environment: { DD_API_KEY: KEY },
      hostName: given.hostName ?? 'directory-0',
      version: '0',
      nodeVersion: 'v20',
      openApiServer: async () => api,
    },
    {
      clock: CLOCK,
      log,
      random: () => crypto.randomUUID(),
      readFile: () => Promise.reject(new Error('no files here')),
      cpuUsage: () => process.cpuUsage(),
    },
    stopping.signal,
  )
  const server = await createServer({ routes: directory.routes, listenAddress: { host: '127.0.0.1', port: 0 }, log })
  const running = directory.run()
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('stopped'))
    await running
    await server.close(AbortSignal.timeout(300))
  }
  t.teardown(stop)
  return {
    url: server.url,
    log: log.lines,
    stop,
    allTold,
    /** By their paths, as the file has them. */
    optionsRead,
    /** Whether it would end the Leases of nodes without an agent. */
    mayEndLeases: () => mayEnd(),
    get tenancies(): Tenancies {
      if (!told) throw new Error('it does not follow yet')
      return told
    },
  }
}
