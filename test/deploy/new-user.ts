// Somebody who does what docs say, word for word, without kubectl: what it would ask of the API server is asked.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../cluster/cluster.js'
import { createNamespace } from '../cluster/objects.js'
import { change, create } from '../cluster/resource.js'
import { programOf } from '../peers/needed.js'

const ROOT = join(import.meta.dirname, '../..')

/** Of one heading, up to the next. */
export interface Section {
  /** Files of YAML by the name in their first line. */
  readonly files: Readonly<Record<string, string>>
  readonly commands: readonly (readonly string[])[]
  /** Its other code, such as queries. */
  readonly code: string
}

export async function readSection(heading: string, page = 'docs/install.md'): Promise<Section> {
  const doc = await readFile(join(ROOT, page), 'utf8')
  const [, text] = doc.split(new RegExp(`^##+ ${heading}\\n`, 'm'))
  if (text === undefined) throw new Error(`${page} has no ${heading}`)
  const blocks = [...(text.split(/^##+ /m)[0] ?? '').matchAll(/^```(\w*)\n(.*?)^```$/gms)]
  const files = blocks.flatMap(([, kind, code = '']) => (kind === 'yaml' ? [[/^# (\S+)/.exec(code)?.[1] ?? '', code]] : []))
  const plain = blocks.flatMap(([, kind, code = '']) => (kind === '' ? [code.replaceAll(/\\\n\s*/g, '')] : []))
  const isCommand = (line: string): boolean => /^(kubectl|helm) /.test(line)
  const lines = plain.flatMap((code) => code.split('\n')).filter(Boolean)
  return {
    files: Object.fromEntries(files),
    commands: lines.filter(isCommand).map((line) => line.replaceAll("'", '').split(/\s+/)),
    code: lines.filter((line) => !isCommand(line)).join('\n'),
  }
}

export interface NewUser {
  /** Rejects where this does not know what kubectl would do. */
  run(command: readonly string[]): Promise<string>
}

export interface NewUserParts {
  readonly cluster: Cluster
  /** Where files of values are. */
  readonly folder: string
  /** What of kubectl waits for pods, or enters one: by its verb. */
  readonly pods: Readonly<Record<string, (rest: readonly string[]) => Promise<string>>>
}

export async function createNewUser(files: Section['files'], { cluster, folder, pods }: NewUserParts): Promise<NewUser> {
  const { admin } = cluster
  const namespace = 'meshtoll'
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)

  const helm = (args: readonly string[]): Promise<string> => {
    const access = ['--kube-apiserver', cluster.url, '--kube-token', cluster.adminToken, '--kube-ca-file', cluster.caFile]
    return output(programOf('helm'), [...args.map((arg) => (arg in files ? join(folder, arg) : arg)), ...access])
  }

  async function kubectl([verb = '', ...rest]: readonly string[]): Promise<string> {
    const [kind, name = '', label = ''] = rest
    const [key = '', value = ''] = label.split('=')
    const handle = pods[verb]
    if (handle) return handle(rest)
    if (verb === 'create' && kind === 'secret') return createSecret(rest.slice(2))
    if (kind !== 'namespace') throw new Error(`this knows no kubectl ${verb} ${rest.join(' ')}`)
    if (verb === 'create') await createNamespace(admin, name)
    else await change(admin, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { metadata: { labels: { [key]: value } } })
    return ''
  }

  async function createSecret([name = '', literal = '']: readonly string[]): Promise<string> {
    const [, key = '', value = ''] = /^--from-literal=([^=]+)=(.*)$/.exec(literal) ?? []
    await create(admin, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, stringData: { [key]: value } })
    return ''
  }

  async function run([program = '', ...args]: readonly string[]): Promise<string> {
    const [pipe, at] = [args.indexOf('|'), args.findIndex((arg) => arg === '--namespace' || arg === '-n')]
    if (pipe >= 0) return matching(await run([program, ...args.slice(0, pipe)]), args.at(-1) ?? '')
    if (program === 'helm') return helm(args)
    return kubectl(at < 0 ? args : args.toSpliced(at, 2))
  }

  return { run }
}

/** grep. */
const matching = (text: string, word: string): string =>
  text
    .split('\n')
    .filter((line) => line.includes(word))
    .join('\n')

async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${args.join(' ')}: ${err.trim()}`)
  return out
}
