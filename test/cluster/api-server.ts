// kube-apiserver on a free port, in front of an etcd. No controllers and no scheduler: tests write what those would.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { programOf } from '../peers/needed.js'
import { type Access, createClient } from './client.js'
import { onFreePort } from './port.js'
import { type Server, startServer } from './server.js'

export interface ApiServerOptions {
  readonly folder: string
  readonly etcdUrl: string
  readonly address: string
  readonly flags: readonly string[]
}

export interface ApiServer {
  readonly url: string
  readonly caFile: string
  readonly adminToken: string
  readonly server: Server
  restart(): Promise<void>
}

const ISSUER = 'https://kubernetes.default.svc'
const SERVICES = '10.96.0.0/16'

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { folder, address } = options
  const adminToken = randomBytes(16).toString('hex')
  await writeFile(join(folder, 'tokens.csv'), `${adminToken},admin,admin,system:masters\n`)
  await writeServiceAccountKeys(folder)
  const caFile = join(folder, 'certificates/apiserver.crt')

  const start = async (port: number): Promise<Server> => {
    const server = startServer([programOf('kube-apiserver'), ...flagsOf(options, port)], join(folder, 'kube-apiserver.log'))
    await server.ready(() => isReady({ url: urlOf(address, port), caFile, token: adminToken }))
    return server
  }
  const { started, port } = await onFreePort(address, start)
  let server = started
  return {
    url: urlOf(address, port),
    caFile,
    adminToken,
    get server() {
      return server
    },
    async restart() {
      await server.stop()
      server = await start(port)
    },
  }
}

function flagsOf({ folder, etcdUrl, address, flags }: ApiServerOptions, port: number): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    `--service-account-issuer=${ISSUER}`,
    `--service-account-key-file=${join(folder, 'service-account.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'service-account.key')}`,
    `--service-cluster-ip-range=${SERVICES}`,
    // Nobody makes the ServiceAccount "default" of a namespace, without which this plugin refuses pods.
    '--disable-admission-plugins=ServiceAccount',
    // The endpoints of the Service "kubernetes" may not be on the loopback.
    '--endpoint-reconciler-type=none',
    // Only compact() compacts.
    '--etcd-compaction-interval=0',
    ...flags,
  ]
}

async function writeServiceAccountKeys(folder: string): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  await writeFile(join(folder, 'service-account.pub'), publicKey)
  await writeFile(join(folder, 'service-account.key'), privateKey)
}

/** Answers /readyz, and has made the namespace "default", which it does some time later. */
async function isReady(access: Access): Promise<boolean> {
  // Written by itself.
  if (!existsSync(access.caFile)) return false
  const client = createClient(access)
  const paths = ['/readyz', '/api/v1/namespaces/default']
  const answers = await Promise.all(paths.map((path) => client.ask('GET', path))).catch(() => [])
  client.close()
  return answers.length > 0 && answers.every(({ status }) => status === 200)
}

const urlOf = (address: string, port: number): string => `https://${isIPv6(address) ? `[${address}]` : address}:${port}`
