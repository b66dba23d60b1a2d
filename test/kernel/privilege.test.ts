import { spawnSync } from 'node:child_process'
import t from 'tap'
import { inNamespace } from './in-namespace.js'

const script = `
  const { loadNetlink } = await import('${import.meta.resolve('../../src/kernel/netlink.js')}')
  const { createNftables } = await import('${import.meta.resolve('../../src/kernel/nftables.js')}')
  const { createRtnetlink } = await import('${import.meta.resolve('../../src/kernel/rtnetlink.js')}')
  const open = await loadNetlink()
  const nftables = createNftables(open)
  const attempt = (action) => { try { return action() } catch ({ code, message }) { return [code, message] } }
  console.log(JSON.stringify({
    table: attempt(() => nftables.table('t')),
    commit: attempt(() => nftables.commit([{ op: 'add table', table: 't', flags: 0, comment: '' }])),
    links: createRtnetlink(open).links().map(({ name }) => name),
  }))`

await inNamespace(t, import.meta.filename, () => {
  t.test('without CAP_NET_ADMIN nf_tables refuses and devices can still be read', async (t) => {
    const node = [process.execPath, ...process.execArgv, '--input-type=module', '-e', script]
    const { stdout, stderr } = spawnSync('setpriv', ['--bounding-set=-all', '--inh-caps=-all', ...node], { encoding: 'utf8' })
    t.same(
      JSON.parse(stdout),
      {
        table: ['EPERM', 'could not read table t: EPERM, operation not permitted'],
        commit: ['EPERM', 'could not commit to nftables: EPERM, operation not permitted'],
        links: ['lo'],
      },
      stderr,
    )
  })
})
