// Names as small integers, so that sets of them are bitmaps. A name that is let go gives its number to another.
export interface Ids {
  find(name: string): number | undefined
  /** For a name that has none. */
  create(name: string): number
  /** Of an id that is in use. */
  nameOf(id: number): string
  release(id: number): void
  /** One more than the largest that was ever in use. */
  readonly size: number
  readonly inUse: number
}

export function createIds(): Ids {
  const byName = new Map<string, number>()
  const names: string[] = []
  const free: number[] = []

  function create(name: string): number {
    const id = free.pop() ?? names.length
    names[id] = name
    byName.set(name, id)
    return id
  }

  const nameOf = (id: number): string => names[id] ?? ''

  return {
    find: (name) => byName.get(name),
    create,
    nameOf,
    release(id) {
      if (!byName.delete(nameOf(id))) return
      names[id] = ''
      free.push(id)
    },
    get size() {
      return names.length
    },
    get inUse() {
      return byName.size
    },
  }
}
