import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Deps } from '../../src/deps.js'
import { createNetDev, families, parseNetDev } from '../../src/sources/net-dev.js'
import { testSourceContract } from '../contract/source.js'

// A node with forty pods behind a bridge; eth0 and lo have numbers of a node that has run for months.
const NODE = join(import.meta.dirname, '../fixtures/node')
const RECORDED = await readFile(join(NODE, 'proc/net/dev'), 'utf8')
const HEADINGS = `${RECORDED.split('\n').slice(0, 2).join('\n')}\n`

const saying =
  (text: string): Deps['readFile'] =>
  async () =>
    text

testSourceContract(t, {
  absent: () => createNetDev({ readFile: (path) => readFile(join('/proc/self/no-such-directory', path), 'utf8') }),
  empty: () => createNetDev({ readFile: saying('') }),
  failing: (failure) => createNetDev({ readFile: () => Promise.reject(failure) }),
  recorded: () => createNetDev({ readFile: saying(RECORDED) }),
  torn: () => createNetDev({ readFile: saying(RECORDED.slice(0, -40)) }),
  hanging: () => createNetDev({ readFile: () => new Promise(() => undefined) }),
})

t.test('parseNetDev', async (t) => {
  const line = '  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n'
  const counters = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
  const eth0 = { device: 'eth0', counters }
  const cases = [
    { name: 'an empty file', text: '', rows: [], rejected: 0 },
    { name: 'headings alone', text: HEADINGS, rows: [], rejected: 0 },
    { name: 'one device', text: HEADINGS + line, rows: [eth0], rejected: 0 },
    { name: 'no line end at the end', text: HEADINGS + line.trimEnd(), rows: [eth0], rejected: 0 },
    { name: 'no space behind the colon', text: `${HEADINGS}eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n`, rows: [eth0], rejected: 0 },
    {
      name: 'a name with signs in it',
      text: HEADINGS + line.replace('eth0', 'br-0a"|é@if2'),
      rows: [{ device: 'br-0a"|é@if2', counters }],
      rejected: 0,
    },
    {
      name: 'a device called like the heading',
      text: HEADINGS + line.replace('eth0', 'face'),
      rows: [{ device: 'face', counters }],
      rejected: 0,
    },
    { name: 'a torn last line', text: `${HEADINGS}${line} wlan0: 1 2`, rows: [eth0], rejected: 1 },
    { name: 'a line without a colon', text: `${HEADINGS}eth0 1 2 3\n${line}`, rows: [eth0], rejected: 1 },
    { name: 'a line without a name', text: `${HEADINGS}${line.replace('eth0', '')}${line}`, rows: [eth0], rejected: 1 },
    { name: 'a number too many', text: `${HEADINGS}${line.trimEnd()} 17\n${line}`, rows: [eth0], rejected: 1 },
    { name: 'a word for a number', text: HEADINGS + line.replace(' 9 ', ' nine ') + line, rows: [eth0], rejected: 1 },
    { name: 'a negative number', text: HEADINGS + line.replace(' 9 ', ' -9 ') + line, rows: [eth0], rejected: 1 },
  ]
  for (const { name, text, rows, rejected } of cases) t.same(parseNetDev(text), { rows, rejected }, name)
})

t.test('a busy node: the right column for each family, past 32 bits', async (t) => {
  const { readings } = await createNetDev({ readFile: saying(RECORDED) }).read(AbortSignal.timeout(5_000))
  const eth0 = readings.filter((reading) => reading.kind === 'value').filter(({ labels }) => labels['device'] === 'eth0')
  t.same(Object.fromEntries(eth0.map(({ family, value }) => [family.name.replace('meshtoll_node_network_', ''), value])), {
    receive_bytes_total: 9_183_746_512_345,
    receive_packets_total: 6_391_047_712,
    receive_drops_total: 18_231,
    transmit_bytes_total: 7_320_918_834_410,
    transmit_packets_total: 5_210_983_345,
    transmit_drops_total: 12,
  })
  t.equal(readings.length, 45 * families.length, 'of every device')
})

t.test('this machine: the file is where it is looked for, and all of it is understood', async (t) => {
  const source = createNetDev({ readFile: (path) => readFile(path, 'utf8') })
  const { readings, rejected } = await source.read(AbortSignal.timeout(5_000))
  t.equal(rejected, 0)
  const devices = readings.map((reading) => reading.kind === 'value' && reading.labels['device'])
  t.ok(devices.includes('lo'))
})
