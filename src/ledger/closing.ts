// A generation that the kernel no longer fills goes into the offsets whole, and what only it had is forgotten.
import type { GenerationReading, PairColumn, Pairs } from '../model/flows.js'
import type { Pauses } from '../pauses.js'
import type { Account, Accounts } from './accounts.js'
import type { Admission } from './admission.js'
import type { Generations } from './generations.js'
import type { PairBook } from './pair-book.js'
import type { Route, Routes } from './routes.js'
import type { Transit } from './transit.js'

export interface Closing {
  /** False while some of its pairs are pending, since those must still move. */
  close(generation: GenerationReading, pairs: Pairs): Promise<boolean>
}

interface Parts {
  readonly accounts: Accounts
  readonly admission: Admission
  readonly book: PairBook
  readonly generations: Generations
  readonly routes: Routes
  readonly transit: Transit
  readonly pauses: Pauses
}

export function createClosing({ accounts, admission, book, generations, routes, transit, pauses }: Parts): Closing {
  function* hasPending({ count, pair }: PairColumn): Generator<void, boolean> {
    for (let row = 0; row < count; row++) {
      if (book.isPending(pair[row] as number)) return true
      yield
    }
    return false
  }

  async function close(generation: GenerationReading, pairs: Pairs): Promise<boolean> {
    for (const column of [generation.seen, generation.via]) if (await pauses.through(hasPending(column))) return false
    const { seen, via } = generations.columnsOf(generation.id, 0)
    await transit.close({ seen, via }, pauses.pause)
    generations.drop(generation.id)
    await forgetTheDead(pairs)
    return true
  }

  async function forgetTheDead(pairs: Pairs): Promise<void> {
    const used = await book.keep(pairs, { isLive: (pair) => generations.seenOf(pair) + generations.viaOf(pair) > 0, pause: pauses.pause })
    await pauses.through(forgetUnused(used))
  }

  function* forgetUnused(used: ReadonlySet<Route>): Generator<void> {
    const flows = new Set<Account>()
    for (const { into, via } of used) {
      for (const account of into) flows.add(account)
      for (const account of via) flows.add(account)
      yield
    }
    yield* routes.keep(used)
    for (const account of accounts.flows.values()) {
      if (account.withdrawn && !flows.has(account)) accounts.remove(account)
      yield
    }
    yield* admission.unfoldUnused(used)
  }

  return { close }
}
