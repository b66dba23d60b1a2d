// The state on disk and in memory: what is not written is not so.
import type { Pauses } from '../../pauses.js'
import type { JournalFile } from '../../state/journal-file.js'
import { renderLine } from '../../state/lines.js'
import { createTurns } from '../../turns.js'
import { apply, createState, type Line, renderState, type State } from './state.js'

/** The same ones each time. */
export type Lines = Iterable<Line>

export interface Store {
  /** Goes on from what the process before has written. Rejects with StateUnreadable. */
  load(): Promise<void>
  readonly state: State
  /**
   * Writes down what `decide` says of the state, then lets it be so: its lines are asked for twice, so that there are never many of them.
   * False: it is not written, and not so. Nothing where there are none.
   */
  commit(decide: (state: State) => Lines | Promise<Lines>): Promise<boolean>
  readonly writable: boolean
}

const APPENDED_AT_ONCE = 1 << 17

export interface StoreParts {
  readonly file: JournalFile<State>
  /** Before all of it is written anew. */
  readonly prune: (state: State) => Promise<void>
  readonly pauses: Pauses
}

export function createStore({ file, prune, pauses }: StoreParts): Store {
  const inTurn = createTurns()
  let state = createState()
  /** A file of the process before may end in a torn line, one of ours in half a window. */
  let isOurs = false

  async function makeReady(): Promise<boolean> {
    if (isOurs && !file.isWorn) return true
    await prune(state)
    isOurs = await file.checkpoint(renderState(state), { moves: false })
    return isOurs
  }

  async function append(text: string): Promise<boolean> {
    isOurs = await file.append(text)
    return isOurs
  }

  async function write(lines: Lines): Promise<boolean> {
    let text = ''
    let isFirst = true
    for (const line of lines) {
      if (isFirst && !(await makeReady())) return false
      isFirst = false
      text += renderLine(line)
      if (text.length >= APPENDED_AT_ONCE) {
        if (!(await append(text))) return false
        text = ''
      }
      await pauses.pause()
    }
    return text === '' || append(text)
  }

  async function commit(decide: (state: State) => Lines | Promise<Lines>): Promise<boolean> {
    const lines = await decide(state)
    if (!(await write(lines))) return false
    for (const line of lines) {
      apply(state, line)
      await pauses.pause()
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
