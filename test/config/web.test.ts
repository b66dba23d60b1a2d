import t from 'tap'
import { loadWeb, parseWeb } from '../../src/config/web.js'

const HASH = '$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze'

t.test('everything that can be said', async (t) => {
  const text = `
tls_server_config:
  cert_file: server.crt
  key_file: /keys/server.key
  client_ca_file: ca.crt
  client_auth_type: RequireAndVerifyClientCert
  min_version: TLS13
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  alice: ${HASH}
  bob: "${HASH}"
`
  t.same(parseWeb(text, '/etc/meshtoll'), {
    web: {
      tls: {
        certFile: '/etc/meshtoll/server.crt',
        keyFile: '/keys/server.key',
        clientCaFile: '/etc/meshtoll/ca.crt',
        minVersion: 'TLSv1.3',
      },
      headers: { 'Strict-Transport-Security': 'max-age=31536000' },
      users: new Map([
        ['alice', HASH],
        ['bob', HASH],
      ]),
    },
    mistakes: [],
  })
})

t.test('little that can be said', async (t) => {
  const open = { tls: undefined, headers: {}, users: new Map() }
  const cases = [
    { name: 'an empty file', text: '' },
    { name: 'empty sections', text: 'tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n' },
    { name: 'empty parts', text: 'http_server_config:\n  headers:\n    X-Frame-Options:\n' },
  ]
  for (const { name, text } of cases) t.same(parseWeb(text, '/'), { web: open, mistakes: [] }, name)
  const { web } = parseWeb('tls_server_config: {cert_file: a, key_file: b}', '/')
  t.same(web.tls, { certFile: '/a', keyFile: '/b', clientCaFile: undefined, minVersion: 'TLSv1.2' }, 'TLS with its defaults')
})

t.test('mistakes, all of them, and where', async (t) => {
  const tls = 'tls_server_config: {cert_file: a, key_file: b, '
  const cases = [
    {
      name: 'a section misspelt',
      text: 'tls_server_confg: {}',
      says: ['1:1 tls_server_confg is not an option; did you mean tls_server_config?'],
    },
    {
      name: 'an option misspelt',
      text: `${tls}min_versoin: TLS12}`,
      says: ['1:48 tls_server_config.min_versoin is not an option; did you mean tls_server_config.min_version?'],
    },
    {
      name: 'what exporter-toolkit has and meshtoll has not',
      text: 'rate_limit: {burst: 1}',
      says: ['1:1 rate_limit is not supported by meshtoll; remove it'],
    },
    {
      name: 'half of TLS',
      text: 'tls_server_config:\n  cert_file: a\n',
      says: ['2:3 tls_server_config has no key_file; expected the path of the key'],
    },
    {
      name: 'certificates of clients, but nobody to vouch for them',
      text: `${tls}client_auth_type: RequireAndVerifyClientCert}`,
      says: ['1:20 tls_server_config has no client_ca_file, which RequireAndVerifyClientCert needs'],
    },
    {
      name: 'somebody to vouch for clients who are not asked',
      text: `${tls}client_ca_file: c}`,
      says: ['1:20 client_ca_file is given without client_auth_type: RequireAndVerifyClientCert; nobody would be checked'],
    },
    {
      name: 'old TLS',
      text: `${tls}min_version: TLS10}`,
      says: ['1:61 tls_server_config.min_version is "TLS10"; expected TLS12 or TLS13'],
    },
    {
      name: 'a password instead of its hash is not repeated',
      text: 'basic_auth_users:\n  alice: hunter2\n',
      says: ['2:10 basic_auth_users.alice is not a bcrypt hash of cost 4 to 16; make one with htpasswd -nBC 10 alice'],
    },
    {
      name: 'a hash that costs minutes',
      text: `basic_auth_users: {alice: ${HASH.replace('$10$', '$31$')}}`,
      says: ['1:27 basic_auth_users.alice is not a bcrypt hash of cost 4 to 16; make one with htpasswd -nBC 10 alice'],
    },
    {
      name: 'a user given twice',
      text: `basic_auth_users:\n  alice: ${HASH}\n  alice: ${HASH}\n`,
      says: ['3:3 basic_auth_users.alice is given twice'],
    },
    {
      name: 'users in a list',
      text: 'basic_auth_users: [alice]',
      says: ['1:19 basic_auth_users is not a mapping; expected users with their bcrypt hashes'],
    },
    {
      name: 'a header that splits the answer',
      text: 'http_server_config: {headers: {X-Frame-Options: "a\\r\\nSet-Cookie: b"}}',
      says: [/^1:49 http_server_config\.headers\.X-Frame-Options is .*; expected one line of ASCII$/],
    },
    {
      name: 'a header of one’s own',
      text: 'http_server_config: {headers: {X-Mine: a}}',
      says: ['1:32 http_server_config.headers.X-Mine is not an option'],
    },
    {
      name: 'http2 that is neither',
      text: 'http_server_config: {http2: maybe}',
      says: ['1:29 http_server_config.http2 is "maybe"; expected true or false'],
    },
    { name: 'several at once', text: 'a: 1\nbasic_auth_users: {b: c}\n', says: [/^1:1 a is not/, /^2:23 basic_auth_users\.b is not/] },
  ]
  for (const { name, text, says } of cases) {
    const said = parseWeb(text, '/').mistakes.map(({ at, text }) => `${at?.line}:${at?.column} ${text}`)
    t.match(said, says, name)
    t.equal(said.length, says.length, `${name}: nothing else`)
  }
})

t.test('the file itself', async (t) => {
  const missing = await loadWeb('/etc/web.yaml', () => Promise.reject(new Error('no such file')))
  t.same(missing, {
    mistakes: { where: 'web.yaml', found: [{ text: 'cannot read /etc/web.yaml: no such file; set --web.config.file to the right path' }] },
  })
  t.match(await loadWeb('/etc/web.yaml', async () => 'a: 1'), { mistakes: { where: 'web.yaml', found: [{ text: /^a is not/ }] } })
  t.match(await loadWeb('/etc/web.yaml', async () => 'tls_server_config: {cert_file: c, key_file: k}'), {
    web: { tls: { certFile: '/etc/c' } },
  })
})
