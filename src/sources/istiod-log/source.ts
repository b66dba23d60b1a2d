// istiod's log, from the files that a kubelet keeps of it or through the API server: which resources made it push, and what it sent. See formats/istiod-log.ts for its
// lines.
// Needs /var/log/pods, and to be the user that may read it; or to be allowed to get pods/log. Absent where there is no istiod on this node.
// All lines are counted. Of those that tell of a push or of endpoints 5,000 are looked into at each read, 300 a second with the usual interval,
// where an istiod writes ten at most; of those that tell what a proxy was sent 50,000, so that they leave the others their room. Further ones are
// counted as sampled out. Several logs share both.
import { once } from 'node:events'
import { SENDING, TELLING } from '../../formats/istiod-log.js'
import type { Source, TotalReading } from '../../model.js'
import { createFollowing, type FollowingDeps, type LineCounts, type LogTarget, type ReadLog } from '../container-logs/following.js'
import { PODS } from '../container-logs/segments.js'
import { createCauses } from './causes.js'
import { families, logLines, pushEvents, sampledOut } from './families.js'

interface Parts {
  /** All there are now. */
  readonly logs: () => Iterable<LogTarget>
  /** Whether those of pods come through the API server. */
  readonly isOverApi?: boolean
}

interface Counts extends LineCounts {
  events: number
  sampledOut: number
}

const [MAX_TELLING, MAX_SENDING] = [5_000, 50_000]
const WANTED = [...TELLING, SENDING]

export function createIstiodLog({ logs, isOverApi = false }: Parts, deps: FollowingDeps): Source {
  const name = 'istiod-log'
  const causes = createCauses()
  /** Each has the same share: any pod can call itself an istiod. */
  const share = { telling: MAX_TELLING, sending: MAX_SENDING }
  let left = new WeakMap<Counts, { telling: number; sending: number }>()

  function takes(counts: Counts, words: string): boolean {
    const own = left.get(counts) ?? { ...share }
    left.set(counts, own)
    const isLeft = own[words === SENDING ? 'sending' : 'telling']-- > 0
    if (!isLeft) counts.sampledOut++
    return isLeft
  }

  function readerOf(counts: Counts): (text: string) => void {
    const { line } = causes.ofLog((events) => {
      counts.events += events
    })
    return line
  }

  const begin = (startedMs: number): Counts => ({ startedMs, lines: 0, events: 0, sampledOut: 0 })
  const following = createFollowing<Counts>({ source: name, logs, wanted: WANTED, takes, begin, reader: readerOf }, deps)

  return {
    name,
    families,
    needs: [isOverApi ? { kind: 'rule', resource: 'pods/log', verb: 'get' } : { kind: 'file', path: PODS }],
    resume: following.resume,
    async run(signal) {
      if (!signal.aborted) await once(signal, 'abort')
      await following.close()
    },
    async read(signal) {
      const count = Math.max(1, [...logs()].length)
      share.telling = Math.floor(MAX_TELLING / count)
      share.sending = Math.floor(MAX_SENDING / count)
      left = new WeakMap()
      const read = await following.read(signal)
      const { events, rejected } = causes.take()
      return { readings: [...read.logs.flatMap((one) => [...totalsOf(one)]), ...events, ...read.marks()], rejected }
    },
  }
}

function* totalsOf({ target: { name, pod, labels }, counts }: ReadLog<Counts>): Generator<TotalReading> {
  const { startedMs, lines, events, sampledOut: left } = counts
  const common = { kind: 'total', labels, target: name, series: '', startedMs, ...(pod ? { pod } : {}) } as const
  yield { ...common, family: logLines, value: lines }
  yield { ...common, family: pushEvents, value: events }
  yield { ...common, family: sampledOut, value: left }
}
