import t from 'tap'
import { createInventoryFile, type InventoryFile } from '../../src/agent/inventory-file.js'
import { type ParsedInventory, type ParseInventory, parseInventory } from '../../src/config/inventory.js'

const NOT_STOPPED = new AbortController().signal

interface Judgement {
  readonly text: string
  readonly signal: AbortSignal | undefined
  answer(parsed: ParsedInventory): void
  fail(error: Error): void
}

/** A file, a clock and a parser in the test's hands. Waiting takes no time; `onSleep` is what happens meanwhile. */
interface Situation {
  readonly file: InventoryFile
  readonly judged: readonly Judgement[]
  readonly last: Judgement | undefined
  text: string
  monotonicMs: number
  onSleep: () => void
  answersAtOnce: boolean
}

const inventoryOf = (name: string): string => `entries: [{cidr: 10.0.0.0/8, ownerName: ${name}}]`
const parsedOf = (text: string): ParsedInventory => parseInventory(text, {})

function createSituation(text: string): Situation {
  const judged: Judgement[] = []
  const parse: ParseInventory = (text, _, signal) =>
    new Promise((resolve, reject) => {
      judged.push({ text, signal, answer: resolve, fail: reject })
      if (situation.answersAtOnce) resolve(parsedOf(text))
    })
  const clock = {
    now: () => 0,
    monotonic: () => situation.monotonicMs,
    async sleep() {
      await new Promise(setImmediate)
      situation.onSleep()
    },
  }
  const file = createInventoryFile(
    { path: '/etc/inventory.yaml', environment: {}, text },
    { readFile: async () => situation.text, parseInventory: parse, clock },
  )
  const situation: Situation = {
    file,
    judged,
    get last() {
      return judged.at(-1)
    },
    text,
    monotonicMs: 0,
    onSleep: () => undefined,
    answersAtOnce: true,
  }
  return situation
}

/** Who 10.0.0.0/8 is, by the entries that are new. */
async function read({ file }: Situation, signal = NOT_STOPPED): Promise<string | undefined> {
  return (await file.read(signal))?.[0]?.ownerName
}

t.test('a change is told once', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  t.equal(await read(situation), undefined, 'what it said at the start')
  situation.text = inventoryOf('stock')
  t.equal(await read(situation), 'stock')
  t.equal(await read(situation), undefined)
  t.equal(situation.judged.length, 1)
})

t.test('a text that is still being written is not judged', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.text = inventoryOf('st')
  situation.onSleep = () => {
    situation.text = inventoryOf('stock')
  }
  t.equal(await read(situation), undefined)
  t.same(situation.judged, [])
  t.equal(await read(situation), 'stock')
})

t.test('a text with mistakes is judged once, and said as long as it is there', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.text = `entries: [${'{cidr: a}, '.repeat(5)}]`
  const message = `meshtoll: inventory.yaml has 5 mistakes
  1:18  cidr is "a"; expected a range such as 10.1.2.0/24 or 2001:db8::/64
  1:29  cidr is "a"; expected a range such as 10.1.2.0/24 or 2001:db8::/64
  1:40  cidr is "a"; expected a range such as 10.1.2.0/24 or 2001:db8::/64
  and 2 more
  until it is right, what was known before stays in force`
  await t.rejects(read(situation), { message })
  situation.monotonicMs += 3_600_000
  await t.rejects(read(situation), { message })
  t.equal(situation.judged.length, 1)
  situation.text = inventoryOf('cart')
  t.equal(await read(situation), undefined, 'what is in force is there again')
  situation.text = inventoryOf('stock')
  t.equal(await read(situation), 'stock')
})

t.test('nobody waits for a long judgement', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.answersAtOnce = false
  situation.text = inventoryOf('stock')
  t.equal(await read(situation), undefined)
  t.equal(await read(situation), undefined)
  const [only] = situation.judged
  only?.answer(parsedOf(only.text))
  t.equal(await read(situation), 'stock')
  t.equal(situation.judged.length, 1, 'it is judged once')
})

t.test('a file that changes more often than it is judged', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.answersAtOnce = false
  const taken: (string | undefined)[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    situation.text = inventoryOf(name)
    taken.push(await read(situation))
    if (name === 'b' || name === 'e') situation.last?.answer(parsedOf(situation.last.text))
  }
  t.same(taken, [undefined, undefined, 'a', undefined, undefined, 'd'], 'what is judged is taken, then the newest is judged')
  t.same(
    situation.judged.map(({ text, signal }) => [text, signal?.aborted]),
    [
      [inventoryOf('a'), false],
      [inventoryOf('d'), false],
    ],
    'none is given up, and only the newest waits',
  )
})

t.test('a mistake is said though the file has changed since, until there is another verdict', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.answersAtOnce = false
  situation.text = 'entries: [{cidr: a}]'
  t.equal(await read(situation), undefined)
  situation.last?.answer(parsedOf(situation.text))
  situation.text = inventoryOf('stock')
  const message = /inventory\.yaml has 1 mistake\n {2}1:18 {2}cidr is "a"/
  await t.rejects(read(situation), { message })
  await t.rejects(read(situation), { message }, 'while the next one is judged')
  situation.onSleep = () => {
    situation.text = inventoryOf('web')
  }
  await t.rejects(read(situation), { message }, 'while it changes')
  t.equal(situation.judged.length, 2)
  situation.last?.answer(parsedOf(inventoryOf('stock')))
  t.equal(await read(situation), 'stock')
  t.equal(await read(situation), undefined, 'and it is forgotten')
})

t.test('what is in force is there again: no other text is judged any longer', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.answersAtOnce = false
  situation.text = inventoryOf('stock')
  t.equal(await read(situation), undefined)
  const [first] = situation.judged
  situation.text = inventoryOf('cart')
  t.equal(await read(situation), undefined)
  t.equal(first?.signal?.aborted, true)
  first?.answer(parsedOf(first.text))
  t.equal(await read(situation), undefined, 'and its answer is not heard')
  t.equal(situation.judged.length, 1)
})

t.test('whoever stops waiting stops only that', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.answersAtOnce = false
  situation.text = inventoryOf('stock')
  t.equal(await read(situation), undefined)
  await t.rejects(situation.file.read(AbortSignal.abort(new Error('stopped'))), { message: 'stopped' })
  const [only] = situation.judged
  t.equal(only?.signal?.aborted, false)
  only?.answer(parsedOf(only.text))
  t.equal(await read(situation), 'stock')
})

t.test('what could not be judged is tried again after a minute', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.answersAtOnce = false
  situation.text = inventoryOf('stock')
  t.equal(await read(situation), undefined)
  situation.judged[0]?.fail(new Error('no thread'))
  await t.rejects(read(situation), { message: 'no thread' })
  situation.monotonicMs = 59_999
  await t.rejects(read(situation), { message: 'no thread' })
  t.equal(situation.judged.length, 1)
  situation.monotonicMs = 60_000
  situation.answersAtOnce = true
  t.equal(await read(situation), 'stock')
})

t.test('what fails while nobody waits is said by the next read', async (t) => {
  const situation = createSituation(inventoryOf('cart'))
  situation.answersAtOnce = false
  situation.text = inventoryOf('stock')
  t.equal(await read(situation), undefined)
  situation.judged[0]?.fail(new Error('no thread'))
  await new Promise(setImmediate)
  await t.rejects(read(situation), { message: 'no thread' })
})
