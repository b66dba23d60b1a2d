// check on the real kernel, in a network namespace of its own.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inNamespace } from '../kernel/in-namespace.js'
import { type Ended, runProgram, startProgram } from '../program.js'

const nft = (...args: readonly string[]): string => execFileSync('nft', args, { encoding: 'utf8' })
const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' })
const lineOf = (name: string, { stdout }: Ended): string | undefined =>
  stdout.split('\n').find((line) => line.slice(6).startsWith(`${name} `) && !line.startsWith(' '))

function situation(t: Test): { check: (...flags: string[]) => Promise<Ended>; flags: string[] } {
  const folder = t.testdir({ 'meshtoll.yaml': 'node: {name: n1, zone: z1}\n', state: {} })
  const flags = [`--config.file=${folder}/meshtoll.yaml`, `--state.dir=${folder}/state`]
  return { flags, check: (...more) => runProgram(['check', ...flags, ...more]) }
}

/** What follows sees the limits of a container with 160 MiB, be it cgroup v1 or v2. */
const LIMITED = `
mount -t tmpfs none /sys/fs/cgroup
v1=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
v2=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir -p $v1 $v2
for file in $v1/memory.limit_in_bytes $v1/memory.soft_limit_in_bytes $v2/memory.max $v2/memory.high; do echo 167772160 > $file; done
exec "$@"`

t.setTimeout(120_000)

await inNamespace(t, import.meta.filename, () => {
  t.test('a fresh machine', async (t) => {
    const { check } = situation(t)
    const before = nft('list', 'ruleset')
    const found = await check()
    t.equal(found.status, 0)
    t.equal(found.stderr, '')
    t.match(found.stdout, /^ok {4}configuration {2}meshtoll\.yaml, 2 options set\nok {4}node {11}n1 in zone z1\n/)
    t.match(lineOf('capabilities', found), /^ok .*CAP_NET_ADMIN$/)
    t.match(lineOf('table', found), /^ok .*inet meshtoll is not there yet; the agent makes it$/)
    t.match(lineOf('not seen here', found), /^ok /)
    t.equal(nft('list', 'ruleset'), before, 'no table was written')
  })

  t.test('a running agent, what it leaves, and what somebody does to it', async (t) => {
    const { check, flags } = situation(t)
    const { child, ended, says } = startProgram(['agent', ...flags, '--web.listen-address=127.0.0.1:0'])
    t.teardown(() => child.kill('SIGKILL'))
    await says('msg="agent is running"')
    t.match(lineOf('table', await check()), /^ok .*ours since .*, an agent counts in it; a second one would refuse to start$/)
    child.kill('SIGTERM')
    await ended
    t.match(lineOf('table', await check()), /^ok .*ours since .*, kept while no agent runs$/)
    nft('flush', 'table', 'inet', 'meshtoll')
    t.match(lineOf('table', await check()), /^warn .*its rules are not as an agent left them/)
    nft('delete', 'table', 'inet', 'meshtoll')
  })

  t.test("a table of our name that is somebody else's", async (t) => {
    const { check } = situation(t)
    nft('add', 'table', 'inet', 'meshtoll')
    t.teardown(() => nft('delete', 'table', 'inet', 'meshtoll'))
    const found = await check()
    t.equal(found.status, 1)
    t.match(lineOf('table', found), /^fail .*was not written by meshtoll, which never touches it$/)
    t.match(found.stdout, /\n1 failure\n$/)
  })

  t.test('a bridge without br_netfilter, and a flowtable', async (t) => {
    const { check } = situation(t)
    ip('link', 'add', 'br0', 'type', 'bridge')
    ip('link', 'add', 'p1', 'type', 'veth', 'peer', 'name', 'p2')
    t.teardown(() => ip('link', 'del', 'br0'))
    t.teardown(() => ip('link', 'del', 'p1'))
    for (const port of ['p1', 'p2']) ip('link', 'set', port, 'master', 'br0')
    const setting = '/proc/sys/net/bridge/bridge-nf-call-iptables'
    if (existsSync(setting)) execFileSync('sh', ['-c', `echo 0 > ${setting}`])
    t.match(lineOf('not seen here', await check()), /^warn .*br0 without br_netfilter for IPv4/)
  })

  t.test('without CAP_NET_ADMIN', async (t) => {
    const { flags } = situation(t)
    const enter = ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin']
    const found = await runProgram(['check', ...flags], { enter })
    t.equal(found.status, 1)
    t.match(lineOf('kernel', found), /^ok .*nf_tables cannot be asked without CAP_NET_ADMIN$/)
    t.match(lineOf('capabilities', found), /^fail .*CAP_NET_ADMIN is missing/)
  })

  t.test('a wrong configuration is reported with all else', async (t) => {
    const folder = t.testdir({ 'meshtoll.yaml': 'serie: {}', 'web.yaml': 'tls: {}' })
    const files = [`--config.file=${folder}/meshtoll.yaml`, `--web.config.file=${folder}/web.yaml`]
    const found = await runProgram(['check', ...files, `--state.dir=${folder}/state`])
    t.equal(found.status, 2)
    t.match(
      found.stdout,
      /^fail {2}configuration {2}has mistakes; .*\n {8}meshtoll\.yaml has 1 mistake\n {10}1:1 {2}serie is not an option/,
    )
    t.match(found.stdout, /\n {8}web\.yaml has 1 mistake\n {10}1:1 {2}tls is not an option/)
    t.match(lineOf('state', found), /^ok /)
    t.notOk(existsSync(join(folder, 'state')))
  })

  t.test('a wrong web file leaves the configuration in force', async (t) => {
    const folder = t.testdir({ 'meshtoll.yaml': 'node: {name: n1, zone: z1}', 'web.yaml': 'tls: {}' })
    const files = [`--config.file=${folder}/meshtoll.yaml`, `--web.config.file=${folder}/web.yaml`]
    const found = await runProgram(['check', ...files, `--state.dir=${folder}/state`])
    t.equal(found.status, 2)
    t.match(found.stdout, /^fail {2}configuration {2}has mistakes\n {8}web\.yaml has 1 mistake\n/)
    t.match(lineOf('node', found), /^ok .*n1 in zone z1$/)
  })

  t.test('a wrong inventory leaves the configuration in force', async (t) => {
    const config = 'node: {name: n1, zone: z1}\nflows: {table: tolls}\ninventory: {file: i.yaml}\n'
    const folder = t.testdir({ 'meshtoll.yaml': config, 'i.yaml': 'entries: [{}]' })
    const found = await runProgram(['check', `--config.file=${folder}/meshtoll.yaml`, `--state.dir=${folder}/state`])
    t.equal(found.status, 2)
    t.match(lineOf('configuration', found), /^ok .*meshtoll\.yaml, 4 options set$/)
    t.match(lineOf('node', found), /^ok .*n1 in zone z1$/)
    t.match(lineOf('table', found), /^ok .*inet tolls is not there yet/)
    t.match(found.stdout, /\nfail {2}inventory .*has mistakes; .*\n {8}i\.yaml has 1 mistake\n {10}1:11 {2}this entry has no cidr/)
  })

  t.test('an inventory that takes more memory than the container leaves', async (t) => {
    const folder = t.testdir({ 'meshtoll.yaml': 'inventory: {file: i.yaml}', 'i.yaml': ' '.repeat(5 * 2 ** 20) })
    const argv = ['check', `--config.file=${folder}/meshtoll.yaml`, `--state.dir=${folder}/state`]
    const found = await runProgram(argv, { enter: ['unshare', '--mount', 'sh', '-ec', LIMITED, 'sh'] })
    t.equal(found.status, 2)
    t.equal(found.stderr, '')
    t.match(
      found.stdout,
      /\n {8}i\.yaml has 1 mistake\n {10}1:1 {2}the file takes more than 32 MiB of memory to parse; give the agent more memory, /,
    )
  })

  t.test('a state directory that cannot be', async (t) => {
    const { check } = situation(t)
    const found = await runProgram(['check', '--state.dir=/proc/meshtoll'])
    t.equal(found.status, 1)
    t.match(lineOf('state', found), /^fail .*\/proc\/meshtoll cannot be made: counters would start over after a restart$/)
    t.equal((await check()).status, 0)
  })
})
