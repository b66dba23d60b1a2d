// The real path of a web configuration: a file on disk, parsed by src/config, applied by the server, met by a client.
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { connect } from 'node:tls'
import { hashSync } from 'bcryptjs'
import t, { type Test } from 'tap'
import { createWebFiles } from '../../src/cli/web.js'
import { createRoutes } from '../../src/http/routes.js'
import { createServer } from '../../src/http/server.js'
import { createAuthority, createCertificate } from './certificates.js'
import { ask } from './client.js'
import { createServed } from './served.js'

const ALICE = hashSync('wonderland', 4)
const TLS = 'tls_server_config: {cert_file: server.crt, key_file: server.key'

const basic = (user: string, password: string): { Authorization: string } => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

/** `web.yaml` with `text` in a folder of its own, in which `server.crt` and `server.key` are those of `one`. */
async function prepare(t: Test, text: string) {
  const folder = t.testdir({})
  const authority = createAuthority(folder, 'authority')
  const one = createCertificate(folder, 'one', authority)
  const install = ({ certFile, keyFile }: { certFile: string; keyFile: string }): void => {
    copyFileSync(certFile, join(folder, 'server.crt'))
    copyFileSync(keyFile, join(folder, 'server.key'))
  }
  install(one)
  const configure = (changed: string): void => writeFileSync(join(folder, 'web.yaml'), changed)
  configure(text)
  return { folder, authority, install, configure }
}

async function serve(t: Test, folder: string) {
  const lines: string[] = []
  const write = (message: string, fields = {}): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const web = createWebFiles(join(folder, 'web.yaml'), (path) => readFile(path, 'utf8'))
  const log = { warn: write, error: write }
  const routes = createRoutes({ agent: createServed(), log, version: '0.1.0' })
  const server = await createServer({ routes, listenAddress: { host: '127.0.0.1', port: 0 }, web, log })
  t.teardown(() => server.close(AbortSignal.abort()))
  return { ...server, lines }
}

t.test('passwords', async (t) => {
  const { folder, configure } = await prepare(
    t,
    `basic_auth_users: {alice: ${ALICE}}\nhttp_server_config: {headers: {X-Frame-Options: deny}}`,
  )
  const { url } = await serve(t, folder)
  const cases = [
    { name: 'the right one', headers: basic('alice', 'wonderland'), status: 200 },
    { name: 'the right one again', headers: basic('alice', 'wonderland'), status: 200 },
    { name: 'a wrong one', headers: basic('alice', 'wonder'), status: 401 },
    { name: 'a wrong one again', headers: basic('alice', 'wonder'), status: 401 },
    { name: 'nobody', headers: basic('bob', 'wonderland'), status: 401 },
    { name: 'the name of every object', headers: basic('constructor', 'wonderland'), status: 401 },
    { name: 'an empty one', headers: basic('alice', ''), status: 401 },
    { name: 'none', headers: {}, status: 401 },
    { name: 'another scheme', headers: { Authorization: 'Bearer wonderland' }, status: 401 },
    { name: 'no colon', headers: { Authorization: `Basic ${Buffer.from('alice').toString('base64')}` }, status: 401 },
  ]
  for (const { name, headers, status } of cases) t.equal((await ask(url, { path: '/metrics', headers })).status, status, name)
  const refused = await ask(url)
  t.match(
    refused,
    { status: 401, headers: { 'www-authenticate': 'Basic realm="meshtoll"', 'x-frame-options': 'deny' } },
    'says how, with headers',
  )
  t.notMatch(refused.text, 'n1', 'and nothing else')
  for (const path of ['/livez', '/readyz?verbose']) t.match(await ask(url, { path }), { status: 200 }, `probes have no password: ${path}`)
  configure(`basic_auth_users: {bob: ${hashSync('builder', 4)}}`)
  t.match(await ask(url, { headers: basic('alice', 'wonderland') }), { status: 401 }, 'who is removed is out at once')
  t.match(await ask(url, { headers: basic('bob', 'builder') }), { status: 200 }, 'who is added is in at once')
})

t.test('a flood of wrong passwords does not lock out who is known', async (t) => {
  const { folder } = await prepare(t, `basic_auth_users: {alice: ${hashSync('wonderland', 6)}}`)
  const { url } = await serve(t, folder)
  t.match(await ask(url, { headers: basic('alice', 'wonderland') }), { status: 200 }, 'known')
  // Over connections that are open already: all arrive at once.
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const guesses = Array.from({ length: 120 }, (_, i) => basic('alice', `guess ${i}`))
  await Promise.all(guesses.map(() => ask(url, { path: '/livez', agent })))
  const flood = Promise.all(guesses.map((headers) => ask(url, { headers, agent })))
  t.match(await ask(url, { headers: basic('alice', 'wonderland') }), { status: 200 }, 'during the flood')
  const statuses = new Set((await flood).map(({ status }) => status))
  t.same([...statuses].toSorted(), [401, 503], 'refused, or asked to wait')
  t.match(await ask(url, { headers: basic('alice', 'wonderland') }), { status: 200 }, 'afterwards')
})

t.test('TLS, with certificates that change while it runs', async (t) => {
  const { folder, authority, install, configure } = await prepare(t, `${TLS}, min_version: TLS13}`)
  const { url, lines } = await serve(t, folder)
  t.match(url, /^https:/)
  const ca = authority.cert
  t.match(await ask(url, { path: '/metrics', ca }), { status: 200, text: 'meshtoll_flow_bytes_total' }, 'served')
  t.equal(await nameOf(url, ca), 'one', 'the first certificate')
  t.match(await ask(url.replace('https', 'http')).catch((error: Error) => error.message), /hang up|ECONNRESET/, 'no plain HTTP')
  t.match(await ask(url, { ca, maxVersion: 'TLSv1.2' }).catch((error: Error) => error.message), /version/, 'no older TLS')
  t.match(await ask(url).catch((error: Error) => error.message), /issuer|self|verify/, 'a client that does not know the authority')

  install(createCertificate(folder, 'two', authority))
  await ask(url, { ca })
  t.equal(await nameOf(url, ca), 'two', 'the second certificate')

  copyFileSync(join(folder, 'one.key'), join(folder, 'server.key'))
  await ask(url, { ca })
  t.equal(await nameOf(url, ca), 'two', 'a key that does not fit: the one before stays')
  for (let times = 0; times < 3; times++) await ask(url, { ca })
  t.equal(lines.length, 1, 'said once')
  rmSync(join(folder, 'server.crt'))
  await ask(url, { ca })
  t.match(lines.at(-1), 'server.crt, which the web configuration names, cannot be read', 'a certificate that is gone')
  configure('')
  t.match(await ask(url, { ca }), { status: 200 }, 'TLS is not switched off while it runs')
  t.match(lines.at(-1), 'which takes a restart', 'and says so')
})

t.test('clients with certificates', async (t) => {
  const { folder, authority } = await prepare(t, `${TLS}, client_ca_file: authority.crt, client_auth_type: RequireAndVerifyClientCert}`)
  const { url } = await serve(t, folder)
  const ca = authority.cert
  const friend = createCertificate(folder, 'friend', authority)
  const stranger = createCertificate(folder, 'stranger', createAuthority(folder, 'elsewhere'))
  t.match(await ask(url, { ca, cert: friend.cert, key: friend.key }), { status: 200 }, 'ours')
  t.match(await ask(url, { ca }).catch((error: Error) => error.message), /certificate required|hang up|ECONNRESET/i, 'none')
  const refused = await ask(url, { ca, cert: stranger.cert, key: stranger.key }).catch((error: Error) => error.message)
  t.match(refused, /unknown ca|hang up|ECONNRESET/i, "another authority's")
})

t.test('what cannot be used at the start', async (t) => {
  const cases = [
    {
      name: 'a certificate that is not there',
      text: 'tls_server_config: {cert_file: no.crt, key_file: server.key}',
      says: /no\.crt, which the web configuration names, cannot be read: ENOENT/,
    },
    {
      name: 'a key that does not fit',
      text: 'tls_server_config: {cert_file: server.crt, key_file: authority.key}',
      says: /server\.crt and .*authority\.key cannot be used as certificate and key/,
    },
    {
      name: 'a key that is none',
      text: 'tls_server_config: {cert_file: server.crt, key_file: web.yaml}',
      says: /cannot be used as certificate and key/,
    },
    { name: 'mistakes', text: 'basic_auth: {}', says: /1:1 +basic_auth is not an option; did you mean basic_auth_users\?/ },
  ]
  for (const { name, text, says } of cases) {
    const { folder } = await prepare(t, text)
    const error = await serve(t, folder).catch((error: Error) => error)
    t.match(error, { message: says }, `${name}: ${error instanceof Error ? error.message : ''}`)
  }
})

/** The common name of the certificate that the server shows. */
function nameOf(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
