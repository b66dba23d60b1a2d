// Runs helm on the chart. It asks no cluster.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import type { NewObject } from '../cluster/resource.js'
import { programOf } from '../peers/needed.js'

export const CHART = join(import.meta.dirname, '../../deploy/helm/meshtoll')

/** As values.yaml has them: those that something else is held to. */
export interface DefaultValues {
  readonly resources: { readonly requests: { readonly memory: string }; readonly limits: { readonly memory: string } }
  readonly terminationGracePeriodSeconds: number
}

export const defaultValues = async (): Promise<DefaultValues> => parse(await readFile(join(CHART, 'values.yaml'), 'utf8'))

export interface Rendering {
  /** Of the release; default: meshtoll. */
  readonly name?: string
  /** Default: meshtoll. */
  readonly namespace?: string
  /** As in a file of values. */
  readonly values?: object
}

/** What it prints; rejects with its error's text. */
export async function helm(args: readonly string[], values: object = {}): Promise<string> {
  const child = spawn(programOf('helm'), [...args, '--values', '-'], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(JSON.stringify(values))
  const [out, err] = [child.stdout, child.stderr].map(async (stream) => {
    let text = ''
    for await (const piece of stream.setEncoding('utf8')) text += piece
    return text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${await err}${args[0] === 'lint' ? await out : ''}`.trim())
  return (await out) ?? ''
}

export const renderChart = ({ name = 'meshtoll', namespace = 'meshtoll', values }: Rendering = {}): Promise<string> =>
  helm(['template', name, CHART, '--namespace', namespace], values)

export const renderObjects = async (rendering: Rendering = {}): Promise<readonly NewObject[]> => objectsOf(await renderChart(rendering))

export const objectsOf = (text: string): readonly NewObject[] =>
  parseAllDocuments(text).flatMap((document) => {
    const [mistake] = document.errors
    if (mistake) throw mistake
    const object: NewObject | null = document.toJS()
    return object ? [object] : []
  })

export function objectOf(objects: readonly NewObject[], kind: string, name?: string): NewObject {
  const found = objects.find((object) => object.kind === kind && (name === undefined || object.metadata.name === name))
  if (!found) throw new Error(`there is no ${kind} ${name ?? ''} among ${objects.map((object) => object.kind)}`)
  return found
}
