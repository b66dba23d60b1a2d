// The access logs of this node's Istio proxies, from the files that a kubelet keeps of them: which requests failed upstream, at which address. See
// formats/envoy-access-log.ts for their lines.
// Needs /var/log/pods, and to be the user that may read it; and access logs that are written (meshConfig.accessLogFile: /dev/stdout, or a
// Telemetry), in Istio's own format. All lines are counted. Of those that tell of a failure 5,000 are looked into at each read, of one log 1,000;
// further ones are counted as sampled out.
import { TELLING } from '../../formats/envoy-access-log.js'
import type { EventReading, Reading, Source, TotalReading } from '../../model.js'
import { createFollowing, type FollowingDeps, type LogTarget, type ReadLog } from '../container-logs/following.js'
import { PODS } from '../container-logs/segments.js'
import { createJoin } from '../source.js'
import { type Counts, createFailures, type FailedAlike } from './failures.js'
import { CALLED, failedUpstream, families, logLines, NOBODY_CALLED, sampledOut } from './families.js'

interface Parts {
  /** All there are now. */
  readonly logs: () => Iterable<LogTarget>
  /** As long as it takes until it is told who had an address. */
  readonly settleMs: number
}

export function createEnvoyLog({ logs, settleMs }: Parts, deps: FollowingDeps): Source {
  const name = 'envoy-log'
  const { clock } = deps
  const join = createJoin()
  const failures = createFailures(clock)
  const begin = (startedMs: number): Counts => ({ startedMs, lines: 0, sampledOut: 0, failed: {} })
  const following = createFollowing<Counts>(
    { source: name, logs, wanted: TELLING, takes: failures.takes, begin, reader: failures.reader },
    deps,
  )

  function eventOf({ pod, labels: owner }: LogTarget, { flags, address, count, fromMs, toMs }: FailedAlike): EventReading {
    const labels = join(owner, { response_flags: flags, ...(address === undefined ? NOBODY_CALLED : {}) })
    const peer = address === undefined ? {} : { peer: { address, during: { fromMs, toMs }, says: CALLED } }
    return { kind: 'event', family: failedUpstream, labels, count, ...(pod ? { pod } : {}), ...peer }
  }

  function* readingsOf({ target, counts, isLast }: ReadLog<Counts>): Generator<Reading> {
    yield* totalsOf(target, counts)
    const untilMs = isLast ? Number.POSITIVE_INFINITY : clock.now() - settleMs
    for (const failed of failures.take(counts, untilMs)) yield eventOf(target, failed)
  }

  return {
    name,
    families,
    needs: [{ kind: 'file', path: PODS }],
    resume: following.resume,
    async read(signal) {
      failures.begin()
      const { logs: read, marks } = await following.read(signal)
      const readings = read.flatMap((one) => [...readingsOf(one)])
      return { readings: [...readings, ...marks()], rejected: failures.takeRejected() }
    },
  }
}

function* totalsOf({ name, pod, labels }: LogTarget, { startedMs, lines, sampledOut: left }: Counts): Generator<TotalReading> {
  const common = { kind: 'total', labels, target: name, series: '', startedMs, ...(pod ? { pod } : {}) } as const
  yield { ...common, family: logLines, value: lines }
  yield { ...common, family: sampledOut, value: left }
}
