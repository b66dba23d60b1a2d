import t from 'tap'
import { parseSamples, readSamplesInPieces } from '../../src/formats/prometheus-samples.js'

t.test('parseSamples', async (t) => {
  const cases = [
    { name: 'no labels', text: 'a_total 1', samples: [{ name: 'a_total', labels: {}, value: 1 }], rejected: 0 },
    { name: 'empty braces', text: 'a{} 1', samples: [{ name: 'a', labels: {}, value: 1 }], rejected: 0 },
    { name: 'a time', text: 'a 1.5e+3 1395066363000', samples: [{ name: 'a', labels: {}, value: 1500 }], rejected: 0 },
    { name: 'labels', text: 'a{b="c",d_1="e"} 1', samples: [{ name: 'a', labels: { b: 'c', d_1: 'e' }, value: 1 }], rejected: 0 },
    { name: 'a comma at the end', text: 'a{b="c",} 1', samples: [{ name: 'a', labels: { b: 'c' }, value: 1 }], rejected: 0 },
    {
      name: 'everything that may stand in a value',
      text: String.raw`a{b="} 1 {,\"\\\n é"} 2`,
      samples: [{ name: 'a', labels: { b: '} 1 {,"\\\n é' }, value: 2 }],
      rejected: 0,
    },
    { name: 'a tab', text: 'a\t1', samples: [{ name: 'a', labels: {}, value: 1 }], rejected: 0 },
    { name: 'infinity', text: 'a +Inf', samples: [{ name: 'a', labels: {}, value: Number.POSITIVE_INFINITY }], rejected: 0 },
    { name: 'comments and empty lines', text: '# HELP a b\n\n# TYPE a counter\n', samples: [], rejected: 0 },
    { name: 'not asked for', text: 'other{x="y"} nonsense', samples: [], rejected: 0 },
    { name: 'no number', text: 'a x\na\na{} \n', samples: [], rejected: 3 },
    { name: 'no value', text: 'a NaN\na{b="c"} nan\n', samples: [], rejected: 0 },
    { name: 'no name', text: '{"a.b"} 1\n1 2\na;b 3\n', samples: [], rejected: 3 },
    { name: 'labels that are none', text: 'a{b=c} 1\na{b="c" d="e"} 1\na{b="c} 1\n', samples: [], rejected: 3 },
  ]
  for (const { name, text, samples, rejected } of cases)
    t.same(
      parseSamples(text, (sample) => sample !== 'other'),
      { samples, rejected },
      name,
    )
})

async function* cut(text: string, length: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length)
}

t.test('in pieces, wherever they are cut', async (t) => {
  const text = '# TYPE a counter\na_total{b="é\\""} 1\nother 5\na_total{b=c} 2\na_total 3\n'
  const cases = [
    { name: 'a whole one', text: `${text}# EOF\n`, isWhole: true, refused: 1 },
    { name: 'one without an end', text, isWhole: false, refused: 1 },
    { name: 'one whose last line is not ended', text: text.slice(0, -1), isWhole: false, refused: 1 },
    { name: 'one that is cut within its end', text: `${text}# EO`, isWhole: false, refused: 1 },
    { name: 'one that goes on behind its end', text: `${text}# EOF\na_tot`, isWhole: false, refused: 2 },
  ]
  for (const { name, text, isWhole, refused } of cases)
    for (const length of [1, 7, 1_000]) {
      const found: unknown[] = []
      const { rejected, ...read } = await readSamplesInPieces(
        cut(text, length),
        (sample) => sample !== 'other',
        (_, labelText, value) => labelText !== 'b=c' && found.push([labelText, value]) > 0,
      )
      t.same(
        [found, rejected, read.isWhole],
        [
          [
            ['b="é\\""', 1],
            ['', 3],
          ],
          refused,
          isWhole,
        ],
        `${name}, by ${length}`,
      )
    }
  const long = 'x'.repeat(200_000)
  for (const [name, text] of [
    ['a long line among others', `a_total 1\n${long} 1\na_total 2\n# EOF\n`],
    ['one that has no end', `a_total 1\na_total 2\n${long}`],
  ] as const)
    for (const length of [1_000, 65_536, 1 << 20]) {
      const values: number[] = []
      const { rejected } = await readSamplesInPieces(
        cut(text, length),
        () => true,
        (_, __, value) => values.push(value) > 0,
      )
      t.same([values, rejected], [[1, 2], 1], `${name}, by ${length}`)
    }
  t.same(
    await readSamplesInPieces(
      cut('', 1),
      () => true,
      () => true,
    ),
    { rejected: 0, isWhole: false },
  )
})

/** The values of one that comes at once. */
async function readAtOnce(text: string): Promise<{ readonly values: readonly number[]; readonly rejected: number }> {
  const values: number[] = []
  const { rejected } = await readSamplesInPieces(
    cut(text, text.length),
    () => true,
    (_, __, value) => values.push(value) > 0,
  )
  return { values, rejected }
}

t.test('a long text leaves the loop to others', async (t) => {
  const text = Array.from({ length: 50_000 }, (_, i) => `a{b="${i}"} ${i}\n`).join('')
  let turns = 0
  let isParsed = false
  const parsing = readAtOnce(text).finally(() => {
    isParsed = true
  })
  while (!isParsed) {
    await new Promise((resolve) => setImmediate(resolve))
    turns++
  }
  t.ok(turns > text.length / 200_000, `${turns} turns`)
  t.equal((await parsing).values.length, 50_000)
})

t.test('a line that is longer than any that is meant to be read is not looked into', async (t) => {
  const long = 'x'.repeat(1 << 20)
  for (const line of [`a{b="${long}"} 1`, `a{${'b="c",'.repeat(1 << 17)}} 1`, `${long} 1`])
    t.same(await readAtOnce(`${line}\na 2\n`), { values: [2], rejected: 1 }, line.slice(0, 10))
})
