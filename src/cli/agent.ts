import { setFlagsFromString } from 'node:v8'
import { createAgent } from '../agent/agent.js'
import { loadConfig } from '../config/load.js'
import { renderMistakes } from '../config/mistakes.js'
import { createRoutes } from '../http/routes.js'
import { createServer } from '../http/server.js'
import { VERSION } from '../version.js'
import type { CommandDeps, CommandOptions } from './commands.js'
import { loadWebFiles } from './web.js'

const ANSWERS_END_WITHIN_MS = 300
/** The first flush of a large node is much that is new at once: room that V8 makes for it, 16 MB, it would keep. What V8 does not know it ignores. */
const PUSH_HEAP_FLAG = '--semi-space-growth-factor=1'

export async function run(options: CommandOptions, deps: CommandDeps, signal: AbortSignal): Promise<number> {
  const { flags, environment, hostName, host } = options
  const { log, readFile, parseInventory } = deps
  const loaded = await loadConfig(flags, { environment, hostName, readFile, parseInventory }, signal)
  const files = await loadWebFiles(flags['web.config.file'], readFile)
  if ('mistakes' in loaded || 'mistakes' in files) {
    const found = [...('mistakes' in loaded ? loaded.mistakes : []), ...('mistakes' in files ? [files.mistakes] : [])]
    options.complain(renderMistakes(found))
    return 2
  }
  const { config, inventory } = loaded
  if (config.datadog.enabled) setFlagsFromString(PUSH_HEAP_FLAG)
  const agent = createAgent({ config, inventory, environment, host }, deps)
  if (flags.uninstall) {
    const { table } = config.flows
    if (await agent.uninstall(signal)) log.info('the kernel table is removed', { table })
    else log.info(`nothing to remove: there is no table inet ${table}`)
    return 0
  }
  // The port first: what may still fail is found before the kernel is touched, and probes are answered from the beginning.
  const server = await createServer({
    routes: createRoutes({ agent, log, version: VERSION, created: config.series.created }),
    listenAddress: flags['web.listen-address'],
    ...files,
    log,
  })
  try {
    await agent.start(signal)
    log.info('agent is running', { url: server.url, node: config.node.name, zone: config.node.zone, interval_ms: config.flows.intervalMs })
    await agent.run(signal)
  } finally {
    await server.close(AbortSignal.timeout(ANSWERS_END_WITHIN_MS))
  }
  return 0
}
