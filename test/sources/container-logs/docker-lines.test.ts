import { appendFileSync, mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createLines } from '../../../src/sources/container-logs/lines.js'
import { podLog } from '../../../src/sources/container-logs/segments.js'
import { fc, runs } from '../../property.js'
import { createWorld, target } from '../istiod-log/world.js'
import { pushLine } from './cri-log.js'

/** As Docker writes it (daemon/logger/jsonfilelog/jsonlog): as JSON, of which HTML is kept out. */
const dockerLine = (log: string, stream = 'stdout'): string => {
  const text = JSON.stringify(log)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('>', String.raw`\u003e`)
    .replaceAll('&', String.raw`\u0026`)
  return `{"log":${text},"stream":"${stream}","time":"2026-11-21T05:46:20.275502123Z"}\n`
}

function read(written: string, { wanted = ['wanted'], piece = written.length }: { wanted?: readonly string[]; piece?: number } = {}) {
  const seen: string[] = []
  const lines = createLines({ wanted, onWanted: (text) => seen.push(text) })
  const bytes = Buffer.from(written)
  let rest = Buffer.alloc(0)
  for (let at = 0; at < bytes.length; at += piece) {
    rest = Buffer.concat([rest, bytes.subarray(at, at + piece)])
    rest = Buffer.from(rest.subarray(lines.take(rest)))
  }
  return { seen, count: lines.count() }
}

t.test("Docker's lines", async (t) => {
  const cases = [
    { name: 'a line', written: dockerLine('wanted\tby "somebody"\n'), seen: ['wanted\tby "somebody"'], count: 1 },
    { name: 'one that is not wanted', written: dockerLine('another\n'), seen: [], count: 1 },
    {
      name: 'one in parts, between those of the other stream',
      written: [dockerLine('wan'), dockerLine('wanted too\n', 'stderr'), dockerLine('ted\n')].join(''),
      seen: ['wanted too', 'wanted'],
      count: 2,
    },
    {
      name: 'a part that ends in a backslash and an n',
      written: dockerLine(String.raw`wanted \n`) + dockerLine('!\n'),
      seen: [String.raw`wanted \n!`],
      count: 1,
    },
    {
      name: 'one that looks like its own end',
      written: dockerLine('wanted ","stream":"stderr"\n'),
      seen: ['wanted ","stream":"stderr"'],
      count: 1,
    },
    {
      name: 'with attributes',
      written: dockerLine('wanted\n').replace('"time"', '"attrs":{"a":"b","stream":"stderr"},"time"'),
      seen: ['wanted'],
      count: 1,
    },
    { name: 'what is no JSON', written: `${String.raw`{"log":"wanted \x\n","stream":"stdout"}`}\n`, seen: [''], count: 1 },
    { name: 'a JSON of somebody else', written: '{"log":"wanted"}\n', seen: ['{"log":"wanted"}'], count: 1 },
  ]
  for (const { name, written, seen, count } of cases) t.same(read(written), { seen, count }, name)
  t.same(read(dockerLine('{"response_flags":"UF"}\n'), { wanted: ['UF"'] }).seen, ['{"response_flags":"UF"}'], 'words that have quotes')
})

t.test('behind a line that was too long', async (t) => {
  const seen: string[] = []
  const lines = createLines({ wanted: ['wanted'], onWanted: (text) => seen.push(text) })
  lines.take(Buffer.from(dockerLine('a\n')))
  lines.passOver()
  lines.take(Buffer.from(`its end"}\n${dockerLine('wanted\n')}`))
  t.same([seen, lines.count()], [['wanted'], 3])
})

t.test('whatever is written is read', async (t) => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('"', '\\', 'n', '\t', '<', '&', ','), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
  })
  const line = fc.tuple(text, text).map(([before, after]) => `${before}wanted${after}`.replaceAll('\n', ' '))
  const property = fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 300 }), (all, piece) => {
    const { seen, count } = read(all.map((one) => dockerLine(`${one}\n`)).join(''), { piece })
    t.same([seen, count], [all, all.length])
  })
  fc.assert(property, { numRuns: runs(100) })
})

t.test('a log of Docker, through its link and its rotation', async (t) => {
  const root = t.testdir({ pods: {}, docker: {} })
  const [own, folder] = [join(root, 'docker/x-json.log'), join(root, 'pods/discovery')]
  const write = (name: string): void => appendFileSync(own, dockerLine(`${pushLine(name)}\n`))
  mkdirSync(folder)
  write('before')
  symlinkSync(own, join(folder, '0.log'))
  const world = createWorld(t, () => [target('istiod', podLog(folder))])
  await world.read()
  write('one')
  await world.read()
  write('two')
  renameSync(own, `${own}.1`)
  write('three')
  await world.read()
  t.same(world.served().causes, { 'ServiceEntry/one full': 1, 'ServiceEntry/two full': 1, 'ServiceEntry/three full': 1 })
  t.equal(world.served().lines, 3)
})
