import t from 'tap'
import type { Fields } from '../src/deps.js'
import { createLog, type LogOptions, renderLogfmt } from '../src/log.js'

function written(options: Partial<LogOptions>, write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  const now = (): number => Date.UTC(2026, 10, 21, 9, 30)
  write(createLog({ level: 'info', format: 'logfmt', now, ...options }, { write: (line) => void lines.push(line) }))
  return lines.join('')
}

t.test('a line in both formats', async (t) => {
  const fields: Fields = { table: 'meshtoll', gap_s: 2.1, owned: false, by: undefined }
  t.equal(
    written({}, (log) => log.warn('kernel table was removed, installed again', fields)),
    'ts=2026-11-21T09:30:00.000Z level=warn msg="kernel table was removed, installed again" table=meshtoll gap_s=2.1 owned=false\n',
  )
  t.equal(
    written({ format: 'json' }, (log) => log.warn('kernel table was removed', fields)),
    '{"level":"warn","ts":"2026-11-21T09:30:00.000Z","table":"meshtoll","gap_s":2.1,"owned":false,"msg":"kernel table was removed"}\n',
  )
})

t.test('a level and what is above it', async (t) => {
  const all = (log: ReturnType<typeof createLog>): void => {
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
  }
  const seen = (level: LogOptions['level']): string[] =>
    [...written({ level }, all).matchAll(/msg="(.)"/g)].map(([, letter]) => letter ?? '')
  t.same(seen('debug'), ['a', 'b', 'c', 'd'])
  t.same(seen('info'), ['b', 'c', 'd'])
  t.same(seen('warn'), ['c', 'd'])
  t.same(seen('error'), ['d'])
})

t.test('values that need quotes', async (t) => {
  const cases = [
    { name: 'a word', value: 'a/b:c', text: 'a/b:c' },
    { name: 'a space', value: 'a b', text: '"a b"' },
    { name: 'empty', value: '', text: '""' },
    { name: 'a quote', value: 'a"b', text: '"a\\"b"' },
    { name: 'an equals sign', value: 'a=b', text: '"a=b"' },
    { name: 'a line break cannot forge a line', value: 'a\nlevel=error', text: '"a\\nlevel=error"' },
    { name: 'an escape sequence', value: 'a\u001b[31m', text: '"a\\u001b[31m"' },
    { name: 'a letter beyond ASCII', value: 'Zürich', text: 'Zürich' },
  ]
  for (const { name, value, text } of cases)
    t.equal(renderLogfmt(JSON.stringify({ ts: 't', level: 'info', msg: 'm', value })), `ts=t level=info msg="m" value=${text}\n`, name)
})
