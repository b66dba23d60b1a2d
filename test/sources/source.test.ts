import t from 'tap'
import { isMissing, untilAborted } from '../../src/sources/source.js'

t.test('untilAborted', async (t) => {
  const reason = new Error('over')
  const never = new Promise<string>(() => undefined)
  const live = new AbortController()
  t.equal(await untilAborted(Promise.resolve('read'), live.signal), 'read', 'what was read')
  await t.rejects(untilAborted(Promise.reject(new Error('EIO')), live.signal), { message: 'EIO' }, 'a failure as it is')
  await t.rejects(untilAborted(never, AbortSignal.abort(reason)), reason, 'aborted before')
  const late = new AbortController()
  const reading = untilAborted(never, late.signal)
  late.abort(reason)
  await t.rejects(reading, reason, 'aborted meanwhile')
})

t.test('isMissing', async (t) => {
  const failure = (code: string): Error => Object.assign(new Error(code), { code })
  const cases: [string, unknown, boolean][] = [
    ['no such file', failure('ENOENT'), true],
    ['a file where a directory was expected', failure('ENOTDIR'), true],
    ['no permission', failure('EACCES'), false],
    ['an error without a code', new Error('x'), false],
    ['no error', undefined, false],
  ]
  for (const [name, error, expected] of cases) t.equal(isMissing(error), expected, name)
})
