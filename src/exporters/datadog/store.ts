// The state on disk and in memory: what is not written is not so.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { JournalFile } from '../../state/journal-file.js'
import { renderLine } from '../../state/lines.js'
import { createTurns } from '../../turns.js'
import { apply, createState, type Line, renderState, type State } from './state.js'

export interface Store {
  /** Goes on from what the process before has written. Rejects with StateUnreadable. */
  load(): Promise<void>
  readonly state: State
  /** Writes down what `decide` says of the state, then lets it be so. False: it is not written, and not so. Nothing where that is nothing. */
  commit(decide: (state: State) => Iterable<Line> | AsyncIterable<Line>): Promise<boolean>
  readonly writable: boolean
}

/** `prune`: before all of it is written anew. */
export function createStore(file: JournalFile<State>, prune: (state: State) => void): Store {
  const inTurn = createTurns()
  let state = createState()
  /** A file of the process before may end in a torn line. */
  let isOurs = false

  async function write(lines: readonly Line[]): Promise<boolean> {
    if (!isOurs || file.isWorn) {
      prune(state)
      isOurs = await file.checkpoint(renderState(state), { moves: false })
      if (!isOurs) return false
    }
    const texts: string[] = []
    for (const line of lines) {
      texts.push(renderLine(line))
      await turnOfTheLoop()
    }
    isOurs = await file.append(texts.join(''))
    return isOurs
  }

  async function commit(decide: (state: State) => Iterable<Line> | AsyncIterable<Line>): Promise<boolean> {
    const lines: Line[] = []
    for await (const line of decide(state)) lines.push(line)
    if (lines.length > 0 && !(await write(lines))) return false
    for (const line of lines) {
      apply(state, line)
      if (lines.length > 1) await turnOfTheLoop()
    }
    return true
  }

  return {
    async load() {
      state = (await file.load()) ?? createState()
    },
    get state() {
      return state
    },
    commit: (decide) => inTurn(() => commit(decide)),
    get writable() {
      return file.writable
    },
  }
}
