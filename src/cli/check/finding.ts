import type { Facts } from './facts.js'

export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail'
  readonly says: string
  /** What to do about it, a line each. */
  readonly remedy: readonly string[]
}

/** `find` is pure: the same facts, the same findings. */
export interface Check {
  readonly name: string
  find(facts: Facts): readonly Finding[]
}

export const ok = (says: string): Finding => ({ level: 'ok', says, remedy: [] })
export const warn = (says: string, ...remedy: readonly string[]): Finding => ({ level: 'warn', says, remedy })
export const fail = (says: string, ...remedy: readonly string[]): Finding => ({ level: 'fail', says, remedy })
