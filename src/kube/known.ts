// The objects that are known, by key: what a new list lacks is removed only when that list is complete.
export interface Into<T> {
  /** New or changed; after a new list also unchanged. `sinceMs`: what it was before it was until then, and perhaps no longer. */
  put(key: string, object: T, sinceMs?: number): void
  /** Gone. Only for a key that was put. `sinceMs`: it was there until then, and may have gone at any time after that. */
  remove(key: string, sinceMs?: number): void
  /** Something may have come and gone in between (since 1970) without a word. Before what a new list brings, and once more before `synced`. */
  missed?(unheard: Unheard): void
  /** Everything there is has been put, and changes follow: after every whole list, and when it has gone on for a while after `failed`. */
  synced(): void
  /** Changes may be missed until `synced`; every failed attempt says so. What was put stands. */
  failed?(error: Error): void
  /** An object that cannot be understood; what was known of it is removed. */
  rejected?(error: Error): void
}

export interface Unheard {
  readonly fromMs: number
  readonly toMs: number
}

/** Keeps the few fields of an object that are needed; undefined, or an error, where it is not understood. */
export type Prune<T> = (raw: unknown) => T | undefined

export interface Known {
  /** From here on a list is put. `unheard`: since the changes before it, up to now. */
  begin(unheard?: Unheard): void
  put(raw: unknown): void
  remove(raw: unknown): void
  /** The list is complete. `unheard`: since the changes before it. */
  complete(unheard?: Unheard): void
}

export function createKnown<T>(prune: Prune<T>, into: Into<T>, rejected: (error: Error) => void): Known {
  /** The round - the list - that last had the key. */
  const rounds = new Map<string, number>()
  let round = 0
  /** While a list is put. */
  let sinceMs: number | undefined

  const forget = (key: string): void => {
    if (rounds.delete(key)) into.remove(key, sinceMs)
  }

  const reject = (key: string | undefined, error: Error): void => {
    if (key !== undefined) forget(key)
    rejected(error)
  }

  return {
    begin(unheard) {
      round++
      sinceMs = unheard?.fromMs
      if (unheard) into.missed?.(unheard)
    },
    put(raw) {
      const key = keyOf(raw)
      if (key === undefined) return reject(key, new Error('an object without a name'))
      const object = prunedOf(prune, raw)
      if (object instanceof NotUnderstood) return reject(key, new Error(`${key}: ${object.message}`, { cause: object.cause }))
      rounds.set(key, round)
      into.put(key, object, sinceMs)
    },
    remove(raw) {
      const key = keyOf(raw)
      if (key === undefined) reject(key, new Error('a deleted object without a name'))
      else forget(key)
    },
    complete(unheard) {
      for (const [key, last] of rounds) if (last !== round) forget(key)
      sinceMs = undefined
      if (unheard) into.missed?.(unheard)
      into.synced()
    },
  }
}

class NotUnderstood extends Error {}

function prunedOf<T>(prune: Prune<T>, raw: unknown): T | NotUnderstood {
  try {
    return prune(raw) ?? new NotUnderstood('not understood')
  } catch (error) {
    return new NotUnderstood((error as Error).message, { cause: error })
  }
}

/** `namespace/name`, or `name` of what is in no namespace. */
function keyOf(raw: unknown): string | undefined {
  const { metadata } = (raw ?? {}) as { readonly metadata?: { readonly namespace?: unknown; readonly name?: unknown } | null }
  const { namespace, name } = metadata ?? {}
  if (typeof name !== 'string' || name === '') return undefined
  // What is joined is one piece; what is added keeps its parts as well, twice the memory, for as long as the key is kept.
  return typeof namespace === 'string' && namespace !== '' ? [namespace, name].join('/') : name
}
