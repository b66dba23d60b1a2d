import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadNetlink } from '../../../src/kernel/netlink.js'
import { createNftables } from '../../../src/kernel/nftables.js'
import { digestOf, installCommands, type Layout, MODES, parseSetName, planOf } from '../../../src/sources/flows/layout.js'
import { inNamespace } from '../../kernel/in-namespace.js'
import { nft } from '../../kernel/nft.js'

const GOLDEN = join(import.meta.dirname, '../../golden')
/** Other versions of nft print the same rules in other words. */
const PRINTER = '1.0.6'
const LAYOUT: Layout = { generation: 7, mode: 'plain', shards: 1, limit: 65_536, tunnelPorts: [4789, 51820] }

t.test('a set says whose it is', async (t) => {
  t.same(parseSetName('pair4_g7'), { name: 'pair4_g7', kind: 'pair', generation: 7 })
  t.same(parseSetName('pair6_g12_s15'), { name: 'pair6_g12_s15', kind: 'pair', generation: 12 })
  t.same(parseSetName('via4_g3'), { name: 'via4_g3', kind: 'via', generation: 3 })
  for (const name of ['pairs', '__set1', 'pair5_g1', 'pair4_g', 'xpair4_g1']) t.equal(parseSetName(name), undefined, name)
  t.same(parseSetName('from6_g2'), { name: 'from6_g2', kind: 'from', generation: 2 })
  const sets = planOf({ ...LAYOUT, mode: 'full', shards: 16, cgroupLevel: { relative: 3, absolute: 3 } }).sets
  t.ok(
    sets.every(({ name }) => parseSetName(name)?.generation === 7),
    'all that we make',
  )
})

t.test('the digest tells what the rules mean, not which generation they fill', async (t) => {
  const digest = digestOf(LAYOUT)
  t.equal(digestOf({ ...LAYOUT, generation: 8 }), digest)
  const others: readonly Partial<Layout>[] = [{ mode: 'full' }, { mode: 'tunnel' }, { shards: 16 }, { limit: 1024 }]
  for (const other of others) t.not(digestOf({ ...LAYOUT, ...other }), digest, JSON.stringify(other))
  t.not(digestOf({ ...LAYOUT, mode: 'full', cgroupLevel: { relative: 3, absolute: 3 } }), digestOf({ ...LAYOUT, mode: 'full' }))
  const deeper = { relative: 0, absolute: 4 }
  t.not(
    digestOf({ ...LAYOUT, mode: 'full', cgroupLevel: { ...deeper, absolute: 3 } }),
    digestOf({ ...LAYOUT, mode: 'full', cgroupLevel: deeper }),
  )
  t.equal(digestOf({ ...LAYOUT, cgroupLevel: { relative: 3, absolute: 3 } }), digest, 'cgroups are told apart only where all else is')
  t.not(digestOf({ ...LAYOUT, mode: 'full', tunnelPorts: [1] }), digestOf({ ...LAYOUT, mode: 'full', tunnelPorts: [2] }))
})

await inNamespace(t, import.meta.filename, () => {
  const list = async (layout: Layout, from?: Layout): Promise<string> => {
    const nftables = createNftables(await loadNetlink())
    const comment = (place: number, of: number): string => `${place}/${of}`
    nftables.commit([{ op: 'add table', table: 'meshtoll', flags: 0, comment: '' }])
    const install = (wanted: Layout): void => {
      const present = {
        chains: nftables.chains('meshtoll'),
        counters: [...nftables.counters('meshtoll').keys()],
        sets: nftables.sets('meshtoll').map(({ name }) => name),
      }
      nftables.commit(installCommands('meshtoll', planOf(wanted), present, comment))
    }
    if (from) install(from)
    install(layout)
    const text = nft('list', 'table', 'inet', 'meshtoll')
    nftables.commit([{ op: 'delete table', table: 'meshtoll' }])
    nftables.close()
    return text.replaceAll(/ comment "\d+\/\d+"/g, '')
  }
  const version = execFileSync('nft', ['-V'], { encoding: 'utf8' })
  const skip = version.includes(PRINTER) ? false : `the golden texts are in the words of nft ${PRINTER}`

  const texts: readonly (readonly [string, Partial<Layout>])[] = [
    ...MODES.flatMap((mode) => ([1, 16] as const).map((shards) => [`flows-${mode}-${shards}`, { mode, shards }] as const)),
    ...([1, 16] as const).map(
      (shards) => [`flows-full-${shards}-cgroups`, { mode: 'full', shards, cgroupLevel: { relative: 3, absolute: 3 } }] as const,
    ),
  ]
  for (const [name, layout] of texts) {
    t.test(`the layout as nft reads it: ${name}`, { skip }, async (t) => {
      const path = join(GOLDEN, `${name}.nft`)
      const text = await list({ ...LAYOUT, ...layout })
      if (process.env['UPDATE_GOLDEN']) writeFileSync(path, text)
      t.equal(text, readFileSync(path, 'utf8'))
    })
  }

  t.test('any layout replaces any other, and nothing of it remains but sets', async (t) => {
    const layouts = texts.map(([, layout]): Layout => ({ ...LAYOUT, ...layout }))
    /** Chains sorted, since those that stay keep their place; without sets and their elements. */
    const chainsOf = (text: string): string[] =>
      [...text.matchAll(/\tchain [^}]*(?:\{[^}]*\}[^}]*)*?\n\t\}/g)].map(([chain]) => chain).sort()
    for (const to of layouts) {
      const alone = chainsOf(await list(to))
      for (const from of layouts) {
        const text = await list(to, { ...from, generation: 6 })
        t.same(chainsOf(text), alone, `${from.mode} ${from.shards} to ${to.mode} ${to.shards}`)
      }
    }
  })

  t.test('no tunnel ports', async (t) => {
    t.match(await list({ ...LAYOUT, mode: 'tunnel', tunnelPorts: [] }), /meta l4proto udp update @pair4_g7/)
  })
})
