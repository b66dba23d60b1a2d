import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Access, type AccessOptions, readAccess } from '../../src/kube/access.js'
import { createHandClock } from './hand-clock.js'

const never = new AbortController().signal
const CA = '-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n'
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nown\n-----END CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\nkey\n-----END PRIVATE KEY-----\n'
const deps = { clock: createHandClock(), readFile: (path: string) => readFile(path, 'utf8') }
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const read = (options: Partial<AccessOptions>): Promise<Access> => readAccess({ environment: {}, ...options }, deps, never)

t.test('in a pod', async (t) => {
  const files = { token: 'abc\n', 'ca.crt': CA, namespace: 'shop\n' }
  const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
  const serviceAccount = t.testdir(files)
  const { token, ...access } = await read({ environment, serviceAccount })
  t.strictSame(access, { server: 'https://10.96.0.1:443', ca: CA, namespace: 'shop' })
  t.equal(await token?.(undefined, never), 'abc')
  await writeFile(join(serviceAccount, 'token'), 'def')
  t.equal(await token?.('abc', never), 'def', 'the token is read again')

  const six = await read({ environment: { ...environment, KUBERNETES_SERVICE_HOST: 'fd00:10:96::1' }, serviceAccount })
  t.equal(six.server, 'https://[fd00:10:96::1]:443', 'IPv6')

  for (const missing of ['token', 'ca.crt', 'namespace'] as const) {
    const { [missing]: _, ...rest } = files
    const folder = t.testdir(rest)
    const message = `the service account's ${folder}/${missing} cannot be read: ENOENT; set automountServiceAccountToken: true for the pod, or name a kubeconfig file`
    await t.rejects(read({ environment, serviceAccount: folder }), { name: 'AccessError', message }, `no ${missing}`)
  }
})

t.test('neither in a pod nor with a kubeconfig file', async (t) => {
  const KUBERNETES_SERVICE_HOST = '10.96.0.1'
  const cases = [
    { environment: {}, message: 'there is no API server: this is no pod (no KUBERNETES_SERVICE_HOST); name a kubeconfig file' },
    {
      environment: { KUBERNETES_SERVICE_HOST },
      message: 'KUBERNETES_SERVICE_HOST is set but KUBERNETES_SERVICE_PORT is not set; set both, or name a kubeconfig file',
    },
    {
      environment: { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT: 'tcp://10.96.0.1:443' },
      message: 'KUBERNETES_SERVICE_HOST is set but KUBERNETES_SERVICE_PORT is "tcp://10.96.0.1:443"; set both, or name a kubeconfig file',
    },
  ]
  for (const { environment, message } of cases) await t.rejects(read({ environment }), { name: 'AccessError', message })
})

interface Parts {
  readonly cluster?: unknown
  readonly user?: unknown
  readonly context?: unknown
  readonly more?: Readonly<Record<string, unknown>>
}

const SERVER = 'https://k8s.example.com:6443'

/** JSON is YAML. */
const kubeconfig = ({
  cluster = { server: SERVER },
  user = { token: 'abc' },
  context = { cluster: 'c', user: 'u' },
  more = {},
}: Parts): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [
      { name: 'there', context: { cluster: 'x', user: 'x' } },
      { name: 'here', context },
    ],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    ...more,
  })

function fileOf(t: Test, text: string, more: Readonly<Record<string, string>> = {}): string {
  return join(t.testdir({ config: text, ...more }), 'config')
}

t.test('a kubeconfig file', async (t) => {
  const plain = {
    server: SERVER,
    ca: undefined,
    clientCertificate: undefined,
    insecure: false,
    serverName: undefined,
    namespace: 'default',
  }
  const files = { 'ca.crt': CA, 'own.crt': CERTIFICATE, 'own.key': KEY, token: 'from-file\n' }
  const clientCertificate = { certificate: CERTIFICATE, key: KEY }
  const cases = [
    { name: 'a token', parts: {}, access: plain, token: 'abc' },
    {
      name: 'a namespace',
      parts: { context: { cluster: 'c', user: 'u', namespace: 'shop' } },
      access: { ...plain, namespace: 'shop' },
      token: 'abc',
    },
    { name: 'no user, as kubectl proxy needs none', parts: { context: { cluster: 'c', user: '' } }, access: plain, token: undefined },
    {
      name: 'a token in a file, which is preferred',
      parts: { user: { token: 'abc', tokenFile: 'token' } },
      access: plain,
      token: 'from-file',
    },
    {
      name: 'certificates as files beside it',
      parts: {
        cluster: { server: SERVER, 'certificate-authority': 'ca.crt' },
        user: { 'client-certificate': 'own.crt', 'client-key': './own.key' },
      },
      access: { ...plain, ca: CA, clientCertificate },
      token: undefined,
    },
    {
      name: 'certificates as data, which are preferred',
      parts: {
        cluster: { server: SERVER, 'certificate-authority': 'nowhere', 'certificate-authority-data': base64(CA) },
        user: { 'client-certificate-data': base64(CERTIFICATE), 'client-key-data': base64(KEY) },
      },
      access: { ...plain, ca: CA, clientCertificate },
      token: undefined,
    },
    {
      name: 'no verification, another name',
      parts: { cluster: { server: SERVER, 'insecure-skip-tls-verify': true, 'tls-server-name': 'kubernetes' } },
      access: { ...plain, insecure: true, serverName: 'kubernetes' },
      token: 'abc',
    },
  ]
  for (const { name, parts, access, token } of cases) {
    const { token: readToken, ...rest } = await read({ kubeconfig: fileOf(t, kubeconfig(parts), files) })
    t.strictSame(rest, access, name)
    t.equal(await readToken?.(undefined, never), token, `${name}: the token`)
  }
  const inPod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
  t.equal((await read({ kubeconfig: fileOf(t, kubeconfig({})), environment: inPod })).server, SERVER, 'is preferred to the service account')
})

t.test('what is wrong with a kubeconfig file', async (t) => {
  const remedy = 'use a token, a tokenFile, or a client certificate with its key'
  const pem = 'is not base64 of PEM'
  const cases = [
    { name: 'no YAML', text: 'a: [', says: ' is no YAML: ' },
    { name: 'no fields', text: 'hello', says: ' is no kubeconfig file: it has no fields' },
    { name: 'nothing', text: '', says: ' is no kubeconfig file: it has no fields' },
    {
      name: 'no context',
      text: kubeconfig({ more: { 'current-context': '' } }),
      says: ' has no current-context; choose one: kubectl config use-context NAME',
    },
    {
      name: 'an unknown context',
      text: kubeconfig({ more: { 'current-context': 'nowhere' } }),
      says: ': the context "nowhere" is not among its contexts (there, here)',
    },
    {
      name: 'no clusters',
      text: kubeconfig({ more: { clusters: null } }),
      says: ': the cluster "c" is not among its clusters (there are none)',
    },
    {
      name: 'an unknown user',
      text: kubeconfig({ context: { cluster: 'c', user: 'me' } }),
      says: ': the user "me" is not among its users (u)',
    },
    { name: 'a context without a cluster', text: kubeconfig({ context: { user: 'u' } }), says: ': the context "here" names no cluster' },
    { name: 'a cluster without a server', text: kubeconfig({ cluster: {} }), says: ': the cluster "c" has no server; give its URL' },
    { name: 'a number', text: kubeconfig({ user: { token: 12 } }), says: ': the user "u" has a token that is no text; put it into quotes' },
    {
      name: 'a plugin',
      text: kubeconfig({ user: { exec: { command: 'aws', args: ['eks'] } } }),
      says: `: the user "u" gets its credentials from a program (exec: aws), which is not supported; ${remedy}`,
    },
    {
      name: 'an auth provider',
      text: kubeconfig({ user: { 'auth-provider': { name: 'gcp' } } }),
      says: `: the user "u" uses auth-provider, which is not supported; ${remedy}`,
    },
    {
      name: 'a password',
      text: kubeconfig({ user: { username: 'a', password: 'b' } }),
      says: ': the user "u" uses username, which is not supported',
    },
    { name: 'impersonation', text: kubeconfig({ user: { token: 'a', as: 'b' } }), says: ': the user "u" uses as, which is not supported' },
    {
      name: 'a proxy',
      text: kubeconfig({ cluster: { server: SERVER, 'proxy-url': 'http://proxy' } }),
      says: ': the cluster "c" uses proxy-url, which is not supported',
    },
    {
      name: 'data that is no base64 of PEM',
      text: kubeconfig({ cluster: { server: SERVER, 'certificate-authority-data': 'nonsense' } }),
      says: `: the cluster "c" has certificate-authority-data that ${pem}; use the file's path as certificate-authority instead`,
    },
    {
      name: 'a missing file',
      text: kubeconfig({ cluster: { server: SERVER, 'certificate-authority': '/nowhere/ca.crt' } }),
      says: ': the cluster "c" has a certificate-authority that cannot be read: /nowhere/ca.crt: ENOENT; correct the path or its permissions',
    },
    {
      name: 'a file without PEM',
      text: kubeconfig({ user: { 'client-key': 'config' } }),
      says: ': the user "u" has a client-key that is no PEM: ',
    },
    {
      name: 'a certificate without a key',
      text: kubeconfig({ user: { 'client-certificate-data': base64(CERTIFICATE) } }),
      says: ': the user "u" has only one of client-certificate and client-key; give both',
    },
    { name: 'a token of two lines', text: kubeconfig({ user: { token: 'a\nb' } }), says: ': the user "u": its token holds no token' },
  ]
  for (const { name, text, says } of cases) {
    const path = fileOf(t, text)
    const error = (await read({ kubeconfig: path }).catch((error: unknown) => error)) as Error
    t.equal(error.name, 'AccessError', name)
    t.ok(error.message.startsWith(`${path}${says}`), `${name}: ${error.message}`)
    t.notMatch(error.message, /\n/, `${name}: on one line`)
  }
  const missing = 'the kubeconfig file /nowhere/config cannot be read: ENOENT; correct the path or its permissions'
  await t.rejects(read({ kubeconfig: '/nowhere/config' }), { name: 'AccessError', message: missing })
})
