import t from 'tap'
import { createInterner, type Interner } from '../../../src/sources/flows/interner.js'
import { fc } from '../../property.js'

const WIDTH = 2
const internRow = (interner: Interner, row: readonly number[]): number => {
  interner.key.set(row)
  return interner.intern()
}
/** Few values, so that rows come again. */
const row = fc.tuple(fc.constantFrom(0, 1, 2, 0x80000000, 0xffffffff), fc.nat({ max: 8 }))
const step = fc.record({ row, isFreed: fc.boolean() })

t.test('does what a map of texts does, rows coming and going', async (t) => {
  const property = fc.property(fc.integer(), fc.array(step, { maxLength: 400 }), (seed, steps) => {
    const interner = createInterner(WIDTH, seed)
    const oracle = new Map<string, number>()
    for (const { row, isFreed } of steps) {
      const text = row.join()
      const known = oracle.get(text)
      if (isFreed && known !== undefined) {
        interner.free(known)
        oracle.delete(text)
        continue
      }
      const number = internRow(interner, row)
      if (known === undefined ? [...oracle.values()].includes(number) : number !== known) return false
      oracle.set(text, number)
    }
    const words = [...oracle].every(([text, number]) => text === `${interner.word(number, 0)},${interner.word(number, 1)}`)
    return words && [...oracle.values()].every((number) => number < interner.size)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
})

t.test('grows, and takes freed numbers again before new ones', async (t) => {
  const interner = createInterner(WIDTH, 7)
  const count = 20_000
  for (let i = 0; i < count; i++) if (internRow(interner, [i, i % 13]) !== i) t.fail(`row ${i} has not the next number`)
  t.equal(interner.size, count)
  for (let i = 0; i < count; i += 2) interner.free(i)
  for (let i = 1; i < count; i += 2) if (internRow(interner, [i, i % 13]) !== i) t.fail(`row ${i} is lost`)
  for (let i = 0; i < count / 2; i++) internRow(interner, [i, 99])
  t.equal(interner.size, count)
})
