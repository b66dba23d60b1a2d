export interface RecentlyUsed<T> {
  /** A use. */
  get(key: string): T | undefined
  set(key: string, value: T): void
}

/** Past `limit` the one that was not used for longest is forgotten. */
export function createRecentlyUsed<T extends object>(limit: number): RecentlyUsed<T> {
  // A Map keeps the order in which keys were set: the first was not used for longest.
  const values = new Map<string, T>()
  const set = (key: string, value: T): void => {
    values.delete(key)
    values.set(key, value)
    if (values.size > limit) for (const oldest of values.keys()) return void values.delete(oldest)
  }
  return {
    set,
    get(key) {
      const value = values.get(key)
      if (value !== undefined) set(key, value)
      return value
    },
  }
}
