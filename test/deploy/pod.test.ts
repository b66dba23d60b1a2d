// What the chart has a kubelet start, started: the same command line, environment, user and capabilities, on a node of its own.

import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTopology, type Topology } from '../../src/lab/topology.js'
import { MAIN } from '../built.js'
import type { NewObject } from '../cluster/resource.js'
import { endOf } from '../lab/agents.js'
import { ONE_NODE } from '../lab/lab.js'
import { worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { objectOf, renderObjects } from './helm.js'

interface Container {
  readonly args: readonly string[]
  readonly securityContext: { readonly capabilities: { readonly add?: readonly string[] } }
}

interface PodSpec {
  readonly securityContext: { readonly runAsUser: number }
  readonly initContainers?: readonly [Container]
  readonly containers: readonly [Container]
}

const NODE_IP = ONE_NODE.nodes[0]?.address ?? ''
const ENV = { NODE_NAME: 'n1', NODE_IP }
/** Who made the world as an ordinary user has no other uid in it. */
const hasAllUsers = (): boolean => Number(readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2]) > 65_532

function podOf(objects: readonly NewObject[]): PodSpec {
  const { spec } = objectOf(objects, 'DaemonSet') as NewObject & { readonly spec: { readonly template: { readonly spec: PodSpec } } }
  return spec.template.spec
}

/** The volumes of a pod, on this machine. */
async function mount(objects: readonly NewObject[]): Promise<(path: string) => string> {
  const folder = await mkdtemp('/run/lab/pod-')
  await chmod(folder, 0o755)
  const [config, state] = [join(folder, 'config'), join(folder, 'state')]
  await mkdir(config)
  await mkdir(state)
  await chmod(state, 0o777)
  const { data } = objectOf(objects, 'ConfigMap') as NewObject & { readonly data: Readonly<Record<string, string>> }
  for (const [name, text] of Object.entries(data)) await writeFile(join(config, name), text)
  return (arg) => arg.replace('/etc/meshtoll', config).replace('/var/lib/meshtoll', state).replace('$(NODE_IP)', NODE_IP)
}

function start(topology: Topology, { args, securityContext }: Container, { uid, place }: { uid: number; place: (arg: string) => string }) {
  const kept = ['-all', ...(securityContext.capabilities.add ?? []).map((name) => `+${name.toLowerCase()}`)].join(',')
  const user = uid === 0 || !hasAllUsers() ? [] : [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
  const setpriv = ['setpriv', '--no-new-privs', `--bounding-set=${kept}`, `--inh-caps=${kept}`, ...user, '--']
  return topology.start('n1', [...setpriv, process.execPath, MAIN, ...args.map(place)], { env: { ...process.env, ...ENV } })
}

const ask = (topology: Topology, url: string): Promise<string> =>
  topology.run('n1', [process.execPath, '-e', `fetch('${url}').then((it) => it.text()).then((it) => process.stdout.write(it))`])

await worldTest(import.meta.url, async (t) => {
  const skip = reasonToSkip(['helm']) ?? false

  t.test('mode full counts, and goes without a trace', { skip }, async (t) => {
    const topology = await createTopology(ONE_NODE)
    t.teardown(() => topology.close())
    const objects = await renderObjects()
    const { containers, securityContext } = podOf(objects)
    const how = { uid: securityContext.runAsUser, place: await mount(objects) }
    const program = start(topology, containers[0], how)
    await program.waitFor(/agent is running/, 20_000)
    t.match(program.stderr(), `url=http://${NODE_IP}:10042 node=n1`)
    t.equal(await ask(topology, `http://${NODE_IP}:10042/readyz`), 'ready\n')
    t.match(await ask(topology, `http://${NODE_IP}:10042/metrics`), /^meshtoll_source_up\{source="flows"\} 1$/m)
    t.same(await program.stop('SIGTERM', 12_000), { code: 0, signal: null })
    t.match(await topology.run('n1', ['nft', 'list', 'tables']), 'inet meshtoll')

    const [leaving] = podOf(await renderObjects({ values: { uninstall: true } })).initContainers ?? []
    if (!leaving) throw new Error('nothing uninstalls')
    t.same(await endOf(start(topology, leaving, how)), { code: 0, signal: null })
    t.notMatch(await topology.run('n1', ['nft', 'list', 'tables']), 'meshtoll')
  })

  t.test('mode reduced needs nothing, and misses nothing', { skip }, async (t) => {
    const topology = await createTopology(ONE_NODE)
    t.teardown(() => topology.close())
    const objects = await renderObjects({ values: { mode: 'reduced' } })
    const { containers, securityContext } = podOf(objects)
    const program = start(topology, containers[0], { uid: securityContext.runAsUser, place: await mount(objects) })
    await program.waitFor(/agent is running/, 20_000)
    t.notMatch(program.stderr(), /level=(warn|error)/)
    t.match(readFileSync(`/proc/${program.pid}/status`, 'utf8'), /^CapEff:\t0{16}$/m)
    t.equal(await ask(topology, `http://${NODE_IP}:10042/readyz`), 'ready\n')
    t.same(await program.stop('SIGTERM', 12_000), { code: 0, signal: null })
    t.notMatch(await topology.run('n1', ['nft', 'list', 'tables']), 'meshtoll')
  })
})
