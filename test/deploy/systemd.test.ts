// The unit for machines without Kubernetes: systemd knows all that it says, and with its user and its one capability the agent counts.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createTopology } from '../../src/lab/topology.js'
import { isInWorld } from '../../src/lab/world.js'
import { MAIN } from '../built.js'
import { endOf } from '../lab/agents.js'
import { ONE_NODE } from '../lab/lab.js'
import { worldTest } from '../lab/world.js'
import { hasAllUsers, mebibytesOf } from './container.js'
import { defaultValues } from './helm.js'

const UNIT = join(import.meta.dirname, '../../deploy/systemd/meshtoll.service')
const UNINSTALL = UNIT.replace('.service', '-uninstall.service')
/** What the two of them differ in. */
const OF_ONE = /^(Description|Conflicts|After|Type|User|ExecStart|Restart.*|Timeout.*|WantedBy)$/
/** As systemd gives one to a DynamicUser. */
const UID = 61_184
/** Of 10: what systemd itself says of it (systemd-analyze security). */
const MOST_EXPOSED = '25'

/** The last of each. */
const settingsOf = (unit: string): ReadonlyMap<string, string> =>
  new Map(
    readFileSync(unit, 'utf8')
      .split('\n')
      .flatMap((line) => (/^\w+=/.test(line) ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const] : [])),
  )
const settings = settingsOf(UNIT)
const setting = (name: string): string => settings.get(name) ?? ''

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

if (!isInWorld()) {
  t.test('systemd takes it', { skip: hasSystemd ? false : 'there is no systemd-analyze here' }, async (t) => {
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', UNIT, UNINSTALL], { encoding: 'utf8' })
    t.same([verified.status, verified.stderr], [0, ''])
    const exposed = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', `--threshold=${MOST_EXPOSED}`, UNIT])
    t.equal(exposed.status, 0, exposed.stdout.toString().trim().split('\n').at(-1) ?? '')
  })

  t.test('it is taken away as the same user, with the same rights', async (t) => {
    const away = settingsOf(UNINSTALL)
    const shared = (all: ReadonlyMap<string, string>) => Object.fromEntries([...all].filter(([name]) => !OF_ONE.test(name)))
    t.same(shared(away), shared(settings))
    t.equal(away.get('ExecStart'), setting('ExecStart').replace(' agent ', ' agent --uninstall '))
    t.equal(away.get('Conflicts'), 'meshtoll.service', 'which is stopped before')
    t.match(away.get('After'), 'meshtoll.service')
    // A DynamicUser is called as its unit is, unless it says another name.
    t.same([settings.get('User'), away.get('User')], [undefined, 'meshtoll'])
  })

  t.test('it has what the chart gives', async (t) => {
    const { resources, terminationGracePeriodSeconds } = await defaultValues()
    t.equal(setting('MemoryMax'), `${mebibytesOf(resources.limits.memory)}M`)
    t.equal(setting('TimeoutStopSec'), String(terminationGracePeriodSeconds))
  })
}

await worldTest(import.meta.url, async (t) => {
  t.test('with its user, and its one capability', async (t) => {
    const topology = await createTopology(ONE_NODE)
    t.teardown(() => topology.close())
    const folder = mkdtempSync('/run/lab/systemd-')
    chmodSync(folder, 0o777)
    const configFile = join(folder, 'meshtoll.yaml')
    writeFileSync(configFile, 'node: {name: n1, zone: a}\n')
    const state = join(folder, 'state')
    execFileSync('install', ['--directory', '--mode=0777', state])
    const command = setting('ExecStart')
      .replace('/usr/bin/env node /opt/meshtoll/dist/main.js', `${process.execPath} ${MAIN}`)
      .replace('/etc/meshtoll/meshtoll.yaml', configFile)
      .replace('/var/lib/meshtoll', state)
    const kept = setting('AmbientCapabilities').replace('CAP_', '+').toLowerCase()
    t.equal(setting('CapabilityBoundingSet'), setting('AmbientCapabilities'))
    const user = hasAllUsers() ? [`--reuid=${UID}`, `--regid=${UID}`, '--clear-groups'] : []
    const privileges = [...user, `--inh-caps=-all,${kept}`, `--ambient-caps=-all,${kept}`, `--bounding-set=-all,${kept}`]
    const start = (more: readonly string[]) =>
      topology.start('n1', ['setpriv', '--no-new-privs', ...privileges, '--', ...command.split(' '), ...more])

    const program = start([])
    await program.waitFor(/agent is running/, 60_000)
    t.notMatch(program.stderr(), /level=(warn|error)/)
    t.match(readFileSync(`/proc/${program.pid}/status`, 'utf8'), /^CapEff:\t0000000000001000$/m)
    t.same(await program.stop('SIGTERM', 1_000 * Number(setting('TimeoutStopSec'))), { code: 0, signal: null })
    t.match(await topology.run('n1', ['nft', 'list', 'tables']), 'inet meshtoll', 'the kernel counts on')
    t.same(await endOf(start(['--uninstall'])), { code: 0, signal: null })
    t.notMatch(await topology.run('n1', ['nft', 'list', 'tables']), 'meshtoll')

    writeFileSync(configFile, 'nodes: {}\n')
    t.same(await endOf(start([])), { code: Number(setting('RestartPreventExitStatus')), signal: null }, 'a mistake is not tried again')
  })
})
