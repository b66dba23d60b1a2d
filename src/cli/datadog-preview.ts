// Exit status: 0 it is shown; 1 no agent answers; 2 a wrong configuration.
import { loadConfig } from '../config/load.js'
import { renderMistakes } from '../config/mistakes.js'
import { countCustomMetrics, createDatadogPreview } from '../datadog/preview.js'
import type { CommandDeps, CommandOptions } from './commands.js'
import { type Previewed, renderPreview, renderPreviewJson } from './datadog-preview/render.js'
import { askAgent } from './datadog-preview/snapshot.js'

type PreviewOptions = Pick<CommandOptions, 'flags' | 'environment' | 'hostName' | 'terminal' | 'print' | 'complain'>
type PreviewDeps = Pick<CommandDeps, 'clock' | 'readFile' | 'parseInventory'>

const WRONG = 2

export async function run(options: PreviewOptions, deps: PreviewDeps, signal: AbortSignal): Promise<number> {
  const { flags, environment, hostName, terminal, print, complain } = options
  // Nothing is sent, so the agent's file is right without its key.
  const loaded = await loadConfig(flags, { environment: { DD_API_KEY: 'none', ...environment }, hostName, ...deps }, signal)
  if ('mistakes' in loaded) {
    complain(renderMistakes(loaded.mistakes))
    return WRONG
  }
  const { datadog } = loaded.config
  const { clock } = deps
  const before = await askAgent(urlsOf(options), deps, signal)
  const preview = await createDatadogPreview({ datadog, startedMs: clock.now() }, deps)
  await preview.take(before.snapshot.families, signal)
  const seconds = datadog.flushIntervalMs / 1000
  complain(`waiting ${seconds} s, a window of datadog.flushInterval, for what the agent of ${before.snapshot.node} counts\n`)
  await clock.sleep(datadog.flushIntervalMs, signal)
  const { snapshot } = await askAgent([flags['agent.url'] ?? before.url], deps, signal)
  const { series, folded } = await preview.take(snapshot.families, signal)
  // What a push says of itself grows with its windows, so of an idle agent the window has more.
  const ever = Math.max(series.length, await countCustomMetrics(snapshot.families, { datadog }, deps, signal))
  const shown: Previewed = {
    agent: before.url,
    node: snapshot.node,
    host: datadog.hostname === 'auto' ? undefined : datadog.hostname,
    seconds,
    isEnabled: datadog.enabled,
    tags: datadog.tags,
    series,
    customMetrics: { window: series.length, ever, limit: datadog.maxSeries, folded },
    strangers: snapshot.strangers,
  }
  print(flags.json ? renderPreviewJson(shown) : renderPreview(shown, terminal))
  return 0
}

/** On its node's network an agent of the chart listens at the node's address alone. */
function urlsOf({ flags, environment }: PreviewOptions): readonly string[] {
  const url = flags['agent.url']
  if (url !== null) return [url]
  const { NODE_IP = '' } = environment
  const there = NODE_IP === '' ? [] : [`http://${NODE_IP.includes(':') ? `[${NODE_IP}]` : NODE_IP}:10042`]
  return ['http://localhost:10042', ...there]
}
