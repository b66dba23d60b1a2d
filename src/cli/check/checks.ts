// The table of checks, in the order in which they are printed.
import { basename } from 'node:path'
import { rightConfig } from '../../config/load.js'
import { type Mistakes, renderMistakes } from '../../config/mistakes.js'
import { troubleOf } from '../../disk.js'
import { RELEASE_YEAR } from '../../version.js'
import { bypasses } from './bypasses.js'
import type { ClusterFacts } from './cluster.js'
import { findDatadog } from './datadog.js'
import { findEnvoy } from './envoy.js'
import { findEnvoyAdmin } from './envoy-admin.js'
import type { Facts } from './facts.js'
import { type Check, type Finding, fail, ok, warn } from './finding.js'
import { findIstiod } from './istiod.js'
import { capabilities, hostNetwork, kernel, table } from './kernel.js'
import { findKubelet } from './kubelet.js'
import { findZtunnel } from './ztunnel.js'

export const CHECKS: readonly Check[] = [
  { name: 'configuration', find: configuration },
  { name: 'node', find: node },
  { name: 'kubernetes', find: kubernetes },
  { name: 'kubelet', find: findKubelet },
  { name: 'envoy', find: findEnvoy },
  { name: 'envoy admin', find: findEnvoyAdmin },
  { name: 'istiod', find: findIstiod },
  { name: 'ztunnel', find: findZtunnel },
  { name: 'datadog', find: findDatadog },
  { name: 'inventory', find: inventory },
  { name: 'kernel', find: kernel },
  { name: 'capabilities', find: capabilities },
  { name: 'table', find: table },
  { name: 'host network', find: hostNetwork },
  { name: 'not seen here', find: bypasses },
  { name: 'state', find: state },
  { name: 'port', find: port },
  { name: 'clock', find: clock },
]

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

function configuration({ loaded, webMistakes, configFile }: Facts): Finding[] {
  const right = rightConfig(loaded)
  if (!right && 'mistakes' in loaded) {
    return [fail('has mistakes; the checks below suppose the defaults', ...linesOf([...loaded.mistakes, ...webMistakes]))]
  }
  if (webMistakes.length > 0) return [fail('has mistakes', ...linesOf(webMistakes))]
  const file = configFile === null ? 'no file, all options have their defaults' : basename(configFile)
  return [ok(configFile === null ? file : `${file}, ${plural(right?.optionsSet ?? 0, 'option', 'options')} set`)]
}

const linesOf = (mistakes: readonly Mistakes[]): string[] => renderMistakes(mistakes).trimEnd().replaceAll('meshtoll: ', '').split('\n')

function node({ config, cluster }: Facts): Finding[] {
  const { name } = config.node
  const said = cluster && 'node' in cluster ? cluster.node : undefined
  const zone = config.node.zone === '_unknown' ? said?.zone || '_unknown' : config.node.zone
  const region = config.node.region || said?.region
  if (zone !== '_unknown') return [ok(`${name} in zone ${zone}${region ? `, region ${region}` : ''}`)]
  return [warn(`${name}, zone not known: its bytes are served with zone _unknown`, 'set node.zone, and node.region if there is one')]
}

/** Below it nobody minds that every agent hears of every pod. */
const MANY_PODS = 5_000

function kubernetes({ cluster, config }: Facts): Finding[] {
  if (!cluster) return [ok('not asked: this is no pod, and there is no kubeconfig')]
  if ('message' in cluster) return [fail(`cannot be asked: ${cluster.message}`)]
  const { server, node: own, pods, refusals } = cluster
  const refused = refusals.map(({ says, remedy, isVital }) => (isVital ? fail : warn)(says, remedy))
  return refusals.some(({ isVital }) => isVital) ? refused : [...asked({ server, own, pods, config }), ...refused]
}

interface Told {
  readonly server: string
  readonly own: ClusterFacts['node']
  readonly pods: number
  readonly config: Facts['config']
}

function asked({ server, own, pods, config }: Told): Finding[] {
  if (!own) return [fail(`${server} has no Node ${config.node.name}`, 'set node.name to the name that Kubernetes has for this node')]
  const count = plural(pods, 'pod', 'pods')
  if (config.flows.enabled === false) return [ok(`${server} with ${count}; its own are followed`)]
  if (config.kubernetes.directory.url !== null) return [ok(`${server} with ${count}, and a directory`)]
  if (pods <= MANY_PODS) return [ok(`${server} with ${count}; no directory is needed`)]
  return [warn(`${server} with ${count}: every agent hears of all of them`, 'run a directory, and set kubernetes.directory.url')]
}

function inventory({ loaded, config, cluster }: Facts): Finding[] {
  if ('mistakes' in loaded) return loaded.right ? [fail('has mistakes; the agent would not start', ...linesOf(loaded.mistakes))] : []
  if (config.inventory.file === null) return [ok(cluster ? 'none' : 'none: only the addresses of this node have a name')]
  const { name } = config.node
  const { entries } = loaded.inventory
  const own = entries.filter((entry) => entry.node === name).length
  const others = [...new Set(entries.map((entry) => entry.node))].filter((other) => other !== '' && other !== name)
  const count = plural(entries.length, 'entry', 'entries')
  if (own > 0 || others.length === 0) return [ok(`${count}, ${own} of this node`)]
  const shown = others.slice(0, 3).join(', ')
  return [warn(`${count}, none of this node, ${name}`, `set node.name to the name that the inventory uses; it has ${shown}`)]
}

function state({ state: { folder, exists, isHeld, refused }, node: { isLocked } }: Facts): Finding[] {
  if (isHeld && !isLocked) {
    return [fail(`${folder} holds the state of an agent that runs elsewhere on this machine`, 'stop it, or set --state.dir')]
  }
  if (isHeld) return [ok(`${folder} is in use by the running agent`)]
  if (!refused) return [ok(`${folder} is writable${exists ? '' : ', made at the first start'}`)]
  const { problem, remedy } = troubleOf(refused)
  return [fail(`${folder} ${problem}: counters would start over after a restart`, remedy)]
}

function port({ port: { address, state: found }, hasWebFile, node: { isLocked } }: Facts): Finding[] {
  const shown = String(address.port)
  if (found === 'free') return [ok(address.port === 0 ? 'a free one is taken at the start' : `${shown} is free`)]
  if (found === 'agent') return [ok(`${shown} is served by a running agent`)]
  if (found !== 'taken') return [fail(found.message)]
  if (hasWebFile && isLocked) return [ok(`${shown} is in use, and an agent runs: it is taken to be the agent's`)]
  return [fail(`${shown} is used by another program`, 'stop it or set --web.listen-address')]
}

/** More than a slewed clock can drift while the facts are gathered. */
const JUMP_MS = 100

function clock({ clock: { nowMs, jumpMs } }: Facts): Finding[] {
  const now = new Date(nowMs)
  const text = `${now.toISOString().slice(0, 19)}Z`
  if (now.getUTCFullYear() < RELEASE_YEAR) {
    return [warn(`${text} is before this version was made: times that are served would be wrong`, 'set the clock, or start its daemon')]
  }
  if (Math.abs(jumpMs) <= JUMP_MS) return [ok(`${text}, did not jump during this check`)]
  return [
    warn(`${text}, jumped by ${Math.round(jumpMs)} ms during this check; bytes are not affected, times are`, 'look at what sets the clock'),
  ]
}
