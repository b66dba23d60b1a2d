import t from 'tap'
import { proxyFor } from '../../src/proxy/environment.js'

const URL_OF_DATADOG = 'https://api.datadoghq.com'
const PROXY = 'http://proxy:3128'

t.test('which proxy is named', async (t) => {
  const cases = [
    { name: 'none', environment: {}, proxy: undefined },
    { name: 'one', environment: { HTTPS_PROXY: PROXY }, proxy: 'http://proxy:3128/' },
    { name: 'small letters go first', environment: { HTTPS_PROXY: 'http://other', https_proxy: PROXY }, proxy: 'http://proxy:3128/' },
    { name: 'an empty one is none', environment: { HTTPS_PROXY: PROXY, https_proxy: ' ' }, proxy: 'http://proxy:3128/' },
    { name: 'without a scheme', environment: { HTTPS_PROXY: 'proxy:3128' }, proxy: 'http://proxy:3128/' },
    { name: 'of plain http only', environment: { HTTP_PROXY: PROXY }, proxy: undefined },
  ]
  for (const { name, environment, proxy } of cases) t.equal(proxyFor(URL_OF_DATADOG, environment)?.href, proxy, name)
})

t.test('who is reached without it', async (t) => {
  const cases = [
    { url: URL_OF_DATADOG, spared: '', direct: false },
    { url: URL_OF_DATADOG, spared: '*', direct: true },
    { url: URL_OF_DATADOG, spared: 'datadoghq.com', direct: true },
    { url: URL_OF_DATADOG, spared: '.datadoghq.com', direct: true },
    { url: URL_OF_DATADOG, spared: '*.DatadogHQ.com', direct: true },
    { url: URL_OF_DATADOG, spared: 'example.org, api.datadoghq.com:443', direct: true },
    { url: URL_OF_DATADOG, spared: 'api.datadoghq.com:8443', direct: false },
    { url: URL_OF_DATADOG, spared: 'doghq.com', direct: false },
    { url: URL_OF_DATADOG, spared: '.svc,10.0.0.0/8', direct: false },
    { url: 'https://10.1.2.3:8443', spared: '.svc,10.0.0.0/8', direct: true },
    { url: 'https://10.1.2.3:8443', spared: '10.1.2.3:8443', direct: true },
    { url: 'https://11.1.2.3', spared: '10.0.0.0/8', direct: false },
    { url: 'https://10.1.2.3', spared: '10.0.0.0/99', direct: false },
    { url: 'https://[fd00::1]', spared: 'fd00::/8', direct: true },
    { url: 'https://[fd00::1]', spared: 'fd00::1', direct: true },
    { url: 'https://[fd00::1]:8443', spared: '[fd00::1]:8443', direct: true },
    { url: 'https://localhost:8443', spared: '', direct: true },
    { url: 'https://127.1.2.3:8443', spared: '', direct: true },
    { url: 'http://10.1.2.3', spared: '', direct: true },
  ]
  for (const { url, spared, direct } of cases)
    t.equal(proxyFor(url, { HTTPS_PROXY: PROXY, NO_PROXY: spared }) === undefined, direct, `${url} with NO_PROXY=${spared}`)
})

t.test('what is no proxy is said without what it is', async (t) => {
  for (const wrong of ['socks5://user:secret@proxy', 'http://user:secret@', 'http://user:secret@proxy:port'])
    t.throws(() => proxyFor(URL_OF_DATADOG, { https_proxy: wrong }), { message: /^https_proxy is no proxy (?!.*secret)/ }, wrong)
})
