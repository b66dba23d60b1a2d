// Whose token a request carries, as the API server says (TokenReview, authentication.k8s.io/v1). Tokens themselves are not kept, nor said to
// anybody else: only their hashes, for a minute.
import { createHash } from 'node:crypto'

/** `nobody`: no token, or one that is none; `stranger`: of somebody who may not ask. */
export type Verdict = 'admitted' | 'nobody' | 'stranger'

/** The user whose token it is, '' where it is none for us. Rejects where that cannot be found out. */
export type ReviewToken = (token: string) => Promise<string>

export interface WhoAsks {
  /** Of an Authorization header. Rejects as `review` does, and with TooManyReviews. */
  judge(authorization: string | undefined): Promise<Verdict>
}

/** Too many tokens wait to be judged; come back later. */
export class TooManyReviews extends Error {
  override readonly name = 'TooManyReviews'

  constructor() {
    super('too many tokens wait to be judged')
  }
}

export interface WhoAsksParts {
  /** Names of the ServiceAccounts that may ask, each `namespace/name`. */
  readonly agents: readonly string[]
  readonly review: ReviewToken
  monotonic(): number
}

interface Judged {
  readonly verdict: Verdict
  readonly untilMs: number
}

const REMEMBERED_MS = 60_000
const MOST_REMEMBERED = 20_000
const MOST_REFUSED = 1_000
const MOST_WAITING = 10_000

export function createWhoAsks({ agents, review, monotonic }: WhoAsksParts): WhoAsks {
  const users = new Set(agents.map(userOf))
  // Apart, so that a flood of wrong ones does not push out the right ones.
  const admitted = new Map<string, Judged>()
  const refused = new Map<string, Judged>()
  const underWay = new Map<string, Promise<Verdict>>()

  function remember(hash: string, verdict: Verdict): Verdict {
    const [kept, most] = verdict === 'admitted' ? [admitted, MOST_REMEMBERED] : [refused, MOST_REFUSED]
    kept.delete(hash)
    kept.set(hash, { verdict, untilMs: monotonic() + REMEMBERED_MS })
    // A Map keeps the order in which keys were set.
    for (const [oldest, { untilMs }] of kept) {
      if (kept.size <= most && untilMs > monotonic()) break
      kept.delete(oldest)
    }
    return verdict
  }

  async function ask(hash: string, token: string): Promise<Verdict> {
    const user = await review(token)
    if (user === '') return remember(hash, 'nobody')
    return remember(hash, users.has(user) ? 'admitted' : 'stranger')
  }

  return {
    judge(authorization = '') {
      const token = /^bearer +(\S+)$/i.exec(authorization)?.[1]
      if (token === undefined) return Promise.resolve('nobody')
      const hash = createHash('sha256').update(token).digest('base64')
      const known = admitted.get(hash) ?? refused.get(hash)
      if (known && known.untilMs > monotonic()) return Promise.resolve(known.verdict)
      const shared = underWay.get(hash)
      if (shared) return shared
      if (underWay.size >= MOST_WAITING) return Promise.reject(new TooManyReviews())
      const asking = ask(hash, token).finally(() => underWay.delete(hash))
      underWay.set(hash, asking)
      return asking
    },
  }
}

/** As the API server calls a ServiceAccount (k8s.io/apiserver, serviceaccount.MakeUsername). */
const userOf = (agent: string): string => `system:serviceaccount:${agent.replace('/', ':')}`
