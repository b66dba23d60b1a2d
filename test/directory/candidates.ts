// Replicas that want one Lease, on one clock that the test moves: each can be paused, cut off or killed, and shows whatever time it likes.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { type ElectionLease, type LeaseStore, Overtaken } from '../../src/cluster/election-lease.js'
import type { Clock } from '../../src/deps.js'
import { createElection } from '../../src/directory/election.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

/** Requests are done; refused; done, but writes are not answered; done some seconds later; answered some seconds later; neither ever. */
export type Net = 'up' | 'cut' | 'deaf' | 'slow' | 'late' | 'hung'

export interface Candidate {
  readonly name: string
  net: Net
  isPaused: boolean
  readonly holds: boolean
  readonly trouble: string
  /** Terms that began, and whether one has not ended. */
  readonly terms: number
  readonly isInTerm: boolean
  readonly log: readonly string[]
  /** kill -9. */
  kill(): void
  /** SIGTERM. */
  stop(): Promise<void>
}

export interface World {
  start(name: string, options?: { readonly skewMs?: number }): Candidate
  readonly lease: ElectionLease | undefined
  removeLease(): void
  /** Writes since the beginning. */
  readonly writes: number
  /** Moves on in small steps. Answers the names of those that held at some time meanwhile, in order; throws where two held at once. */
  run(ms: number): Promise<readonly string[]>
}

interface Request<T> {
  act(): T
  readonly isWrite: boolean
}

const STEP_MS = 50
const SLOW_MS = 7_000
const LATE_MS = 4_000
const TURNS = 4

/** `random`: from 0 up to, but not, 1. */
export function createWorld(random = createRandom(1)): World {
  const clock = createHandClock()
  const all: Candidate[] = []
  let lease: ElectionLease | undefined
  let version = 0

  function writeNow(...[holding, over]: Parameters<LeaseStore['write']>): ElectionLease {
    if (lease?.resourceVersion !== over?.resourceVersion) throw new Overtaken('409 Conflict')
    lease = { ...holding, resourceVersion: String(++version), metadata: {} }
    return lease
  }

  function start(name: string, { skewMs = 0 } = {}): Candidate {
    const dying = new AbortController()
    const stopping = new AbortController()
    const log = createKeptLog()
    let [terms, isInTerm] = [0, false]

    const whileRunning = async (signal?: AbortSignal): Promise<void> => {
      while (candidate.isPaused || dying.signal.aborted) await clock.sleep(STEP_MS, signal)
    }
    const ownClock: Clock = {
      now: () => clock.now() + skewMs,
      monotonic: () => clock.monotonic() - skewMs,
      async sleep(ms, signal) {
        await clock.sleep(ms, signal)
        await whileRunning(signal)
      },
    }
    const request = async <T>({ act, isWrite }: Request<T>, signal: AbortSignal): Promise<T> => {
      await whileRunning(signal)
      if (candidate.net === 'cut') throw new Error('ECONNREFUSED')
      if (candidate.net === 'hung') return new Promise(() => undefined)
      // What is on its way arrives, whoever waits for it.
      if (candidate.net === 'slow') await clock.sleep(SLOW_MS)
      const answer = act()
      if (candidate.net === 'late') await clock.sleep(LATE_MS)
      if (candidate.net === 'deaf' && isWrite) throw new Error('ECONNRESET')
      await whileRunning(signal)
      signal.throwIfAborted()
      return answer
    }
    const orAborted = <T>(answer: Promise<T>, signal: AbortSignal): Promise<T> =>
      Promise.race([answer, new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))])
    const store: LeaseStore = {
      read: (signal) => orAborted(request({ act: () => lease, isWrite: false }, signal), signal),
      async write(holding, over, signal) {
        if (holding.holder === '' && election.holds) throw new Error(`${name} holds what it lets go`)
        return orAborted(request({ act: () => writeNow(holding, over, signal), isWrite: true }, signal), signal)
      },
    }
    const term = {
      begin() {
        if (isInTerm) throw new Error(`${name} begins a second term in its first`)
        terms++
        isInTerm = true
      },
      end() {
        isInTerm = false
      },
    }
    const election = createElection(
      { identity: name, store, term },
      {
        clock: ownClock,
        log,
        random: () =>
          Math.floor(random() * 2 ** 32)
            .toString(16)
            .padStart(8, '0'),
      },
    )
    const candidate: Candidate = {
      name,
      net: 'up',
      isPaused: false,
      log: log.lines,
      get holds() {
        return !dying.signal.aborted && election.holds
      },
      get trouble() {
        return election.trouble
      },
      get terms() {
        return terms
      },
      get isInTerm() {
        return isInTerm
      },
      kill: () => dying.abort(),
      stop() {
        stopping.abort(new Error('stopped'))
        return ended
      },
    }
    all.push(candidate)
    const ended = election.run(stopping.signal)
    return candidate
  }

  function holderNow(): string {
    const holders = all.filter(({ holds }) => holds)
    if (holders.length > 1) throw new Error(`${holders.map(({ name }) => name).join(' and ')} hold at once`)
    if (holders.some(({ isInTerm }) => !isInTerm)) throw new Error('a holder without a term')
    return holders[0]?.name ?? ''
  }

  return {
    start,
    get lease() {
      return lease
    },
    removeLease() {
      lease = undefined
    },
    get writes() {
      return version
    },
    async run(ms) {
      const seen = [holderNow()]
      for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
        clock.advance(STEP_MS)
        // Before and after those that wake have done anything.
        seen.push(holderNow())
        for (let turn = 0; turn < TURNS; turn++) await turnOfTheLoop()
        seen.push(holderNow())
      }
      return [...new Set(seen)].filter(Boolean)
    },
  }
}

/** Mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
