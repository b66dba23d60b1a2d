import { setFlagsFromString } from 'node:v8'
import { loadConfig } from '../config/load.js'
import { renderMistakes } from '../config/mistakes.js'
import { openApiServer } from '../directory/api-server.js'
import { openDirectory } from '../directory/directory.js'
import { createServer } from '../http/server.js'
import { VERSION } from '../version.js'
import type { CommandDeps, CommandOptions } from './commands.js'
import { loadWebFiles } from './web.js'

const ANSWERS_END_WITHIN_MS = 300
/** Two for each of 5,000 agents, and some more. */
const MAX_CONNECTIONS = 16_384

/**
 * By default a heap of 90 MB may grow to 200 before it is collected, and what is new takes 48: of 100,000 pods and 1,000 agents that is
 * another third (bench/directory.ts). What V8 does not know it ignores.
 */
const HEAP_FLAGS = ['--heap-growing-percent=30', '--semi-space-growth-factor=1']

export async function run(options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<number> {
  const { flags, environment, hostName, host } = options
  const { log, readFile } = deps
  for (const flag of HEAP_FLAGS) setFlagsFromString(flag)
  const loaded = await loadConfig(flags, { environment, hostName, readFile, parseInventory: deps.parseInventory }, signal)
  const files = await loadWebFiles(flags['web.config.file'], readFile)
  if ('mistakes' in loaded || 'mistakes' in files) {
    const found = [...('mistakes' in loaded ? loaded.mistakes : []), ...('mistakes' in files ? [files.mistakes] : [])]
    options.complain(renderMistakes(found))
    return 2
  }
  const { config } = loaded
  const parts = { config, environment, hostName, version: VERSION, nodeVersion: host.nodeVersion, openApiServer }
  const { routes, run: runDirectory } = await openDirectory(parts, deps, signal)
  const server = await createServer({
    routes,
    listenAddress: flags['web.listen-address'],
    ...files,
    log,
    maxConnections: MAX_CONNECTIONS,
  })
  if (server.url.startsWith('http:')) log.warn('tokens come unencrypted; give a certificate with --web.config.file', { url: server.url })
  try {
    log.info('directory is running', { url: server.url })
    await runDirectory()
  } finally {
    await server.close(AbortSignal.timeout(ANSWERS_END_WITHIN_MS))
  }
  return 0
}
