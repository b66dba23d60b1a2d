// The state on disk and in memory: what is not written is not so.
import type { Pauses } from '../../pauses.js'
import type { JournalFile } from '../../state/journal-file.js'
import { renderLine } from '../../state/lines.js'
import { createTurns } from '../../turns.js'
import { apply, createState, type Line, renderState, type State } from './state.js'

/** The same ones each time. */
export interface Lines extends Iterable<Line> {
  /** What they come to, where that can be had for less than by applying them; one step for each of what they say. */
  readonly applyTo?: (state: State) => Generator<void>
}

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

  /** With all that is, where the file is to be written anew: a first window is as much as all of it. */
  async function write(lines: Lines): Promise<boolean> {
    if (isEmpty(lines)) return true
    if (isOurs && !file.isWorn) return append(lines)
    await prune(state)
    isOurs = await file.checkpoint(renderAll(state, lines), { moves: false })
    return isOurs
  }

  async function append(lines: Lines): Promise<boolean> {
    let text = ''
    for (const line of lines) {
      text += renderLine(line)
      if (text.length >= APPENDED_AT_ONCE) {
        if (!(await appendText(text))) return false
        text = ''
      }
      await pauses.pause()
    }
    return text === '' || appendText(text)
  }

  async function appendText(text: string): Promise<boolean> {
    isOurs = await file.append(text)
    return isOurs
  }

  async function commit(decide: (state: State) => Lines | Promise<Lines>): Promise<boolean> {
    const lines = await decide(state)
    if (!(await write(lines))) return false
    if (lines.applyTo) await pauses.through(lines.applyTo(state))
    else for (const line of lines) apply(state, line)
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

function isEmpty(lines: Lines): boolean {
  for (const _ of lines) return false
  return true
}

function* renderAll(state: State, lines: Lines): Generator<string> {
  yield* renderState(state)
  for (const line of lines) yield renderLine(line)
}
