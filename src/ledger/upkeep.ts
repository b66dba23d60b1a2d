// Series come and go: the idle are withdrawn, and come back with their next byte, or are folded when the limit is used by then.
import type { Clock } from '../deps.js'
import type { Pauses } from '../pauses.js'
import type { Account, Accounts } from './accounts.js'
import type { Admission } from './admission.js'
import { carry } from './carry.js'
import type { Decisions } from './draft.js'
import type { PairBook } from './pair-book.js'
import type { Routes } from './routes.js'

export interface Upkeep {
  sweep(): Promise<void>
}

interface Parts {
  readonly accounts: Accounts
  readonly admission: Admission
  readonly book: PairBook
  readonly decisions: Decisions
  readonly routes: Routes
  readonly pauses: Pauses
  readonly clock: Clock
  readonly idleMs: number
}

const MAX_SWEEP_EVERY_MS = 60_000

export function createUpkeep({ accounts, admission, book, decisions, routes, pauses, clock, idleMs }: Parts): Upkeep {
  let sweptMs = clock.monotonic()

  async function sweep(): Promise<void> {
    carry(accounts, decisions)
    const crowdedOut = [...accounts.flows.values()].filter(
      (account) => account.withdrawn && account.value > 0 && !admission.readmit(account),
    )
    if (crowdedOut.length > 0) await foldAway(crowdedOut)
    const nowMs = clock.monotonic()
    if (nowMs - sweptMs < Math.min(idleMs, MAX_SWEEP_EVERY_MS)) return
    sweptMs = nowMs
    for (const account of accounts.flows.values())
      if (account.kind === 'flow' && !account.withdrawn && nowMs - account.changedMs >= idleMs) admission.withdraw(account)
  }

  async function foldAway(crowdedOut: readonly Account[]): Promise<void> {
    const held = await book.contributions(pauses.pause)
    const folds = new Map<Account, Account>()
    for (const account of crowdedOut) {
      const bytes = account.value
      const stays = (held.get(account) ?? 0) - bytes
      const into = admission.foldAway(account)
      folds.set(account, into)
      decisions.adjust(account, stays)
      decisions.adjust(into, -stays)
      account.value -= bytes
      into.value += bytes
    }
    await pauses.through(routes.redirect(folds))
  }

  return { sweep }
}
