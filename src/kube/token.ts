import type { Deps } from '../deps.js'
import { AccessError } from './access-error.js'

/** The current token. `refused`: the one that the server has just refused, which is not worth a second try. */
export type ReadToken = (refused: string | undefined, signal: AbortSignal) => Promise<string | undefined>

/** A service account's token is replaced long before its hour is over; the file is looked at again after this time. */
const MAX_AGE_MS = 60_000

export const fixedToken =
  (token: string): ReadToken =>
  async () =>
    token

/** A token in a file that others replace. Rejects with an AccessError where there is none. */
export function createTokenFile(path: string, { readFile, clock }: Pick<Deps, 'readFile' | 'clock'>): ReadToken {
  let last: { readonly token: string; readonly atMs: number } | undefined
  return async (refused, signal) => {
    const isWorn = last === undefined || last.token === refused || clock.monotonic() - last.atMs > MAX_AGE_MS
    if (!isWorn) return last?.token
    try {
      last = { token: parseToken(await readFile(path, signal), path), atMs: clock.monotonic() }
    } catch (error) {
      signal.throwIfAborted()
      // A file that cannot be read for a moment costs nothing while the server takes the token that is known.
      if (last === undefined || last.token === refused) throw tokenErrorOf(path, error)
    }
    return last?.token
  }
}

/** Throws an AccessError for what no header can carry. */
export function parseToken(text: string, where: string): string {
  const token = text.trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new AccessError(`${where} holds no token${token === '' ? ': it is empty' : ''}; write a bearer token to it`)
}

function tokenErrorOf(path: string, error: unknown): AccessError {
  if (error instanceof AccessError) return error
  const { code, message } = error as NodeJS.ErrnoException
  return new AccessError(`the token ${path} cannot be read: ${code ?? message}; mount it, or allow this user to read it`, { cause: error })
}
