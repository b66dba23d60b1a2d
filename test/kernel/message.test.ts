import t from 'tap'
import {
  attribute,
  attributesOf,
  encodeMessage,
  nested,
  text,
  textOf,
  uint32,
  uint32Of,
  uint64,
  uint64Of,
} from '../../src/kernel/message.js'

t.test('attributes are padded to four bytes and numbers in network order', async (t) => {
  const cases = [
    { name: 'empty', encoded: attribute(1, Buffer.alloc(0)), hex: '04000100' },
    { name: 'one byte', encoded: attribute(3, Buffer.from([7])), hex: '0500030007000000' },
    { name: 'text has its zero', encoded: text(2, 'abc'), hex: '0800020061626300' },
    { name: 'a number', encoded: uint32(4, 0x01020304), hex: '0800040001020304' },
    { name: 'a negative number', encoded: uint32(4, -3), hex: '08000400fffffffd' },
    { name: 'a long number', encoded: uint64(4, 31_536_000_000), hex: '0c00040000000007' + '57b12c00' },
    { name: 'within another', encoded: nested(2, uint32(1, 5)), hex: '0c00028008000100' + '00000005' },
  ]
  for (const { name, encoded, hex } of cases) t.equal(encoded.toString('hex'), hex, name)
})

t.test('a message has its length, type, flags and sequence number', async (t) => {
  const message = encodeMessage({ type: 0xa00, flags: 0x401, body: Buffer.from([1, 0, 0, 0]) }, 7)
  t.equal(message.toString('hex'), '140000' + '00' + '000a' + '0104' + '07000000' + '00000000' + '01000000')
})

t.test('attributes that came back', async (t) => {
  const cases: { name: string; hex: string; found: [number, string][] }[] = [
    { name: 'none', hex: '', found: [] },
    {
      name: 'two, padded',
      hex: '0500010007000000' + '0800020061626300',
      found: [
        [1, '07'],
        [2, '61626300'],
      ],
    },
    {
      name: 'flags in the type',
      hex: '0500018007000000' + '0500024007000000',
      found: [
        [1, '07'],
        [2, '07'],
      ],
    },
    { name: 'a type that is repeated', hex: '0500010007000000' + '0500010008000000', found: [[1, '08']] },
    { name: 'the last without padding', hex: '0500010007', found: [[1, '07']] },
    { name: 'longer than what is there', hex: '0500010007000000' + '0900020061626300', found: [[1, '07']] },
    { name: 'shorter than its own header', hex: '0500010007000000' + '0300020061626300', found: [[1, '07']] },
    { name: 'half a header', hex: '0500010007000000' + '0500', found: [[1, '07']] },
  ]
  for (const { name, hex, found } of cases) {
    t.same(
      [...attributesOf(Buffer.from(hex, 'hex'))].map(([type, data]) => [type, data.toString('hex')]),
      found,
      name,
    )
  }
  t.equal(attributesOf(undefined).size, 0)
})

t.test('values that came back, and what is there instead of one', async (t) => {
  t.equal(textOf(Buffer.from('abc\0rest')), 'abc')
  t.equal(textOf(undefined), '')
  t.equal(uint32Of(Buffer.from('fffffffd', 'hex')), 0xfffffffd)
  t.equal(uint32Of(Buffer.from('ff', 'hex')), 0)
  t.equal(uint64Of(Buffer.from('001fffffffffffff', 'hex')), Number.MAX_SAFE_INTEGER)
  t.equal(uint64Of(undefined), 0)
})
