import t from 'tap'
import { isMissing } from '../../src/sources/source.js'

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
