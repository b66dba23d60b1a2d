import t from 'tap'
import { findDatadog, probeDatadog } from '../../../src/cli/check/datadog.js'
import { parseConfig } from '../../../src/config/config.js'
import { createRoutes } from '../../../src/http/routes.js'
import { createServer } from '../../../src/http/server.js'
import { createServed } from '../../http/served.js'
import { createHandClock } from '../../kube/hand-clock.js'

type Found = Parameters<typeof findDatadog>[0]['datadog']
const says = (text: string, datadog?: Found) =>
  findDatadog({ ...parseConfig(`datadog: ${text}`, {}), datadog }).map(({ level, says }) => `${level} ${says}`)

t.test('where is pushed to, and what it may cost', async (t) => {
  t.same(says('{enabled: false}'), ['ok not pushed to (datadog.enabled: false)'])
  const cases: readonly { name: string; text: string; found?: Found; lines: readonly string[] }[] = [
    {
      name: 'no agent runs',
      text: '{enabled: true, site: datadoghq.eu}',
      lines: ['ok https://api.datadoghq.eu, with the key of DD_API_KEY', 'ok at most 2000 custom metrics (meshtoll datadog preview)'],
    },
    {
      name: 'as many as there may be',
      text: '{enabled: true, url: "http://p:1", apiKeyFile: key, maxSeries: 500}',
      found: { customMetrics: 500 },
      lines: ['ok http://p:1, with the key of key', 'ok 500 custom metrics by now, at most 500'],
    },
    {
      name: 'one more',
      text: '{enabled: true, maxSeries: 500}',
      found: { customMetrics: 501 },
      lines: ['ok https://api.datadoghq.com, with the key of DD_API_KEY', 'warn 501 custom metrics by now, folded into 500'],
    },
    {
      name: 'one that does not say',
      text: '{enabled: true}',
      found: { message: 'no agent answers' },
      lines: [
        'ok https://api.datadoghq.com, with the key of DD_API_KEY',
        'ok at most 2000 custom metrics; an agent cannot be asked: no agent answers',
      ],
    },
  ]
  for (const { name, text, found, lines } of cases) t.same(says(text, found), lines, name)
  const [secret = ''] = says('{enabled: true, url: "https://me:secret@p:1/dd/?token=secret"}')
  t.match(secret, /^ok https:\/\/p:1\/dd, with/, 'and no password')
})

t.test('a running agent is asked what it counts', async (t) => {
  const log = { warn: () => undefined, error: () => undefined }
  const routes = createRoutes({ agent: createServed(), log, version: '1' })
  const server = await createServer({ routes, listenAddress: { host: '127.0.0.1', port: 0 }, log })
  t.teardown(() => server.close(AbortSignal.abort()))
  const ask = (text: string, agentUrl?: string) => {
    const port = { address: { host: '', port: 1 }, state: 'agent' as const, ...(agentUrl === undefined ? {} : { agentUrl }) }
    return probeDatadog({ ...parseConfig(`datadog: ${text}`, {}), port }, { clock: createHandClock() }, new AbortController().signal)
  }
  const all = (await ask('{enabled: true}', server.url)) as { readonly customMetrics: number }
  t.ok(all.customMetrics > 0)
  const limited = (await ask('{enabled: true, maxSeries: 1}', server.url)) as { readonly customMetrics: number }
  t.equal(limited.customMetrics, all.customMetrics, 'with nothing folded')
  t.equal(await ask('{enabled: false}', server.url), undefined)
  t.equal(await ask('{enabled: true}'), undefined)
  t.match(await ask('{enabled: true}', 'http://127.0.0.1:1'), { message: /^no agent answers at http:\/\/127\.0\.0\.1:1: / })
})
