// The Dockerfile makes an image that holds no more than the program takes, and in which the chart's containers run: with a read-only root, their
// user, their capabilities, and within their limit of memory.
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { Program } from '../../src/lab/program.js'
import { createTopology, type Topology } from '../../src/lab/topology.js'
import { isInWorld } from '../../src/lab/world.js'
import { VERSION } from '../../src/version.js'
import { endOf } from '../lab/agents.js'
import { ONE_NODE } from '../lab/lab.js'
import { worldTest } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { type Container, createPod, mebibytesOf, type Pod } from './container.js'
import { renderObjects } from './helm.js'
import { buildImage, HERE, handedImage, handImage, type Image } from './image.js'

/** Of the program and its packages, on top of the base. */
const MOST_MEBIBYTES = 6
/** Where nothing else runs it takes half a second. */
const STARTS_WITHIN_MS = 90_000
/** e_machine of ELF. */
const MACHINES = { amd64: 62, arm64: 183 }

const filesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort()

const machineOf = (file: string): number => readFileSync(file).readUInt16LE(18)

async function testFiles(t: Test, { folder, entrypoint, bases }: Image): Promise<void> {
  const within = ([command = '', ...rest]: readonly string[]) =>
    spawnSync(command, rest, { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'] } }).stdout
  t.same(
    bases.map((base) => /^node:24\.\d+\.\d+-bookworm-slim$/.test(base)),
    [true, true],
    'a version that is pinned',
  )
  t.equal(bases[0], bases[1])
  t.equal(within([...entrypoint, '--version']), `meshtoll ${VERSION}\n`)
  t.match(within([...entrypoint, 'agent', '--help']), '--config.file')

  t.same((await readdir(folder)).sort(), ['LICENSE', 'NOTICE', 'dist', 'node_modules', 'package.json'])
  await testLicenses(t, folder)
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies))
    t.equal(within(['node', '--input-type=module', '-e', `await import('${name}'); console.log('loaded')`]), 'loaded\n', name)
  const packages = await readdir(join(folder, 'node_modules'), { recursive: true })
  t.same(
    Object.keys(devDependencies).filter((name) => packages.includes(name)),
    [],
    'nothing that is for its making',
  )
  const files = await filesIn(folder)
  t.same(
    files.filter((file) => /\.([cm]?ts|md|map|h|cc)$/.test(file) && !/licen[cs]e/i.test(file)),
    [],
    'nothing to read',
  )
  const mebibytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0) / 2 ** 20
  t.comment(`${files.length} files, ${mebibytes.toFixed(1)} MiB`)
  t.ok(mebibytes < MOST_MEBIBYTES, `${mebibytes.toFixed(1)} MiB`)
}

/** Ours, and with each package its own; koffi's native part is koffi's. */
async function testLicenses(t: Test, folder: string): Promise<void> {
  t.match(await readFile(join(folder, 'LICENSE'), 'utf8'), 'Apache License')
  const notice = await readFile(join(folder, 'NOTICE'), 'utf8')
  const manifests = (await filesIn(folder)).filter((file) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file))
  t.ok(manifests.length > 5)
  for (const manifest of manifests) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, manifest), 'utf8'))
    t.match(notice, `\n${name} ${version}: ${license}\n`)
    const files = await readdir(join(folder, dirname(manifest)))
    if (!name.startsWith('@koromix/'))
      t.ok(
        files.some((file) => /^licen[cs]e/i.test(file)),
        `${name} has its license`,
      )
  }
}

/** They differ in koffi's native part, and nowhere else. */
async function testArchitectures(t: Test, images: Readonly<Record<keyof typeof MACHINES, Image>>): Promise<void> {
  const others: (readonly string[])[] = []
  for (const [platform, machine] of Object.entries(MACHINES)) {
    const { folder } = images[platform as keyof typeof MACHINES]
    const files = await filesIn(folder)
    const native = files.filter((file) => file.endsWith('.node'))
    t.same(
      native.map((file) => machineOf(join(folder, file))),
      [machine],
      platform,
    )
    others.push(files.filter((file) => !file.includes('@koromix/')))
  }
  t.same(others[0], others[1])
}

t.setTimeout(300_000)
if (!isInWorld()) {
  const folder = t.testdir()
  const images = { amd64: await buildImage(join(folder, 'amd64'), 'amd64'), arm64: await buildImage(join(folder, 'arm64'), 'arm64') }
  const [, line] = /^node:(\d+)/.exec(images[HERE].bases[0] ?? '') ?? []
  const skip = reasonToSkip(['node']) ?? false
  t.test('this runs on its Node', { skip }, async (t) => t.equal(process.version.split('.')[0], `v${line}`))
  t.test('what it holds', (t) => testFiles(t, images[HERE]))
  t.test('on each architecture', (t) => testArchitectures(t, images))
  handImage(images[HERE])
}

const NODE_IP = ONE_NODE.nodes[0]?.address ?? ''
const FIELDS = { NODE_NAME: 'n1', NODE_IP, POD_NAME: 'meshtoll-agent-x2x4z', POD_NAMESPACE: 'meshtoll' }
const ask = (topology: Topology, path: string): Promise<string> => {
  const script = `fetch('http://${NODE_IP}:10042${path}').then((it) => it.text()).then((it) => process.stdout.write(it))`
  return topology.run('n1', [process.execPath, '-e', script])
}
const statusOf = ({ pid }: Program): string => readFileSync(`/proc/${pid}/status`, 'utf8')

/** Until it is running, in milliseconds. */
async function timeOf(program: Program): Promise<number> {
  const startedAt = performance.now()
  await program.waitFor(/agent is running/, STARTS_WITHIN_MS)
  return performance.now() - startedAt
}

/** As long as it ran: it stays within what is reserved for it. */
function testMemory(t: Test, { limit }: Pod, { resources }: Container, status: string): void {
  const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(status) ?? []
  t.ok(Number(kibibytes) / 1_024 < mebibytesOf(resources.requests.memory), `${kibibytes} kB resident at most`)
  if (limit) {
    t.comment(`${(limit.peak() / 2 ** 20).toFixed(0)} MiB in its cgroup at most`)
    t.ok(limit.peak() > 0 && limit.peak() < mebibytesOf(resources.limits.memory) * 2 ** 20)
  } else t.comment('no limit of memory: this machine lets us make no cgroup')
}

await worldTest(
  import.meta.url,
  async (t) => {
    const skip = reasonToSkip(['helm']) ?? false
    const image = handedImage()
    const begin = async (t: Test, values: object) => {
      const topology = await createTopology(ONE_NODE)
      t.teardown(() => topology.close())
      const pod = await createPod({ topology, image, objects: await renderObjects({ values }), fields: FIELDS })
      t.teardown(() => pod.close())
      return { topology, pod, container: pod.spec.containers[0] }
    }

    t.test('mode full counts', { skip }, async (t) => {
      const { topology, pod, container } = await begin(t, {})
      const program = pod.start(container)
      t.comment(`${(await timeOf(program)).toFixed(0)} ms until it runs`)
      t.match(program.stderr(), `url=http://${NODE_IP}:10042 node=n1`)
      t.equal(await ask(topology, '/readyz'), 'ready\n')
      t.match(await ask(topology, '/metrics'), /^meshtoll_source_up\{source="flows"\} 1$/m)
      const status = statusOf(program)
      t.match(status, /^CapEff:\t0000000000001000$/m, 'CAP_NET_ADMIN')
      t.match(status, /^NoNewPrivs:\t1$/m)
      testMemory(t, pod, container, status)
      const check = pod.start(container, [...image.entrypoint, 'check', '--config.file=/etc/meshtoll/meshtoll.yaml'])
      await endOf(check)
      t.match(check.stdout(), /^ok +capabilities +CAP_NET_ADMIN$/m, 'as the notes of the chart say')
      t.same(await program.stop('SIGTERM', 12_000), { code: 0, signal: null })
      t.match(await topology.run('n1', ['nft', 'list', 'tables']), 'inet meshtoll')
    })

    t.test('nothing but its state can be written', { skip }, async (t) => {
      const { pod, container } = await begin(t, {})
      const tried = ['/app/a', '/etc/a', '/etc/meshtoll/a', '/tmp/a', '/host/sys/fs/cgroup/a', '/var/lib/meshtoll/a']
      const script = `for (const file of ${JSON.stringify(tried)}) try { fs.writeFileSync(file, ''); console.log(file) } catch ({ code }) { console.log(code) }`
      const program = pod.start(container, ['node', '-e', script])
      await endOf(program)
      t.same(program.stdout().trim().split('\n'), ['EROFS', 'EROFS', 'EROFS', 'EROFS', 'EROFS', '/var/lib/meshtoll/a'], program.stderr())
    })

    t.test('mode full goes without a trace', { skip }, async (t) => {
      const { topology, pod } = await begin(t, { uninstall: true })
      const [leaving] = pod.spec.initContainers ?? []
      if (!leaving) throw new Error('nothing uninstalls')
      const running = pod.start({ ...leaving, args: leaving.args.filter((arg) => arg !== '--uninstall') })
      await running.waitFor(/agent is running/, STARTS_WITHIN_MS)
      await running.stop('SIGTERM', 12_000)
      t.match(await topology.run('n1', ['nft', 'list', 'tables']), 'inet meshtoll')
      t.same(await endOf(pod.start(leaving)), { code: 0, signal: null })
      t.notMatch(await topology.run('n1', ['nft', 'list', 'tables']), 'meshtoll')
    })

    t.test('mode reduced needs nothing, and misses nothing', { skip }, async (t) => {
      const { topology, pod, container } = await begin(t, { mode: 'reduced' })
      const program = pod.start(container)
      t.comment(`${(await timeOf(program)).toFixed(0)} ms until it runs`)
      t.notMatch(program.stderr(), /level=(warn|error)/)
      const status = statusOf(program)
      t.match(status, /^CapEff:\t0{16}$/m)
      testMemory(t, pod, container, status)
      t.equal(await ask(topology, '/readyz'), 'ready\n')
      t.same(await program.stop('SIGTERM', 12_000), { code: 0, signal: null })
      t.notMatch(await topology.run('n1', ['nft', 'list', 'tables']), 'meshtoll')
    })
  },
  { timeoutMs: 300_000 },
)
