// The table agrees with what pins each peer, and with the tests that there are.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { GO, GO_MIN, ON_IMAGES_NODE, PEERS, type Peer, peerOf, peersOf, SUITES } from './table.js'

const ROOT = join(import.meta.dirname, '../..')
const fileOf = ({ go, pip }: Peer): string => (go ? 'go.mod' : pip ? 'requirements.txt' : 'packages.txt')
const pinsOf = (peer: Peer): string => readFileSync(join(import.meta.dirname, peer.name, fileOf(peer)), 'utf8')

// `require x v1`, a line of a require block without "// indirect", or `x==1 \`. A module that only brings a program is always "// indirect", and
// then on a line of its own.
const VERSION = /^(?:(?:require |\t)?\S+(?: v|==)(?<direct>\S+)(?: \\)?|require \S+ v(?<tool>\S+) \/\/ indirect)$/gm

t.test('each pin is that of go.mod, requirements.txt or packages.txt', async (t) => {
  for (const peer of [...PEERS, GO]) {
    t.equal([peer.go, peer.pip, peer.deb].filter(Boolean).length, 1, `${peer.name} is had in one way`)
    const versions = [...pinsOf(peer).matchAll(VERSION)].map(({ groups }) => groups?.['direct'] ?? groups?.['tool'])
    if (peer.go)
      t.match(pinsOf(peer), new RegExp(`\\ngo ${GO_MIN.join('\\.')}(\\.0)?\\n`), `${peer.name} asks for no newer Go than the table`)
    t.ok(versions.includes(peer.pin), `${peer.name} ${peer.pin} is one of ${versions}`)
  }
})

t.test('kube-apiserver is of one version throughout', async (t) => {
  const { pin, go } = peerOf('kube-apiserver')
  const staging = pin.replace(/^1/, '0')
  const replaced = [...pinsOf(peerOf('kube-apiserver')).matchAll(/^\t(k8s\.io\/\S+) => (\S+) v(\S+)$/gm)]
  t.ok(replaced.length > 25, `${replaced.length} modules are replaced`)
  for (const [, from, to, version] of replaced) t.same([to, version], [from, staging])
  t.equal(go?.set?.['k8s.io/component-base/version.gitVersion'], `v${pin}`, 'and says so of itself')
})

t.test('tests run on the line of Node that the image has', async (t) => {
  const [, image] = /^ARG NODE_IMAGE=node:(\d+)\./m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')) ?? []
  t.equal(peerOf('node').pin.split('.')[0], image)
  for (const path of ON_IMAGES_NODE) t.ok(existsSync(join(ROOT, path)), path)
})

t.test('peersOf', async (t) => {
  const cases = [
    { name: 'no test that needs any', files: ['test/main.test.ts', 'test/lab/paths.test.ts'], peers: [] },
    { name: 'a test against a cluster', files: ['test/main.test.ts', 'test/cluster/cluster.test.ts'], peers: ['etcd', 'kube-apiserver'] },
    { name: 'a test of the chart', files: ['test/deploy/chart.test.ts'], peers: ['etcd', 'kube-apiserver', 'helm'] },
    { name: 'a test of the mesh', files: ['test/mesh/story.test.ts'], peers: ['etcd', 'kube-apiserver', 'istiod', 'envoy'] },
    { name: 'a test of rules', files: ['test/rules/traffic.test.ts'], peers: ['prometheus', 'promtool', 'victoriametrics'] },
    { name: 'two of them', files: ['test/cluster/a.test.ts', 'test/cluster/b.test.ts'], peers: ['etcd', 'kube-apiserver'] },
  ]
  for (const { name, files, peers } of cases) t.same(peersOf(files), peers, name)
  for (const { files, peers } of SUITES) {
    t.ok(existsSync(join(ROOT, files)), files)
    t.same(peers.map(peerOf).length, peers.length)
  }
  t.throws(() => peerOf('nginx'), /no peer is named nginx/)
})
