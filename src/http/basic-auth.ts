// Passwords against bcrypt hashes. A comparison costs tens of milliseconds by intent, so its result is kept, as exporter-toolkit
// does, and one runs at a time.
import { createHmac, randomBytes } from 'node:crypto'

export interface BasicAuth {
  /** Whether `authorization` names one of `users` with the right password. */
  admits(authorization: string | undefined, users: ReadonlyMap<string, string>): Promise<boolean>
}

/** Too many passwords wait to be compared; come back later. */
export class TooManyAttempts extends Error {
  override readonly name = 'TooManyAttempts'
}

const KEPT = 100
const MAX_WAITING = 20

export function createBasicAuth(): BasicAuth {
  const secret = randomBytes(32)
  // Apart, so that a flood of wrong passwords does not push out the right ones.
  const admitted = new Set<string>()
  const refused = new Set<string>()
  let queue: Promise<unknown> = Promise.resolve()
  let waiting = 0

  function compare(password: string, hash: string): Promise<boolean> {
    if (waiting >= MAX_WAITING) throw new TooManyAttempts()
    waiting++
    const turn = queue.then(async () => {
      const { compare: compareHash } = await import('bcryptjs')
      return compareHash(password, hash)
    })
    queue = turn.catch(() => undefined).finally(() => waiting--)
    return turn
  }

  return {
    async admits(authorization, users) {
      const { user, password } = parseBasic(authorization)
      const [anyHash] = users.values()
      if (user === undefined || anyHash === undefined) return false
      const hash = users.get(user)
      // A keyed digest: how long the look-up takes says nothing about the password.
      const key = createHmac('sha256', secret)
        .update(JSON.stringify([user, hash, password]))
        .digest('base64')
      if (admitted.has(key) || refused.has(key)) return admitted.has(key)
      // A name that does not exist takes as long as a wrong password.
      const isRight = (await compare(password, hash ?? anyHash)) && hash !== undefined
      const kept = isRight ? admitted : refused
      if (kept.size >= KEPT) kept.clear()
      kept.add(key)
      return isRight
    },
  }
}

/** RFC 7617: the user's name ends at the first colon. */
function parseBasic(authorization = ''): { readonly user?: string; readonly password: string } {
  const [, encoded = ''] = /^basic +([\w+/=-]+)$/i.exec(authorization) ?? []
  const decoded = Buffer.from(encoded, 'base64').toString()
  const colon = decoded.indexOf(':')
  return colon < 0 ? { password: '' } : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}
