// Series come and go: the idle are withdrawn, and come back with their next byte, or are folded when the limit is used by then.
import type { Clock } from '../deps.js'
import type { Account, Accounts } from './accounts.js'
import type { Admission } from './admission.js'
import type { Decisions } from './draft.js'
import type { PairBook } from './pair-book.js'
import type { Routes } from './routes.js'

export interface Upkeep {
  sweep(): void
}

interface Parts {
  readonly accounts: Accounts
  readonly admission: Admission
  readonly book: PairBook
  readonly decisions: Decisions
  readonly routes: Routes
  readonly clock: Clock
  readonly idleMs: number
}

const MAX_SWEEP_EVERY_MS = 60_000

export function createUpkeep({ accounts, admission, book, decisions, routes, clock, idleMs }: Parts): Upkeep {
  let sweptMs = clock.monotonic()

  function sweep(): void {
    const nowMs = clock.monotonic()
    const isDue = nowMs - sweptMs >= Math.min(idleMs, MAX_SWEEP_EVERY_MS)
    if (isDue) sweptMs = nowMs
    for (const account of accounts.flows.values()) {
      if (account.kind !== 'flow') continue
      if (account.withdrawn && account.value > 0 && !admission.readmit(account)) foldAway(account)
      else if (isDue && !account.withdrawn && nowMs - account.changedMs >= idleMs) admission.withdraw(account)
    }
  }

  function foldAway(account: Account): void {
    const bytes = account.value
    const stays = (book.contributions().get(account) ?? 0) - bytes
    const into = admission.foldAway(account)
    routes.redirect(account, into)
    decisions.adjust(account, stays)
    decisions.adjust(into, -stays)
    account.value -= bytes
    into.value += bytes
  }

  return { sweep }
}
