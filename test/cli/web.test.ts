import t from 'tap'
import { loadWebFiles } from '../../src/cli/web.js'

t.test('the web configuration at the start', async (t) => {
  t.same(await loadWebFiles(null, () => Promise.reject(new Error('nothing to read'))), {}, 'none')
  t.match(
    await loadWebFiles('/etc/web.yaml', async () => 'basic_auth: {}'),
    { mistakes: { where: 'web.yaml', found: { length: 1 } } },
    'mistakes',
  )
})

t.test('it is read again whenever it is asked for', async (t) => {
  let text = 'http_server_config: {headers: {X-Frame-Options: deny}}'
  const loaded = await loadWebFiles('/etc/web.yaml', async () => text)
  const web = 'web' in loaded ? loaded.web : undefined
  t.match(await web?.config(), { headers: { 'X-Frame-Options': 'deny' } })
  text = ''
  t.match(await web?.config(), { headers: {}, tls: undefined })
  text = 'basic_auth: {}'
  await t.rejects(Promise.resolve(web?.config()), { message: /web\.yaml has 1 mistake\n/ })
})
