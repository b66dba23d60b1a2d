// What Prometheus's own linter says of what is really served: every family of the catalogue, over HTTP.
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { catalogue } from '../../src/catalogue.js'
import { programOf, reasonToSkip } from '../peers/needed.js'
import { serveCatalogue } from './catalogue-server.js'
import { ask } from './client.js'

const skip = reasonToSkip(['promtool']) ?? false

t.test('promtool check metrics', { skip }, async (t) => {
  const server = await serveCatalogue()
  t.teardown(() => server.close(AbortSignal.abort()))
  const { text } = await ask(server.url, { path: '/metrics' })
  const served = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name)
  t.same(served.toSorted(), catalogue.map(({ name }) => name).toSorted(), 'all of the catalogue is served')
  const { status, stdout, stderr } = spawnSync(programOf('promtool'), ['check', 'metrics'], { input: text, encoding: 'utf8' })
  t.equal(`${stdout}${stderr}`.trim(), '', 'nothing to say')
  t.equal(status, 0, 'and content')
})
