// Scores by name, of which the least is asked for again and again while they change: a heap, in which what is no longer so is passed over when it
// comes to the top.

export interface Scores<T> {
  readonly size: number
  get(key: string): T | undefined
  set(key: string, score: T): void
  delete(key: string): void
  keys(): Iterable<string>
  least(): readonly [key: string, score: T] | undefined
  /** Each by what `change` makes of it. */
  changeAll(change: (score: T) => T): void
}

type Entry<T> = readonly [key: string, score: T]

/** Of what is no longer so, for each that is. */
const MOST_STALE = 4

/** `of`: the number by which one is less than another. */
export function createScores<T>(of: (score: T) => number): Scores<T> {
  const entries = new Map<string, Entry<T>>()
  let heap: Entry<T>[] = []

  const isLess = (one: Entry<T> | undefined, other: Entry<T> | undefined): boolean => !!one && !!other && of(one[1]) < of(other[1])

  function swap(one: number, other: number): void {
    const [a, b] = [heap[one], heap[other]] as [Entry<T>, Entry<T>]
    heap[one] = b
    heap[other] = a
  }

  function rise(from: number): void {
    for (let at = from; at > 0 && isLess(heap[at], heap[(at - 1) >> 1]); at = (at - 1) >> 1) swap(at, (at - 1) >> 1)
  }

  function sink(from: number): void {
    for (let at = from; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const lesser = isLess(heap[right], heap[left]) ? right : left
      if (!isLess(heap[lesser], heap[at])) return
      swap(at, lesser)
      at = lesser
    }
  }

  function rebuild(): void {
    heap = [...entries.values()]
    for (let at = heap.length >> 1; at >= 0; at--) sink(at)
  }

  function dropFirst(): void {
    const last = heap.pop()
    if (heap.length === 0 || !last) return
    heap[0] = last
    sink(0)
  }

  return {
    get size() {
      return entries.size
    },
    get: (key) => entries.get(key)?.[1],
    set(key, score) {
      const entry = [key, score] as const
      entries.set(key, entry)
      rise(heap.push(entry) - 1)
      if (heap.length > MOST_STALE * (entries.size + 1)) rebuild()
    },
    delete: (key) => void entries.delete(key),
    keys: () => entries.keys(),
    least() {
      for (let [first] = heap; first; [first] = heap) {
        if (entries.get(first[0]) === first) return first
        dropFirst()
      }
      return undefined
    },
    changeAll(change) {
      for (const [key, score] of entries.values()) entries.set(key, [key, change(score)])
      rebuild()
    },
  }
}
