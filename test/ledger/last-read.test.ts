import { crc32 } from 'node:zlib'
import t from 'tap'
import { type LastRead, parseLastRead, renderLastRead } from '../../src/ledger/last-read.js'
import type { GenerationReading } from '../../src/model/flows.js'
import { createPairs, type PairTable } from '../../src/sources/flows/pairs.js'
import { createTotals } from '../../src/sources/flows/totals.js'

const MOMENT = { epoch: 'e1', atMs: 2_000, readAtMs: 1_900 }
const PAUSE = () => Promise.resolve()
const IPV4 = Buffer.from([10, 1, 0, 7, 10, 1, 2, 9])
const BACK = Buffer.from([10, 1, 2, 9, 10, 1, 0, 7])
const IPV6 = Buffer.from([...Array(15).fill(0), 1, 0x20, 1, ...Array(13).fill(0), 2])

type Rows = readonly (readonly [key: Buffer, bytes: number])[]

function generationOf(pairs: PairTable, id: number, { seen, via = [] }: { readonly seen: Rows; readonly via?: Rows }): GenerationReading {
  const columnOf = (rows: Rows) => {
    const totals = createTotals(pairs)
    for (const [key, bytes] of rows) totals.raise(pairs.intern(key, 0, key.length), bytes, 1)
    return totals.column
  }
  return { id, closed: false, seen: columnOf(seen), via: columnOf(via) }
}

async function written(pairs: PairTable, generations: readonly GenerationReading[]): Promise<Buffer> {
  return Buffer.concat(await renderLastRead(MOMENT, generations, { pairs, textOf: () => undefined, pause: PAUSE }))
}

async function thenOf(lastRead: LastRead | undefined, now: GenerationReading, pairs: PairTable) {
  const { seen, via } = (await lastRead?.asOfThen(now, pairs, PAUSE)) ?? { seen: undefined, via: undefined }
  const rowsOf = (column: typeof seen) =>
    Array.from({ length: column?.count ?? 0 }, (_, row) => [
      pairs.addressText(pairs.sourceOf(column?.pair[row] ?? 0)),
      pairs.addressText(pairs.destinationOf(column?.pair[row] ?? 0)),
      column?.bytes[row],
    ])
  return { seen: rowsOf(seen), via: rowsOf(via) }
}

t.test('another process knows of each pair what it held, by numbers of its own', async (t) => {
  const before = createPairs(1)
  const file = await written(before, [
    generationOf(before, 3, {
      seen: [
        [IPV4, 2 ** 52 + 1],
        [IPV6, 40],
      ],
      via: [[IPV4, 9]],
    }),
    generationOf(before, 4, { seen: [[BACK, 70]] }),
  ])
  const lastRead = parseLastRead(file)
  t.match(lastRead, MOMENT)
  const pairs = createPairs(2)
  const now = generationOf(pairs, 3, {
    seen: [
      [BACK, 1],
      [IPV6, 50],
      [IPV4, 2 ** 52 + 9],
    ],
    via: [[IPV4, 10]],
  })
  t.same(await thenOf(lastRead, now, pairs), {
    seen: [
      ['10.1.0.7', '10.1.2.9', 2 ** 52 + 1],
      ['::1', '2001::2', 40],
    ],
    via: [['10.1.0.7', '10.1.2.9', 9]],
  })
  t.same(await thenOf(lastRead, generationOf(pairs, 4, { seen: [[BACK, 80]] }), pairs), { seen: [['10.1.2.9', '10.1.0.7', 70]], via: [] })
  t.same(await thenOf(lastRead, generationOf(pairs, 5, { seen: [[BACK, 80]] }), pairs), { seen: [], via: [] }, 'it was not there yet')
})

t.test('a table in which nothing was counted yet', async (t) => {
  const pairs = createPairs(1)
  const lastRead = parseLastRead(await written(pairs, [generationOf(pairs, 1, { seen: [] })]))
  t.match(lastRead, MOMENT)
  t.same(await thenOf(lastRead, generationOf(pairs, 1, { seen: [[IPV4, 5]] }), pairs), { seen: [], via: [] })
})

t.test('which pod had an address', async (t) => {
  const pairs = createPairs(1)
  const options = { pairs, textOf: () => undefined, pause: PAUSE }
  const generations = [generationOf(pairs, 1, { seen: [[IPV4, 5]] })]
  const holderOf = (address: string): string | undefined => (address === '10.1.0.7' ? 'uid-1' : undefined)
  const lastRead = parseLastRead(Buffer.concat(await renderLastRead(MOMENT, generations, { ...options, holderOf })))
  t.same(lastRead?.addresses, ['10.1.0.7', '10.1.2.9'])
  t.same(
    ['10.1.0.7', '10.1.2.9', '10.1.9.9'].map((address) => lastRead?.had(address, 'uid-1')),
    [true, undefined, undefined],
  )
  t.equal(lastRead?.had('10.1.0.7', 'uid-2'), false)
  t.equal(parseLastRead(await written(pairs, generations))?.had('10.1.0.7', 'uid-1'), undefined, 'nobody knew of pods')
})

t.test('when it came what waited', async (t) => {
  const before = createPairs(1)
  const [first, second] = [before.intern(IPV4, 0, IPV4.length), before.intern(IPV6, 0, IPV6.length)]
  const generations = [
    generationOf(before, 1, {
      seen: [
        [IPV4, 900],
        [IPV6, 40],
        [BACK, 1],
      ],
    }),
  ]
  const columnOf = (...rows: readonly (readonly [number, number])[]) => ({
    count: rows.length,
    pair: Int32Array.from(rows.map(([pair]) => pair)),
    bytes: Float64Array.from(rows.map(([, bytes]) => bytes)),
  })
  const waiting = [
    { fromMs: 1, toMs: 2, column: columnOf([first, 900]) },
    { fromMs: 2, toMs: 3, column: columnOf([second, 30], [first, 2 ** 52 + 1]) },
  ]
  const options = { pairs: before, textOf: () => undefined, pause: PAUSE }
  const lastRead = parseLastRead(Buffer.concat(await renderLastRead(MOMENT, generations, { ...options, waiting })))
  const pairs = createPairs(2)
  const back = pairs.intern(BACK, 0, BACK.length)
  const now = columnOf([pairs.intern(IPV6, 0, IPV6.length), 0], [pairs.intern(IPV4, 0, IPV4.length), 0], [back, 0])
  const found: unknown[] = []
  for await (const { fromMs, toMs, column } of lastRead?.waitedThen(now, pairs, PAUSE) ?? [])
    found.push([
      fromMs,
      toMs,
      Array.from({ length: column.count }, (_, row) => [pairs.addressText(pairs.sourceOf(column.pair[row] ?? 0)), column.bytes[row]]),
    ])
  t.same(found, [
    [1, 2, [['10.1.0.7', 900]]],
    [
      2,
      3,
      [
        ['::1', 30],
        ['10.1.0.7', 2 ** 52 + 1],
      ],
    ],
  ])
})

t.test('of a version that wrote down neither who had an address nor what waits', async (t) => {
  const header = { version: 1, ...MOMENT, textBytes: 17, columns: [[1, 1, 0]] }
  const row = Buffer.alloc(16)
  row.writeUInt32LE(1, 4)
  row.writeDoubleLE(900, 8)
  const body = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n10.1.0.7\n10.1.2.9`), row])
  const lastRead = parseLastRead(Buffer.concat([Buffer.from(`${crc32(body).toString(16).padStart(8, '0')} `), body]))
  t.match(lastRead, { ...MOMENT, addresses: ['10.1.0.7', '10.1.2.9'] })
  const pairs = createPairs(1)
  const now = generationOf(pairs, 1, { seen: [[IPV4, 950]] })
  t.same((await thenOf(lastRead, now, pairs)).seen, [['10.1.0.7', '10.1.2.9', 900]])
  t.equal(lastRead?.had('10.1.0.7', ''), undefined)
  for await (const arrivals of lastRead?.waitedThen(now.seen, pairs, PAUSE) ?? []) t.fail(`came then: ${JSON.stringify(arrivals)}`)
})

t.test('what is not whole is nothing', async (t) => {
  const pairs = createPairs(1)
  const file = await written(pairs, [generationOf(pairs, 1, { seen: [[IPV4, 5]] })])
  t.ok(parseLastRead(file))
  for (let length = 0; length < file.length; length++) t.notOk(parseLastRead(file.subarray(0, length)), `${length} bytes`)
  for (let at = 0; at < file.length; at++) {
    const damaged = Buffer.from(file)
    damaged[at] = (damaged[at] ?? 0) ^ 4
    t.notOk(parseLastRead(damaged), `byte ${at}`)
  }
})
