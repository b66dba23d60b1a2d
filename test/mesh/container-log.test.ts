// The log is as a node keeps it, so that what reads such logs can be tried on it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createContainerLog } from './container-log.js'

const POD = { namespace: 'istio-system', name: 'istiod-0', uid: 'u1' }
const TIME = String.raw`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z`

function createLog(t: Test) {
  const log = createContainerLog({ root: t.testdir({}), pod: POD, container: 'discovery' })
  t.teardown(() => log.close())
  const stdout = new PassThrough()
  log.take('stdout', stdout)
  const say = async (text: string | Buffer): Promise<void> => {
    stdout.write(text)
    await turn()
  }
  const namesIn = (): string[] => readdirSync(dirname(log.file)).sort()
  return { log, stdout, say, namesIn, lines: () => readFileSync(log.file, 'utf8').split('\n').slice(0, -1) }
}

t.test('lines', async (t) => {
  const { log, stdout, say, lines } = createLog(t)
  t.match(log.file, /\/istio-system_istiod-0_u1\/discovery\/0\.log$/)
  const word = Buffer.from('é')
  await say(Buffer.concat([Buffer.from('one\ntw'), word.subarray(0, 1)]))
  t.equal(lines().length, 1, 'half a line is none')
  await say(Buffer.concat([word.subarray(1), Buffer.from('o\n\n')]))
  stdout.end('last')
  await turn()
  const stderr = new PassThrough()
  log.take('stderr', stderr)
  stderr.end('wrong\n')
  await turn()
  t.match(lines(), [/ stdout F one$/, / stdout F twéo$/, / stdout F $/, / stdout F last$/, / stderr F wrong$/])
  for (const line of lines()) t.match(line, new RegExp(`^${TIME} std(out|err) F `))
  t.equal(log.text(), 'one\ntwéo\n\nlast\nwrong\n')
})

t.test('a long line is several', async (t) => {
  const { log, say, lines } = createLog(t)
  const long = 'x'.repeat(40_000)
  await say(`${long}\n${'y'.repeat(16 * 1024)}\n`)
  t.same(
    lines().map((line) => line.slice(31).replace(/[xy]+$/, (part) => String(part.length))),
    ['stdout P 16384', 'stdout P 16384', 'stdout F 7232', 'stdout F 16384'],
  )
  t.equal(log.text(), `${long}\n${'y'.repeat(16 * 1024)}\n`)
})

t.test('rotation', async (t) => {
  const { log, say, namesIn, lines } = createLog(t)
  await say('one\n')
  await log.rotate(async () => {
    t.notOk(existsSync(log.file), 'for a moment there is none')
    await say('two\n')
  })
  await say('three\n')
  const [, rotated = ''] = namesIn()
  t.match(rotated, /^0\.log\.\d{8}-\d{6}$/)
  t.match(readFileSync(`${dirname(log.file)}/${rotated}`, 'utf8'), / one\n.* two\n$/, 'what came meanwhile went to the old one')
  t.match(lines(), [/ three$/])
  await log.rotate()
  const [, zipped = ''] = namesIn()
  t.equal(zipped, `${rotated}.gz`, 'the next one compresses it')
  t.match(gunzipSync(readFileSync(`${dirname(log.file)}/${zipped}`)).toString(), / one\n.* two\n$/)
  for (let time = 0; time < 5; time++) await log.rotate()
  t.equal(namesIn().length, 5, 'five files in all')
  t.notOk(namesIn().includes(zipped), 'without the oldest')
})

t.test('another container of the pod', async (t) => {
  const { log, say, namesIn } = createLog(t)
  await say('one\n')
  log.restart()
  await say('two\n')
  t.same([basename(log.file), namesIn(), log.text()], ['1.log', ['0.log', '1.log'], 'two\n'])
})
