// In the place of the API server and a kubelet behind it: hands on the log of one container of a pod, as kubelets do (k8s.io/cri-client/pkg/logs).
import type { ApiPlace, AskedLog } from '../../../src/sources/container-logs/api-tail.js'

export interface KubeletLog {
  readonly place: ApiPlace
  /** `afterNanos`: of the line before; 0 is the same time, less is out of order. */
  write(line: string, afterNanos?: number): void
  /** Each line as it is, without a time. */
  append(text: string): void
  /** The container ends, and another one begins. */
  restart(): void
  /** All answers break off, within a line where there is one under way. */
  breakOff(): void
  /** What is asked next fails so. */
  refuse(error: Error | undefined): void
  /** All of it was handed on to somebody who follows. */
  readonly isHandedOn: boolean
  /** What was asked for. */
  readonly asked: readonly AskedLog[]
}

interface Line {
  readonly atNanos: bigint
  readonly text: string
}

const MS = 1_000_000n
/** Of one answer at once: within a line, mostly. */
const PIECE_BYTES = 1_000

export function createKubeletLog(now: () => number): KubeletLog {
  const containers: Line[][] = [[]]
  const asked: AskedLog[] = []
  const followers = new Set<{ handedOn: number; readonly lines: readonly Line[]; isBroken: boolean; wake(): void }>()
  let lastNanos = 0n
  let refusal: Error | undefined

  const current = (): Line[] => containers.at(-1) ?? []
  const wakeAll = (): void => {
    for (const follower of followers) follower.wake()
  }

  function add(text: string, atNanos: bigint): void {
    lastNanos = atNanos
    current().push({ atNanos, text })
    wakeAll()
  }

  function nextNanos(afterNanos: number): bigint {
    const soonest = BigInt(now()) * MS + 1n
    const next = lastNanos + BigInt(afterNanos)
    return next > soonest ? next : soonest
  }

  async function* piecesOf(lines: readonly Line[], { sinceMs = 0, follow }: AskedLog, signal: AbortSignal): AsyncGenerator<Buffer> {
    const follower = { handedOn: 0, lines, isBroken: false, wake: (): void => undefined }
    followers.add(follower)
    const stop = (): void => follower.wake()
    signal.addEventListener('abort', stop)
    try {
      for (;;) {
        const bytes = Buffer.from(
          lines
            .slice(follower.handedOn)
            .filter(({ atNanos }) => atNanos >= BigInt(sinceMs) * MS)
            .map(({ text }) => text)
            .join(''),
        )
        const upTo = lines.length
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          yield bytes.subarray(at, at + PIECE_BYTES)
          if (follower.isBroken) throw new Error('socket hang up')
        }
        follower.handedOn = upTo
        signal.throwIfAborted()
        if (follower.isBroken) throw new Error('socket hang up')
        if (lines.length > upTo) continue
        if (!follow || lines !== current()) return
        await new Promise<void>((resolve) => {
          follower.wake = resolve
        })
      }
    } finally {
      followers.delete(follower)
      signal.removeEventListener('abort', stop)
    }
  }

  return {
    asked,
    write(line, afterNanos = 1_000) {
      const atNanos = nextNanos(afterNanos)
      add(`${stampOf(atNanos)} ${line}\n`, atNanos)
    },
    append: (text) => add(text, nextNanos(0)),
    restart() {
      containers.push([])
      wakeAll()
    },
    breakOff() {
      for (const follower of followers) follower.isBroken = true
      wakeAll()
    },
    refuse(error) {
      refusal = error
    },
    get isHandedOn() {
      return [...followers].some(({ lines, handedOn }) => lines === current() && handedOn === lines.length)
    },
    place: {
      path: 'pods/log of istio-system/istiod-1',
      async open(one, signal) {
        signal.throwIfAborted()
        asked.push(one)
        if (refusal) throw refusal
        const lines = one.previous ? containers.at(-2) : containers.at(-1)
        return lines && piecesOf(lines, one, signal)
      },
    },
  }
}

/** RFC 3339 with nine digits, as a kubelet writes it. */
function stampOf(atNanos: bigint): string {
  const ms = Number(atNanos / MS)
  return `${new Date(ms).toISOString().slice(0, -1)}${String(atNanos % MS).padStart(6, '0')}Z`
}
