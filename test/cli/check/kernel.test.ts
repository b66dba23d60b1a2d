import t from 'tap'
import type { NftablesFacts, NodeFacts } from '../../../src/cli/check/facts.js'
import type { Finding } from '../../../src/cli/check/finding.js'
import { capabilities, hostNetwork, isBefore, kernel, table } from '../../../src/cli/check/kernel.js'
import type { Config } from '../../../src/config/fields.js'
import { LAYOUT } from '../../../src/sources/flows/layout.js'
import { factsWith } from './healthy.js'

const linesOf = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ level, says, remedy }) => [`${level} ${says}`, ...remedy.map((line) => `  ${line}`)])

interface Case {
  readonly name: string
  readonly node?: Partial<NodeFacts>
  readonly flows?: Partial<Config['flows']>
  readonly lines: readonly string[]
}

const OFF = { enabled: false } as const
const NO_PERMISSION = { code: 'EPERM', message: 'could not list tables: EPERM' }

t.test('kernel', async (t) => {
  const cases: readonly Case[] = [
    { name: 'new', lines: ['ok 6.18.44, nf_tables with table owner and persist'] },
    { name: 'the first with persist', node: { release: '6.9.0' }, lines: ['ok 6.9.0, nf_tables with table owner and persist'] },
    {
      name: 'without persist',
      node: { release: '6.8.12-1' },
      lines: [
        'warn 6.8.12, nf_tables without table owner and persist: whoever flushes the ruleset destroys the counters',
        '  use kernel 6.9 or newer, or keep others from `nft flush ruleset`',
      ],
    },
    {
      name: 'ownership off',
      flows: { ownership: 'off' },
      lines: ['ok 6.18.44, nf_tables; the table is not owned (flows.ownership: off), so whoever flushes the ruleset destroys the counters'],
    },
    {
      name: 'too old',
      node: { release: '5.4.0' },
      lines: ['fail 5.4.0: flows need 5.10 or newer', '  use a newer kernel, or set flows.enabled: false'],
    },
    {
      name: 'without nf_tables',
      node: { nftables: { code: 'EOPNOTSUPP', message: 'could not list tables: EOPNOTSUPP' } },
      lines: [
        'fail 6.18.44: nf_tables is not to be had: could not list tables: EOPNOTSUPP',
        '  load the module nf_tables, or set flows.enabled: false',
      ],
    },
    {
      name: 'not allowed to ask',
      node: { nftables: NO_PERMISSION },
      lines: ['ok 6.18.44; nf_tables cannot be asked without CAP_NET_ADMIN'],
    },
    { name: 'flows off', node: { release: '4.19.0' }, flows: OFF, lines: ['ok 4.19.0; flows are off (flows.enabled: false)'] },
  ]
  for (const { name, node = {}, flows = {}, lines } of cases) t.same(linesOf(kernel(factsWith({ node, config: { flows } }))), lines, name)
})

t.test('isBefore', async (t) => {
  const cases = [
    { release: '5.9.16', before: true },
    { release: '5.10.0', before: false },
    { release: '5.10-rc1', before: false },
    { release: '4.19.0', before: true },
    { release: '6.1.0', before: false },
    { release: '', before: false },
  ]
  for (const { release, before } of cases) t.equal(isBefore(release, 5, 10), before, release)
})

t.test('capabilities', async (t) => {
  const cases: readonly Case[] = [
    { name: 'it alone', lines: ['ok CAP_NET_ADMIN'] },
    { name: 'all', node: { capabilities: 0x1ffffffffffn }, lines: ['ok CAP_NET_ADMIN'] },
    {
      name: 'all but it',
      node: { capabilities: 0x1ffffffffffn & ~(1n << 12n), nftables: NO_PERMISSION },
      lines: [
        'fail CAP_NET_ADMIN is missing: flows cannot be counted; the rest works without it',
        '  run as root, or give the process CAP_NET_ADMIN and nothing else',
      ],
    },
    {
      name: "in another user's namespace",
      node: { nftables: NO_PERMISSION },
      lines: [
        'fail CAP_NET_ADMIN does not hold for this network namespace: it is that of another user namespace',
        '  give CAP_NET_ADMIN in the user namespace that owns the network (a pod with hostNetwork must not have hostUsers: false)',
      ],
    },
    { name: 'not to be read', node: { capabilities: undefined }, lines: ['warn cannot be read from /proc/self/status'] },
    { name: 'flows off', node: { capabilities: 0n }, flows: OFF, lines: ['ok none needed; flows are off (flows.enabled: false)'] },
  ]
  for (const { name, node = {}, flows = {}, lines } of cases) {
    t.same(linesOf(capabilities(factsWith({ node, config: { flows } }))), lines, name)
  }
})

const ours = (state: 'intact' | 'outdated' | 'broken' | 'other layout', { ownerPort = 0, layout = LAYOUT } = {}): NftablesFacts => ({
  table: {
    state,
    info: { name: 'meshtoll', handle: 1, flags: 6, comment: '', ownerPort },
    mark: { layout, epoch: 'e1', createdMs: Date.UTC(2026, 10, 20) },
  },
  flowtables: [],
})

t.test('table', async (t) => {
  const since = 'inet meshtoll, ours since 2026-11-20T00:00:00Z'
  const cases: readonly Case[] = [
    { name: 'absent', lines: ['ok inet meshtoll is not there yet; the agent makes it'] },
    {
      name: 'foreign',
      node: { nftables: { table: { state: 'foreign' }, flowtables: [] } },
      lines: [
        'fail inet meshtoll was not written by meshtoll, which never touches it',
        '  rename or remove that table, or set flows.table to another name',
      ],
    },
    { name: 'left by an agent', node: { nftables: ours('intact') }, lines: [`ok ${since}, kept while no agent runs`] },
    {
      name: 'owned by an agent',
      node: { nftables: ours('intact', { ownerPort: 77 }) },
      lines: [`ok ${since}, an agent counts in it; a second one would refuse to start`],
    },
    {
      name: 'locked by an agent that does not own it',
      node: { nftables: ours('intact'), isLocked: true },
      lines: [`ok ${since}, an agent counts in it; a second one would refuse to start`],
    },
    {
      name: 'of other options',
      node: { nftables: ours('outdated') },
      lines: [`ok ${since}, kept while no agent runs; an agent with these options writes its rules anew`],
    },
    {
      name: 'of another version',
      node: { nftables: ours('other layout', { layout: 9 }) },
      lines: [`ok ${since}, kept while no agent runs; it has layout 9, which this version migrates to ${LAYOUT}`],
    },
    {
      name: 'damaged',
      node: { nftables: ours('broken') },
      lines: [
        `warn ${since}, kept while no agent runs; its rules are not as an agent left them, so bytes may be missed`,
        '  find out who changes them; a running agent repairs them within flows.interval, a starting one at once',
      ],
    },
    { name: 'not to be read, said already', node: { nftables: NO_PERMISSION }, lines: [] },
    { name: 'flows off', flows: OFF, lines: [] },
  ]
  for (const { name, node = {}, flows = {}, lines } of cases) t.same(linesOf(table(factsWith({ node, config: { flows } }))), lines, name)
})

t.test('host network', async (t) => {
  const cluster = { server: 'https://10.96.0.1', node: undefined, pods: 3, refusals: [] }
  const cases = [
    {
      name: 'cgroups are to be seen',
      cluster,
      node: { cgroupLevel: { relative: 3, absolute: 3 } },
      lines: ['ok pods on it are told apart by their cgroups'],
    },
    {
      name: 'they are not',
      cluster,
      node: { cgroupLevel: undefined },
      lines: [
        "warn the cgroups (version 2) of pods are not to be seen: bytes of pods on it are the node's",
        "  mount the host's /sys/fs/cgroup read-only, anywhere",
      ],
    },
    {
      name: 'from within a container, by a kernel that may not',
      cluster,
      node: { cgroupLevel: { relative: 1, absolute: 3 }, release: '6.6.40-generic' },
      lines: [
        "warn from within a container Linux tells pods on it apart since 6.11, or with its fix in older lines: without it their bytes are the node's",
        '  if meshtoll_flow_bytes_total has none of their owners, use a newer kernel, or run the agent on the host',
      ],
    },
    {
      name: 'from within a container, by one that does',
      cluster,
      node: { cgroupLevel: { relative: 1, absolute: 3 }, release: '6.12.1' },
      lines: ['ok pods on it are told apart by their cgroups'],
    },
    {
      name: 'on the host, by an older one',
      cluster,
      node: { cgroupLevel: { relative: 3, absolute: 3 }, release: '6.1.0' },
      lines: ['ok pods on it are told apart by their cgroups'],
    },
    { name: 'no cluster', node: {}, lines: ['ok pods on it are told apart on Kubernetes only'] },
  ]
  for (const { name, lines, ...facts } of cases) t.same(linesOf(hostNetwork(factsWith(facts))), lines, name)
  t.same(linesOf(hostNetwork(factsWith({ config: { flows: OFF } }))), ['ok flows are off (flows.enabled: false)'])
})
