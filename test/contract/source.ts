// What every source must do, whatever it reads. A test of a source calls this beside its own tables.
import type { Test } from 'tap'
import type { FlowReading } from '../../src/model/flows.js'
import type { Family, MarkReading, Reading, RowReading, Source } from '../../src/model.js'
import { NotHere, OWNER_LABELS } from '../../src/sources/source.js'

/** Each makes the source in one situation. Where a situation cannot be, say so in a comment and leave it out. */
export interface Situations {
  /** What it reads does not exist on this node, or is switched off. */
  readonly absent?: () => Source
  /** It is there and says nothing. */
  readonly empty: () => Source
  /** It cannot be read just now; `failure` is what the disk or the kernel threw. */
  readonly failing: (failure: Error) => Source
  /** A real capture, without a fault. */
  readonly recorded: () => Source
  /** The same capture, cut off within its last row. */
  readonly torn?: () => Source
  /** Never answers, and does not listen to the signal. */
  readonly hanging?: () => Source
}

const DEADLINE_MS = 1_000

export function testSourceContract(t: Test, situations: Situations): void {
  const { absent, empty, failing, recorded, torn, hanging } = situations

  t.test('its families are well formed', async (t) => {
    for (const { name, kind, labels, help } of recorded().families) {
      t.match(name, kind === 'counter' ? /^meshtoll_[a-z_]+_total$/ : /^meshtoll_[a-z_]+(?<!_total)$/, name)
      t.match(help, /^[A-Z].*\.$/, `${name}: help is a sentence`)
      t.ok(
        labels.every((label) => /^[a-z_]+$/.test(label)),
        `${name}: labels`,
      )
    }
  })

  if (absent) {
    t.test('absent here: NotHere, each time, with what is absent and why', async (t) => {
      const source = absent()
      for (const attempt of ['first', 'second']) {
        const error = await failureOf(read(source))
        t.ok(error instanceof NotHere && error.message.length > 0 && error.cause instanceof Error, `${attempt}: ${error}`)
      }
    })
  }

  t.test('empty: nothing read, nothing rejected', async (t) => {
    t.same(await read(empty()), { readings: [], rejected: 0 })
  })

  t.test('a failure passes as it is, not as an absence', async (t) => {
    const failure = Object.assign(new Error('i/o error'), { code: 'EIO' })
    t.equal(await failureOf(read(failing(failure))), failure)
  })

  t.test('a real capture: each series once, in a declared family, with its labels', async (t) => {
    const source = recorded()
    const { readings, rejected } = await read(source)
    t.equal(rejected, 0)
    t.ok(readings.length > 0)
    const values = readings.filter(isNamed)
    t.same(values.filter((reading) => !isDeclared(reading, source.families)).map(keyOf), [], 'all as declared')
    t.equal(new Set(values.map(keyOf)).size, values.length, 'none twice')
  })

  if (torn) {
    t.test('a torn last row costs that row', async (t) => {
      const whole = await read(recorded())
      const { readings, rejected } = await read(torn())
      t.equal(rejected, 1)
      t.ok(readings.length > 0)
      t.same(readings, whole.readings.slice(0, readings.length), 'the others stand')
    })
  }

  t.test('an aborted read rejects with the reason', async (t) => {
    const reason = new Error('the cycle is over')
    t.equal(await failureOf(recorded().read(AbortSignal.abort(reason))), reason, 'aborted before')
    if (!hanging) return
    const abort = new AbortController()
    const reading = failureOf(hanging().read(abort.signal))
    abort.abort(reason)
    t.equal(await Promise.race([reading, deadline()]), reason, 'aborted while it hangs')
  })
}

function read(source: Source): ReturnType<Source['read']> {
  return source.read(new AbortController().signal)
}

/** Undefined when there was none. */
async function failureOf(reading: Promise<unknown>): Promise<unknown> {
  return await reading.then(
    () => undefined,
    (error: unknown) => error,
  )
}

function deadline(): Promise<Error> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(new Error(`not within ${DEADLINE_MS} ms`)), DEADLINE_MS).unref()
  })
}

type Named = Exclude<Reading, FlowReading | MarkReading | RowReading>

const NAMELESS: readonly Reading['kind'][] = ['flows', 'mark', 'row']
const isNamed = (reading: Reading): reading is Named => !NAMELESS.includes(reading.kind)

const peerOf = (reading: Named) => (reading.kind === 'total' ? undefined : reading.peer)

function keyOf(reading: Named): string {
  const { family, labels } = reading
  const whose =
    reading.kind === 'total' ? [reading.target, reading.series] : [reading.pod?.uid, peerOf(reading)?.address, peerOf(reading)?.during]
  return JSON.stringify([family.name, labels, ...whose])
}

/** Of a pod its owner's labels are found out later, as are those of whoever has an address. */
function isDeclared(reading: Named, families: readonly Family[]): boolean {
  const { family, labels } = reading
  const value = (reading.kind === 'event' ? reading.count : reading.value) ?? 0
  const all = [...(reading.pod ? OWNER_LABELS : []), ...Object.keys(labels), ...Object.keys(peerOf(reading)?.says ?? {})]
  return families.includes(family) && all.join() === family.labels.join() && Number.isFinite(value) && value >= 0
}
