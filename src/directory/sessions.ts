// All agents that listen.
import { type Asking, type Changed, type Connection, createSession, type Known, type Session } from './session.js'

export interface Sessions {
  open(asking: Asking, connection: Connection): Session
  find(id: string): Session | undefined
  /** Notes what each has to be told. */
  spread(changed: Changed): void
  /** Tells what is due. `giveWay`: lets others have a turn, since this may take some time. */
  tell(giveWay: () => Promise<void>): Promise<void>
  forgetNodes(ids: readonly number[]): void
  /** From now on each ends as soon as it is opened. */
  close(): void
  readonly size: number
  /** Lines that were written to all of them so far. */
  readonly lines: number
}

export interface SessionsParts {
  readonly known: Known
  random(): string
  monotonic(): number
}

const BEFORE_OTHERS = 50

export function createSessions({ known, random, monotonic }: SessionsParts): Sessions {
  const open = new Map<string, Session>()
  let lines = 0
  let isClosed = false
  const onLines = (count: number): void => {
    lines += count
  }

  return {
    open(asking, connection) {
      const session = createSession(asking, { id: random(), known, connection, monotonic, onLines })
      const close = (): void => {
        open.delete(session.id)
        session.close()
      }
      open.set(session.id, session)
      if (isClosed) close()
      return { ...session, close }
    },
    find: (id) => open.get(id),
    spread(changed) {
      if (changed.addresses.length + changed.nodes.length + changed.unheard.length === 0 && !changed.haveZones) return
      for (const session of open.values()) session.hearsOf(changed)
    },
    async tell(giveWay) {
      let told = 0
      for (const session of open.values()) {
        session.tell()
        told++
        if (told % BEFORE_OTHERS === 0) await giveWay()
      }
    },
    forgetNodes(ids) {
      for (const session of open.values()) session.forgetNodes(ids)
    },
    close() {
      isClosed = true
      for (const session of open.values()) session.close()
      open.clear()
    },
    get size() {
      return open.size
    },
    get lines() {
      return lines
    },
  }
}
