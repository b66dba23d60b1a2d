import { crc32 } from 'node:zlib'
import t from 'tap'
import type { Batch, Head, State, StateRows } from '../../src/ledger/state.js'
import { NOTHING_COUNTED, parseState, renderBatch, renderState, VERSION } from '../../src/ledger/state.js'

const HEAD: Head = {
  version: VERSION,
  epoch: 'e1',
  atMs: 1_763_715_600_000,
  unbrokenSinceMs: 1_763_700_000_000,
  counters: NOTHING_COUNTED,
  complete: true,
  closed: [1],
  live: [2, 3],
  settled: 40,
  closedTransit: -7,
}
const ROWS: StateRows = {
  head: HEAD,
  owners: [
    [0, 'zone "a"', 'shop', 'Deployment', 'cart\n'],
    [1, '_unknown', '', '', ''],
  ],
  addresses: [['10.0.0.1', 0, 'r1', false, 'yes', 'no']],
  waits: [['10.0.0.9', 5_000]],
  accounts: [
    ['f:0:1:unknown', -900, 100, 5, 0],
    ['b:posted', -1000, 100, 0, 0],
  ],
  folded: ['f:1:0:unknown'],
  marks: [['10.0.0.1', 'fd00::1', 12, 3]],
}
const BATCH: Batch = {
  atMs: 1_763_715_610_000,
  unbrokenSinceMs: 1_763_715_605_000,
  counters: NOTHING_COUNTED,
  live: [3],
  settled: 50,
  closedTransit: 0,
  owners: [[2, 'b', 'shop', 'Deployment', 'stock']],
  addresses: [['10.0.0.1', 2, 'r2', false, 'yes', 'unknown']],
  waits: [['10.0.0.1', 9_000]],
  opened: [['f:2:1:cross_zone', 9]],
  withdrawn: ['f:0:1:unknown'],
  folded: ['f:2:2:same_zone'],
  marks: [['10.0.0.1', 'fd00::1', 20, 4]],
  adjust: [
    ['f:0:1:unknown', 30],
    ['f:2:1:cross_zone', -30],
  ],
}

const CHECKPOINT: State = {
  head: HEAD,
  owners: [...ROWS.owners],
  addresses: new Map([['10.0.0.1', ['10.0.0.1', 0, 'r1', false, 'yes', 'no']]]),
  waits: new Map([['10.0.0.9', 5_000]]),
  accounts: new Map([
    ['f:0:1:unknown', ['f:0:1:unknown', -900, 100, 5, 0]],
    ['b:posted', ['b:posted', -1000, 100, 0, 0]],
  ]),
  folded: new Set(['f:1:0:unknown']),
  marks: new Map([['10.0.0.1 fd00::1', ['10.0.0.1', 'fd00::1', 12, 3]]]),
}
const AFTER_BATCH: State = {
  head: {
    ...HEAD,
    atMs: BATCH.atMs,
    unbrokenSinceMs: BATCH.unbrokenSinceMs,
    counters: NOTHING_COUNTED,
    live: [3],
    settled: 50,
    closedTransit: 0,
    complete: false,
  },
  owners: [...ROWS.owners, ...BATCH.owners],
  addresses: new Map([['10.0.0.1', ['10.0.0.1', 2, 'r2', false, 'yes', 'unknown']]]),
  waits: new Map([
    ['10.0.0.9', 5_000],
    ['10.0.0.1', 9_000],
  ]),
  accounts: new Map([
    ['f:0:1:unknown', ['f:0:1:unknown', -870, 0, 5, 1]],
    ['b:posted', ['b:posted', -1000, 100, 0, 0]],
    ['f:2:1:cross_zone', ['f:2:1:cross_zone', -30, 0, 9, 0]],
  ]),
  folded: new Set(['f:1:0:unknown', 'f:2:2:same_zone']),
  marks: new Map([['10.0.0.1 fd00::1', ['10.0.0.1', 'fd00::1', 20, 4]]]),
}

const lineOf = (value: object): string => {
  const text = JSON.stringify(value)
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`
}
const checkpoint = [...renderState(ROWS)].join('')
const goOn = async (): Promise<void> => undefined
const parse = (file: Buffer) => parseState(file, goOn)
const whole = Buffer.from(checkpoint + renderBatch(BATCH))

t.test('parseState', async (t) => {
  const cases = [
    { name: 'an empty file', text: '', state: undefined, version: 0, tornBytes: 0 },
    { name: 'a checkpoint', text: checkpoint, state: CHECKPOINT, version: 1, tornBytes: 0 },
    { name: 'a checkpoint and a line', text: checkpoint + renderBatch(BATCH), state: AFTER_BATCH, version: 1, tornBytes: 0 },
    { name: 'a checkpoint without its end', text: checkpoint.replace(/.*"end".*\n/, ''), state: undefined, version: 1, tornBytes: 0 },
    { name: 'text of another program', text: 'hello\nworld\n', state: undefined, version: 0, tornBytes: 0 },
    {
      name: 'a line of zeros, as a lost page reads',
      text: `${checkpoint}${'\0'.repeat(40)}\n`,
      state: undefined,
      version: 1,
      tornBytes: 0,
    },
    { name: 'zeros behind the end', text: `${checkpoint}${'\0'.repeat(40)}`, state: CHECKPOINT, version: 1, tornBytes: 40 },
    {
      name: 'a later version, whose lines are not known',
      text: [{ head: { version: 9, generations: {} } }, { accounts: { f: 1 } }, { batch: null }, { end: true }].map(lineOf).join(''),
      state: undefined,
      version: 9,
      tornBytes: undefined,
    },
  ]
  for (const { name, text, state, version, tornBytes } of cases) {
    const parsed = await parse(Buffer.from(text))
    t.same(parsed.state, state, name)
    t.equal(parsed.version, version, `${name}: its version`)
    if (tornBytes !== undefined) t.equal(parsed.tornBytes, tornBytes, `${name}: what is torn off`)
  }
})

t.test('a file that ends anywhere is read up to its last whole line', async (t) => {
  for (let length = 0; length <= whole.length; length++) {
    const { state, tornBytes } = await parse(whole.subarray(0, length))
    const expected = length < checkpoint.length ? undefined : length < whole.length ? CHECKPOINT : AFTER_BATCH
    const lineStart = whole.subarray(0, length).lastIndexOf('\n') + 1
    if (state?.head.atMs !== expected?.head.atMs || tornBytes !== length - lineStart) t.fail(`cut at ${length}`)
  }
  t.same((await parse(whole.subarray(0, whole.length - 1))).state, CHECKPOINT)
})

t.test('one changed byte anywhere in a whole line makes the file void', async (t) => {
  const believed: number[] = []
  for (let at = 0; at < whole.length - 1; at++) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    if ((await parse(damaged)).state !== undefined) believed.push(at)
  }
  t.same(believed, [])
})

t.test('a large state is rendered in many short lines and read again', async (t) => {
  const accounts = Array.from({ length: 1201 }, (_, at) => [`b:${at}`, at, 0, 0, 0] as const)
  const lines = [...renderState({ ...ROWS, accounts })]
  t.ok(Math.max(...lines.map((line) => line.length)) < 50_000, 'no line is long')
  let pauses = 0
  const { state } = await parseState(Buffer.from(lines.join('')), async () => void pauses++)
  t.same([...(state?.accounts.values() ?? [])], accounts)
  t.equal(pauses, lines.length, 'giving way behind each')
})
