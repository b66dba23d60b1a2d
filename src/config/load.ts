// Files -> Config and inventory, or everything that is wrong with them. Throws for nothing that a user can do.
import { basename, dirname, resolve } from 'node:path'
import type { InventoryEntry } from '../model.js'
import { type ParsedConfig, parseConfig } from './config.js'
import type { Environment } from './environment.js'
import type { Config } from './fields.js'
import type { Flags } from './flags.js'
import { type ParseInventory, parseInventory } from './inventory.js'
import type { Mistake, Mistakes } from './mistakes.js'

export interface Surroundings {
  readonly environment: Environment
  readonly hostName: string
  readonly readFile: (path: string) => Promise<string>
  /** Default: here, in one stretch. */
  readonly parseInventory?: ParseInventory
}

/** `text`: what the file said; empty where there is none, and nobody is named. */
export interface Inventory {
  readonly entries: readonly InventoryEntry[]
  readonly text: string
}

export interface LoadedConfig {
  readonly config: Config
  readonly inventory: Inventory
  readonly optionsSet: number
}

export type Loaded = LoadedConfig | WrongFiles

/** `right`: the configuration, where only the inventory is wrong. */
export interface WrongFiles {
  readonly mistakes: readonly Mistakes[]
  readonly right?: Pick<LoadedConfig, 'config' | 'optionsSet'>
}

export const rightConfig = (loaded: Loaded): WrongFiles['right'] => ('mistakes' in loaded ? loaded.right : loaded)

export type LoadedInventory = Inventory | { readonly mistakes: Mistakes }

const parseHere: ParseInventory = (text, environment) => Promise.resolve(parseInventory(text, environment))

/** The inventory is read even when the configuration has mistakes, so that one run shows those of both. */
export async function loadConfig(flags: Pick<Flags, 'config.file'>, surroundings: Surroundings, signal?: AbortSignal): Promise<Loaded> {
  const path = flags['config.file']
  const text = path === null ? '' : await readText(path, surroundings, 'set --config.file to the right path')
  if (typeof text !== 'string') return { mistakes: [{ where: path ?? '', found: [text] }] }
  const parsed = parseConfig(text, surroundings.environment)
  const config = completed(parsed.config, { folder: dirname(path ?? ''), hostName: surroundings.hostName })
  const inventory = await loadInventory(config.inventory.file, surroundings, signal)
  const { optionsSet } = parsed
  const mistakes = configMistakes(path, parsed, surroundings)
  if (mistakes.length > 0) return { mistakes: [...mistakes, ...('mistakes' in inventory ? [inventory.mistakes] : [])] }
  if ('mistakes' in inventory) return { mistakes: [inventory.mistakes], right: { config, optionsSet } }
  return { config, inventory, optionsSet }
}

type InventorySurroundings = Omit<Surroundings, 'hostName'>

/** `file` as `Config` has it. Rejects only where parsing itself cannot be done, and when aborted. */
export async function loadInventory(
  file: string | null,
  { environment, readFile, parseInventory: parse = parseHere }: InventorySurroundings,
  signal?: AbortSignal,
): Promise<LoadedInventory> {
  if (file === null) return { entries: [], text: '' }
  const text = await readText(file, { readFile }, 'set inventory.file to the right path')
  if (typeof text !== 'string') return { mistakes: { where: file, found: [text] } }
  const { entries, mistakes } = await parse(text, environment, signal)
  return mistakes.length > 0 ? { mistakes: { where: basename(file), found: mistakes } } : { entries, text }
}

function configMistakes(
  path: string | null,
  { mistakes, config }: ParsedConfig,
  surroundings: Pick<Surroundings, 'environment'>,
): Mistakes[] {
  const found = [...mistakes, ...(mistakes.length === 0 ? contradictions(config, surroundings) : [])]
  return found.length > 0 ? [{ where: basename(path ?? ''), found }] : []
}

/** Options that are right alone and wrong together. */
function contradictions(config: Config, surroundings: Pick<Surroundings, 'environment'>): Mistake[] {
  return [
    ...directoryContradictions(config.kubernetes.directory),
    ...kubeletContradictions(config.kubelet),
    ...datadogContradictions(config, surroundings),
  ]
}

function datadogContradictions({ datadog, series }: Config, { environment }: Pick<Surroundings, 'environment'>): Mistake[] {
  if (!datadog.enabled) return []
  const hasKey = datadog.apiKeyFile !== null || Boolean(environment['DD_API_KEY'])
  return [
    ...(hasKey ? [] : [{ text: 'datadog is enabled and there is no key; set DD_API_KEY in the environment, or datadog.apiKeyFile' }]),
    ...(series.idleMs >= 2 * datadog.flushIntervalMs
      ? []
      : [
          {
            text: 'series.idle is shorter than two of datadog.flushInterval: a series could be withdrawn before it is sent; make it longer',
          },
        ]),
  ]
}

function kubeletContradictions({ url }: Config['kubelet']): Mistake[] {
  return url?.startsWith('http:') ? [{ text: 'kubelet.url is not https, and a token is sent there; write https' }] : []
}

function directoryContradictions(directory: Config['kubernetes']['directory']): Mistake[] {
  const { url, caFile, insecure } = directory
  if (url === null || insecure) return []
  if (url.startsWith('http:'))
    return [{ text: 'kubernetes.directory.url is not https, and a token is sent there; write https, or insecure: true' }]
  if (caFile !== null) return []
  return [{ text: 'kubernetes.directory has a url and no caFile; name the authority of its certificate, or write insecure: true' }]
}

function completed(config: Config, { folder, hostName }: { folder: string; hostName: string }): Config {
  const { node, inventory, kubernetes, kubelet, datadog } = config
  const beside = (path: string | null): string | null => (path === null ? null : resolve(folder, path))
  return {
    ...config,
    node: { ...node, name: node.name || hostName },
    inventory: { file: beside(inventory.file) },
    kubernetes: {
      ...kubernetes,
      kubeconfig: beside(kubernetes.kubeconfig),
      directory: { ...kubernetes.directory, caFile: beside(kubernetes.directory.caFile) },
    },
    datadog: { ...datadog, apiKeyFile: beside(datadog.apiKeyFile), appKeyFile: beside(datadog.appKeyFile) },
    kubelet: { ...kubelet, tls: { ...kubelet.tls, caFile: beside(kubelet.tls.caFile) } },
  }
}

const REMEDIES: Readonly<Record<string, (remedy: string) => string>> = {
  ENOENT: (remedy) => `there is no such file; ${remedy}`,
  ENOTDIR: (remedy) => `a part of its path is not a folder; ${remedy}`,
  EISDIR: (remedy) => `it is a folder; ${remedy}`,
  EACCES: () => 'this user may not read it; allow reading, or run as its owner',
  EPERM: () => 'this user may not read it; allow reading, or run as its owner',
}

async function readText(path: string, { readFile }: Pick<Surroundings, 'readFile'>, remedy: string): Promise<string | Mistake> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { text: `cannot read ${path}: ${REMEDIES[code ?? '']?.(remedy) ?? message}` }
  }
}
