// Endpoints as a directory counts them, whose API server says what the test says: slices as words, `a b- c~` for ready, unready and leaving.
import { createEndpoints, type Slices } from '../../../src/directory/endpoints/endpoints.js'
import type { SliceFacts, State } from '../../../src/directory/endpoints/slice.js'
import type { PodFacts } from '../../../src/identity/objects/pod.js'
import { createHandClock, type HandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'

export interface Counted {
  readonly clock: HandClock
  /** Of namespace shop. `key`: of the slice. */
  slice(key: string, service: string, endpoints: string): void
  removeSlice(key: string): void
  /** The list is whole. */
  told(): Promise<void>
  /** Containers by their restarts: `main 2 Error`. */
  pod(name: string, uid: string, ...containers: readonly string[]): void
  removePod(name: string): void
  begin(): void
  end(): void
  /** Since the last time: `cart added 2 ready 1`, `cart restarted Error 1`. */
  take(): readonly string[]
  /** As it is served. */
  readonly families: number
  /** Whether it follows. */
  readonly isFollowing: boolean
}

const NAMESPACE = 'shop'
const SERIES = { limit: 10, causes: 100, idleMs: 3_600_000, zeroFirstMs: 0, created: false }

export function startCounted({ limit = SERIES.limit } = {}): Counted {
  const clock = createHandClock()
  let slices: Slices | undefined
  let resolveTold: () => void = () => undefined
  const endpoints = createEndpoints(
    {
      series: { ...SERIES, limit },
      share: (uid) => uid,
      follow(into, signal) {
        slices = into
        signal.addEventListener('abort', () => {
          if (slices === into) slices = undefined
        })
        return new Promise((resolve, reject) => {
          resolveTold = resolve
          signal.addEventListener('abort', () => reject(signal.reason))
        })
      },
    },
    { clock, log: createKeptLog() },
  )
  let before = new Map<string, number>()
  endpoints.term.begin()

  return {
    clock,
    slice: (key, service, words) => slices?.put(`${NAMESPACE}/${key}`, sliceOf(service, words)),
    removeSlice: (key) => slices?.remove(`${NAMESPACE}/${key}`),
    async told() {
      resolveTold()
      await new Promise((resolve) => setImmediate(resolve))
    },
    pod(name, uid, ...containers) {
      const restarts = containers.map((text) => {
        const [container = '', count, reason = ''] = text.split(' ')
        return { container, count: Number(count), reason }
      })
      endpoints.restarts.put(`${NAMESPACE}/${name}`, { namespace: NAMESPACE, name, uid } as PodFacts, restarts)
    },
    removePod: (name) => endpoints.restarts.remove(`${NAMESPACE}/${name}`),
    begin: endpoints.term.begin,
    end: endpoints.term.end,
    take() {
      const now = new Map(
        endpoints.families().flatMap(({ series }) =>
          [...series].map(({ labels: { service_namespace, service_name, ...more }, value }) => {
            const name = service_namespace === NAMESPACE ? service_name : `${service_namespace}/${service_name}`
            const what = 'reason' in more ? `restarted ${more['reason']}` : String(more['change'])
            return [`${name} ${what}`, value] as const
          }),
        ),
      )
      const grown = [...now].map(([what, value]) => [what, value - (before.get(what) ?? 0)] as const)
      before = now
      return grown.filter(([, times]) => times !== 0).map(([what, times]) => `${what} ${times}`)
    },
    get families() {
      return endpoints.families().length
    },
    get isFollowing() {
      return slices !== undefined
    },
  }
}

function sliceOf(service: string, text: string): SliceFacts {
  const words = text.split(' ').filter(Boolean)
  const idsIn = (state: State): readonly string[] =>
    words.filter((word) => stateOf(word) === state).map((word) => word.replace(/[-~]$/, ''))
  return { namespace: NAMESPACE, service, ready: idsIn('ready'), unready: idsIn('unready'), leaving: idsIn('leaving') }
}

function stateOf(word: string): State {
  if (word.endsWith('~')) return 'leaving'
  return word.endsWith('-') ? 'unready' : 'ready'
}
