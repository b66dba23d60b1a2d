import t from 'tap'
import { findDatadog } from '../../../src/cli/check/datadog.js'
import { parseConfig } from '../../../src/config/config.js'

t.test('where is pushed to, and what it may cost', async (t) => {
  const says = (text: string) => findDatadog(parseConfig(`datadog: ${text}`, {})).map(({ level, says }) => `${level} ${says}`)
  t.same(says('{enabled: false}'), ['ok not pushed to (datadog.enabled: false)'])
  t.match(says('{enabled: true, site: datadoghq.eu}'), [
    /^ok https:\/\/api\.datadoghq\.eu, with the key of DD_API_KEY; at most 2000 custom metrics/,
  ])
  t.match(says('{enabled: true, url: "http://p:1", apiKeyFile: key, maxSeries: 500}'), [
    /^ok http:\/\/p:1, with the key of key; at most 500 custom/,
  ])
  const [secret = ''] = says('{enabled: true, url: "https://me:secret@p:1/dd/?token=secret"}')
  t.match(secret, /^ok https:\/\/p:1\/dd, with/, 'and no password')
})
