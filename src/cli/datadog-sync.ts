// Exit status: 0 Datadog has, or would be given, what is wanted; 1 it could not be asked, or refuses; 2 a wrong configuration.
import { join } from 'node:path'
import type { Config } from '../config/fields.js'
import { loadConfig } from '../config/load.js'
import { type Mistake, renderMistakes } from '../config/mistakes.js'
import { createDatadogKey } from '../datadog/key.js'
import { urlOf } from '../datadog/push.js'
import { proxyFor } from '../proxy/environment.js'
import type { CommandDeps, CommandOptions } from './commands.js'
import { createApi } from './datadog-sync/api.js'
import { applyPlan, refusalsOf } from './datadog-sync/apply.js'
import { type LoadClient, loadClient } from './datadog-sync/client.js'
import { readContent, settingMistakes, wantedOf } from './datadog-sync/content.js'
import { createHttp } from './datadog-sync/http.js'
import { planOf } from './datadog-sync/plan.js'
import { fetchThrough } from './datadog-sync/proxied-fetch.js'
import { renderPlan } from './datadog-sync/render.js'

export type SyncOptions = Pick<CommandOptions, 'flags' | 'environment' | 'hostName' | 'terminal' | 'print' | 'complain'>
export type SyncDeps = Pick<CommandDeps, 'clock' | 'readFile' | 'growingFiles' | 'random' | 'parseInventory'>

/** Beside `dist`, or `src`. */
const ROOT = join(import.meta.dirname, '../..')
const CANNOT = 1
const WRONG = 2

export const run = (options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<number> =>
  sync(options, deps, { signal, root: ROOT, load: loadClient })

/** `root`: the folder of the project. */
export interface SyncParts {
  readonly signal: AbortSignal
  readonly root: string
  readonly load: LoadClient
}

export async function sync(options: SyncOptions, deps: SyncDeps, { signal, root, load }: SyncParts): Promise<number> {
  const { flags, environment, hostName, terminal, print, complain } = options
  const loaded = await loadConfig(flags, { environment, hostName, ...deps }, signal)
  if ('mistakes' in loaded) {
    complain(renderMistakes(loaded.mistakes))
    return WRONG
  }
  const { datadog } = loaded.config
  const content = await readContent(root, deps, signal)
  const keys = await readKeys(datadog, options, deps, signal)
  const mistakes = [...keys.mistakes, ...settingMistakes(datadog, content)]
  if (mistakes.length > 0) {
    complain(renderMistakes([{ where: 'the configuration', found: mistakes }]))
    return WRONG
  }
  const url = urlOf(datadog)
  const [apiKey = '', appKey = ''] = keys.found
  const secrets = [apiKey, appKey]
  const fetch = await fetchThrough(proxyFor(url, environment))
  const http = createHttp({ fetch, secrets, signal, say: (line) => complain(`${line}\n`) }, deps)
  const api = createApi({ url, apiKey, appKey, http }, await load())
  const steps = planOf(wantedOf(content, datadog), await api.list())
  print(renderPlan(steps, flags, terminal))
  const refused = await refusalsOf(steps, api)
  if (refused.length > 0) {
    complain(renderMistakes([{ where: `what ${url} would be given`, found: refused.map((text) => ({ text })) }]))
    return CANNOT
  }
  if (flags.apply) await applyPlan(steps, { api, prune: flags.prune, done: (line) => print(`${line}\n`) })
  return 0
}

/** Both, or what is wrong with either. */
async function readKeys(
  { apiKeyFile, appKeyFile }: Pick<Config['datadog'], 'apiKeyFile' | 'appKeyFile'>,
  { environment }: Pick<SyncOptions, 'environment'>,
  deps: Pick<SyncDeps, 'readFile'>,
  signal: AbortSignal,
): Promise<{ readonly found: readonly string[]; readonly mistakes: readonly Mistake[] }> {
  const sources = [
    { file: apiKeyFile, variable: 'DD_API_KEY' },
    { file: appKeyFile, variable: 'DD_APP_KEY' },
  ] as const
  const found: string[] = []
  const mistakes: Mistake[] = []
  for (const source of sources) {
    try {
      found.push(await createDatadogKey({ ...source, environment }, deps)(undefined, signal))
    } catch (error) {
      signal.throwIfAborted()
      mistakes.push({ text: (error as Error).message })
    }
  }
  return { found, mistakes }
}
