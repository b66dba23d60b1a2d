import t from 'tap'
import { readElements } from '../../src/kernel/elements.js'
import { attribute, nested, text, uint64 } from '../../src/kernel/message.js'

const key = (hex: string): Buffer => nested(1, attribute(1, Buffer.from(hex, 'hex')))
const counter = (bytes: number): Buffer => Buffer.concat([text(1, 'counter'), nested(2, uint64(1, bytes), uint64(2, 3))])
const pair = '0a00000' + '10a000002'
const list = (...elements: readonly Uint8Array[]): Buffer => Buffer.concat([text(1, 'table'), text(2, 'set'), nested(3, ...elements)])

t.test('elements as kernels write them', async (t) => {
  const cases: { name: string; message: Buffer; found: [string, number][] }[] = [
    { name: 'a set without elements', message: Buffer.concat([text(1, 'table'), text(2, 'set')]), found: [] },
    { name: 'one with a counter', message: list(nested(1, key(pair), nested(7, counter(500)))), found: [[pair, 500]] },
    { name: 'with times', message: list(nested(1, key(pair), uint64(4, 1), uint64(5, 1), nested(7, counter(500)))), found: [[pair, 500]] },
    { name: 'a list of expressions', message: list(nested(1, key(pair), nested(11, nested(1, counter(500))))), found: [[pair, 500]] },
    { name: 'without a counter', message: list(nested(1, key(pair))), found: [[pair, 0]] },
    {
      name: 'without a key, beside one',
      message: list(nested(1, nested(7, counter(1))), nested(1, key(pair), nested(7, counter(2)))),
      found: [[pair, 2]],
    },
    {
      name: 'a counter beyond 32 bits',
      message: list(nested(1, key(pair), nested(7, counter(2 ** 53 - 1)))),
      found: [[pair, 2 ** 53 - 1]],
    },
    {
      name: 'of several shapes in turns, some of one length',
      message: list(
        nested(1, key(pair), nested(7, counter(1))),
        nested(1, nested(7, counter(2)), key(pair)),
        nested(1, key(pair), nested(7, counter(3))),
        nested(1, key(pair)),
        nested(1, key(pair), uint64(4, 1), nested(7, counter(4))),
        nested(1, key(pair), nested(7, counter(5)), uint64(4, 1)),
        nested(1, key(pair), nested(7, nested(2, uint64(1, 6), uint64(2, 3)), text(1, 'counter'))),
        nested(1, key(pair), nested(7, counter(7))),
      ),
      found: [1, 2, 3, 0, 4, 5, 6, 7].map((bytes) => [pair, bytes]),
    },
    { name: 'IPv6', message: list(nested(1, key(pair.repeat(4)), nested(7, counter(9)))), found: [[pair.repeat(4), 9]] },
  ]
  for (const { name, message, found } of cases) {
    const seen: [string, number][] = []
    const buffer = Buffer.concat([Buffer.alloc(20), message])
    readElements(buffer, 20, buffer.length, (data, offset, length, bytes) =>
      seen.push([data.toString('hex', offset, offset + length), bytes]),
    )
    t.same(seen, found, name)
  }
})

t.test('a message cut anywhere gives whole elements or none', async (t) => {
  const buffer = list(nested(1, key(pair), nested(7, counter(500))), nested(1, key(pair), nested(7, counter(600))))
  for (let end = 0; end < buffer.length; end++) {
    const seen: number[] = []
    readElements(buffer.subarray(0, end), 0, end, (_buffer, _offset, _length, bytes) => seen.push(bytes))
    t.same(seen, [], `${end} of ${buffer.length} bytes`)
  }
})
