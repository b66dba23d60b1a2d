// The current context of a kubeconfig file (kubernetes.io/docs/reference/config-api/kubeconfig.v1).
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import type { Access, AccessDeps } from './access.js'
import { AccessError } from './access-error.js'
import { createTokenFile, fixedToken, parseToken, type ReadToken } from './token.js'

type Fields = Readonly<Record<string, unknown>>

/** A part of the file: its fields, and how an error names it. */
interface Part {
  readonly where: string
  readonly fields: Fields
}

/** Rejects with an AccessError that says what to do. */
export async function readKubeconfig(path: string, deps: AccessDeps, signal: AbortSignal): Promise<Access> {
  const read = createReadPem(dirname(path), deps)
  const file = { where: path, fields: parseFile(await readText(path, deps, signal), path) }
  const { context, cluster, user } = partsOf(file)
  refuseWhatIsNotSupported(cluster, user)
  const ca = await read(cluster, 'certificate-authority', signal)
  const certificate = await read(user, 'client-certificate', signal)
  const key = await read(user, 'client-key', signal)
  if ((certificate === undefined) !== (key === undefined)) {
    throw new AccessError(`${user.where} has only one of client-certificate and client-key; give both`)
  }
  return {
    server: textOf(cluster, 'server') ?? fail(cluster, 'has no server; give its URL'),
    ca,
    token: tokenOf(user, dirname(path), deps),
    clientCertificate: certificate !== undefined && key !== undefined ? { certificate, key } : undefined,
    insecure: cluster.fields['insecure-skip-tls-verify'] === true,
    serverName: textOf(cluster, 'tls-server-name'),
    namespace: textOf(context, 'namespace') ?? 'default',
  }
}

async function readText(path: string, { readFile }: AccessDeps, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(path, signal)
  } catch (error) {
    signal.throwIfAborted()
    const { code, message } = error as NodeJS.ErrnoException
    throw new AccessError(`the kubeconfig file ${path} cannot be read: ${code ?? message}; correct the path or its permissions`, {
      cause: error,
    })
  }
}

function parseFile(text: string, path: string): Fields {
  try {
    const parsed: unknown = parse(text)
    if (isFields(parsed)) return parsed
  } catch (error) {
    throw new AccessError(`${path} is no YAML: ${(error as Error).message.split('\n', 1)[0]}`, { cause: error })
  }
  throw new AccessError(`${path} is no kubeconfig file: it has no fields`)
}

function partsOf(file: Part): { context: Part; cluster: Part; user: Part } {
  const current = textOf(file, 'current-context') || fail(file, 'has no current-context; choose one: kubectl config use-context NAME')
  const context = namedOf(file, { list: 'contexts', kind: 'context', name: current })
  const clusterName = textOf(context, 'cluster') ?? fail(context, 'names no cluster')
  const userName = textOf(context, 'user') ?? ''
  return {
    context,
    cluster: namedOf(file, { list: 'clusters', kind: 'cluster', name: clusterName }),
    // `kubectl proxy` needs no credentials.
    user: userName === '' ? { where: file.where, fields: {} } : namedOf(file, { list: 'users', kind: 'user', name: userName }),
  }
}

/** `clusters: [{name: NAME, cluster: {...}}]` */
function namedOf({ where, fields }: Part, { list, kind, name }: { list: string; kind: string; name: string }): Part {
  const entries = fields[list]
  const found = Array.isArray(entries) ? entries.filter(isFields) : []
  const entry = found.find((candidate) => candidate['name'] === name)?.[kind]
  if (isFields(entry)) return { where: `${where}: the ${kind} "${name}"`, fields: entry }
  const names = found.map((candidate) => String(candidate['name'])).join(', ')
  throw new AccessError(`${where}: the ${kind} "${name}" is not among its ${list} (${names || 'there are none'})`)
}

function refuseWhatIsNotSupported(cluster: Part, user: Part): void {
  const remedy = 'use a token, a tokenFile, or a client certificate with its key'
  const { exec } = user.fields
  if (exec)
    fail(user, `gets its credentials from a program (exec: ${isFields(exec) ? exec['command'] : exec}), which is not supported; ${remedy}`)
  for (const name of ['auth-provider', 'username', 'password', 'as']) {
    if (user.fields[name]) fail(user, `uses ${name}, which is not supported; ${remedy}`)
  }
  if (cluster.fields['proxy-url']) fail(cluster, 'uses proxy-url, which is not supported; give a server that can be reached without')
}

function tokenOf(user: Part, folder: string, deps: AccessDeps): ReadToken | undefined {
  const file = textOf(user, 'tokenFile')
  if (file) return createTokenFile(resolve(folder, file), deps)
  const token = textOf(user, 'token')
  return token ? fixedToken(parseToken(token, `${user.where}: its token`)) : undefined
}

type ReadPem = (part: Part, name: string, signal: AbortSignal) => Promise<string | undefined>

/** PEM out of `NAME-data`, in base64, or else of the file that `NAME` is the path of. */
function createReadPem(folder: string, { readFile }: AccessDeps): ReadPem {
  return async (part, name, signal) => {
    const data = textOf(part, `${name}-data`)
    if (data) {
      const text = Buffer.from(data, 'base64').toString()
      return isPem(text) ? text : fail(part, `has ${name}-data that is not base64 of PEM; use the file's path as ${name} instead`)
    }
    const file = textOf(part, name)
    if (!file) return undefined
    const path = resolve(folder, file)
    const text = await readFile(path, signal).catch((error: NodeJS.ErrnoException) => {
      signal.throwIfAborted()
      return fail(part, `has a ${name} that cannot be read: ${path}: ${error.code ?? error.message}; correct the path or its permissions`)
    })
    return isPem(text) ? text : fail(part, `has a ${name} that is no PEM: ${path}`)
  }
}

function textOf(part: Part, name: string): string | undefined {
  const value = part.fields[name]
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined
  return fail(part, `has a ${name} that is no text; put it into quotes`)
}

const isPem = (text: string): boolean => text.includes('-----BEGIN ')

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

function fail({ where }: Part, problem: string): never {
  throw new AccessError(`${where} ${problem}`)
}
