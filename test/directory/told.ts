// A connection that keeps what is written, and can be slow.
import type { Clock } from '../../src/deps.js'
import { createDesk, type Desk } from '../../src/directory/desk.js'
import type { Asking, Session } from '../../src/directory/session.js'
import { createHandClock, type HandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

export type Line = Readonly<Record<string, unknown>>

export interface Told {
  readonly session: Session
  /** Lines since the last time, with the times of tenancies in seconds and what does not matter left out. */
  take(): readonly string[]
  /** As they came. */
  takeRaw(): readonly Line[]
  /** From now on it takes one piece, and no more until it goes on. */
  stall(): void
  goOn(): void
  readonly isEnded: boolean
}

export interface DeskHere extends Desk {
  readonly clock: HandClock
  /** Whether it hears of changes itself; it does at first. */
  hears(does: boolean): void
  /** Takes in what was said, and tells. */
  turn(): Promise<void>
  listen(asking?: Partial<Asking>, options?: { readonly isStalled: boolean }): Told
}

/** `through`: by which clock it goes. */
export function startDesk(through: (clock: Clock) => Clock = (clock) => clock): DeskHere {
  const clock = createHandClock()
  let count = 0
  let isHearing = true
  const desk = createDesk({ clock: through(clock), log: createKeptLog(), random: () => `id-${count++}`, isHearing: () => isHearing })
  return {
    ...desk,
    clock,
    hears(does) {
      isHearing = does
    },
    async turn() {
      desk.takeChanges()
      desk.forget()
      await desk.sessions.tell(async () => undefined)
    },
    listen: (asking = {}, { isStalled } = { isStalled: false }) =>
      listen(desk, { node: 'n1', addresses: [], instance: '', revision: 0, ...asking }, isStalled),
  }
}

function listen(desk: Desk, asking: Asking, isStalledFirst: boolean): Told {
  let lines: Line[] = []
  let [isStalled, isEnded] = [isStalledFirst, false]
  let wait: () => void = () => undefined
  const session = desk.sessions.open(asking, {
    write(text, sent) {
      for (const line of text.trimEnd().split('\n')) lines.push(JSON.parse(line) as Line)
      if (isStalled) wait = sent
      else sent()
    },
    end() {
      isEnded = true
    },
  })
  session.tell()
  const takeRaw = (): readonly Line[] => {
    const taken = lines
    lines = []
    return taken
  }
  return {
    session,
    takeRaw,
    take: () => takeRaw().flatMap(shown),
    stall() {
      isStalled = true
    },
    goOn() {
      isStalled = false
      wait()
    },
    get isEnded() {
      return isEnded
    },
  }
}

type Row = Readonly<Record<string, string | number | boolean | null>>

/** `session from 0`, `n1 covers`, `10.1.0.7 u1 100-, Deployment cart on n1`, `10.1.0.0/24 n1`, `zones a b`, `to 3`. */
function shown(line: Line): readonly string[] {
  const rows = (name: string): readonly Row[] => (line[name] ?? []) as readonly Row[]
  const seconds = (ms: unknown): string => (typeof ms === 'number' ? String(ms / 1000) : '')
  if ('session' in line) return [`session from ${line['revision']}`]
  if ('revision' in line) return [`to ${line['revision']}`]
  if ('zones' in line)
    return [
      `zones ${rows('zones')
        .map(({ zone }) => zone)
        .join(' ')}`.trimEnd(),
    ]
  return [
    ...rows('nodes').map(({ name, covers }) => `${name} ${covers ? 'covers' : 'does not cover'}`),
    ...rows('tenancies').map(
      ({ address, key, fromMs, untilMs, kind, name, node }) =>
        `${address} ${key} ${seconds(fromMs)}-${seconds(untilMs)}, ${kind} ${name}${node ? ` on ${node}` : ''}`,
    ),
    ...rows('ranges').map(({ cidr, node }) => `${cidr} ${node}`),
  ]
}
