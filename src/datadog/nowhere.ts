import type { Disk } from '../deps.js'

/** Forgets what is written to it: for who has nothing to go on from, since what it counts begins anew with it. */
export const createNowhere = (): Disk => ({
  claim: () => Promise.resolve(),
  read: () => Promise.resolve(undefined),
  append: () => Promise.resolve(),
  replace: () => Promise.resolve(),
  rename: () => Promise.resolve(),
  remove: () => Promise.resolve(),
})
