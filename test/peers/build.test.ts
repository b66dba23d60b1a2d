// Peers are built whole, once, and again when what they are built from changes. Go and pip are small scripts here: what they make is not
// the matter, and the cluster's tests run what the real ones made.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../lab/world.js'
import { buildPeers, packagesFor } from './build.js'
import { cacheFolder, failureOf, folderOf, placeOf } from './place.js'
import { GO, type Peer } from './table.js'

const TOOL: Peer = { name: 'tool', pin: '1.0', go: { programs: { tool: '.', toolctl: './ctl' }, set: { 'main.version': 'v1.0' } } }
const WHEEL: Peer = { name: 'wheel', pin: '2.0', pip: { programs: { wheel: 'bin/wheel' } } }
const DEB: Peer = { name: 'packed', pin: '3.0', deb: { package: 'packed', programs: { packed: 'usr/bin/packed' } } }
const NEEDED = ['setpriv', 'flock', 'sh', 'cat', 'sleep', 'mkdir', 'cp', 'chmod', 'env']

/** Writes its arguments to where it is told to write the program, and notes each run. */
const GO_SCRIPT = `
[ "$1" = version ] && { echo "go version go$GO_IS linux/amd64"; exit; }
[ "$1" = list ] && { echo "$SCRIPTS"; exit; }
echo "$PWD" >> "$NOTES"
while [ "$1" != -o ]; do args="$args $1"; shift; done
[ -z "$GO_FAILS" ] || { echo "main.go:1: broken"; echo "$GO_FAILS" >&2; exit 1; }
echo "half" > "$2"
for tenth in $GO_TAKES; do sleep 0.1; done
echo "$args $3 $(cat main.go)" > "$2"; chmod +x "$2"`

const PIP_SCRIPT = `
[ "$*" = "-m pip --version" ] && exit
while [ "$1" != --target ]; do shift; done
for program in bin/wheel go/bin/go; do mkdir -p "$2/\${program%/*}"; cp "$SCRIPTS/go" "$2/$program"; done
echo "$4" > "$2/requirements"`

/** Has no list of packages until it is updated. */
const APT_SCRIPT = `
[ "$2" = update ] && { echo > "$SCRIPTS/updated"; exit; }
[ -e "$SCRIPTS/updated" ] || { echo "E: Can't select candidate version" >&2; exit 100; }
echo > "$3_$APT_HAS-1_amd64.deb"`
const DPKG_SCRIPT = `
mkdir -p "$3/usr/bin"; cp "$SCRIPTS/go" "$3/usr/bin/packed"`

interface Place {
  readonly env: NodeJS.ProcessEnv
  readonly sources: string
  readonly write: (text: string) => void
  readonly printed: () => string
  /** How often Go was asked to build a program. */
  readonly builds: () => number
  readonly leftovers: () => string[]
}

function createPlace(t: Test, { programs = { go: GO_SCRIPT }, env = {} }: { programs?: Record<string, string>; env?: object } = {}): Place {
  const folder = t.testdir({
    scripts: {},
    bin: {},
    sources: { tool: { 'main.go': 'one' }, wheel: { 'requirements.txt': '' }, packed: {}, go: {} },
  })
  const [scripts, bin, notes] = [join(folder, 'scripts'), join(folder, 'bin'), join(folder, 'notes')]
  writeFileSync(join(scripts, 'go'), `#!/bin/sh${GO_SCRIPT}`, { mode: 0o755 })
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(bin, name), `#!/bin/sh${text}`, { mode: 0o755 })
  for (const name of NEEDED) symlinkSync(['/usr/bin', '/bin'].map((at) => join(at, name)).find(existsSync) ?? name, join(bin, name))
  let printed = ''
  const all = { PATH: bin, XDG_CACHE_HOME: join(folder, 'cache'), GO_IS: '1.26.0', NOTES: notes, SCRIPTS: scripts, ...env }
  return {
    env: all,
    sources: join(folder, 'sources'),
    write: (text) => {
      printed += text
    },
    printed: () => printed,
    builds: () => (existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').length - 1 : 0),
    leftovers: () => readdirSync(cacheFolder(all)).filter((name) => name.includes('.part-')),
  }
}

const programText = (peer: Peer, program: string, { env }: Place): string => readFileSync(placeOf(peer, program, env).path ?? '', 'utf8')

t.test('a Go module', async (t) => {
  const place = createPlace(t)
  t.equal(await buildPeers([TOOL], place), true)
  t.match(programText(TOOL, 'tool', place), / build -mod=readonly .*-ldflags=-s -w -X main\.version=v1\.0 \. one$/m)
  t.match(programText(TOOL, 'toolctl', place), / \.\/ctl one$/m)
  t.match(place.printed(), /^tool 1\.0 +ready after 0 s\n$/, 'one line')
  t.same(place.leftovers(), [])

  t.equal(await buildPeers([TOOL], place), true)
  t.equal(place.builds(), 2, 'two programs, built once')
  t.equal(place.printed().split('\n').length, 2, 'and no word of it')

  writeFileSync(join(place.sources, 'tool/main.go'), 'two')
  t.equal(await buildPeers([TOOL], place), true)
  t.match(programText(TOOL, 'tool', place), / \. two$/m, 'built again when its source changes')
  const other = { ...TOOL, go: { programs: { tool: './other' } } }
  t.equal(await buildPeers([other], place), true)
  t.match(programText(other, 'tool', place), / \.\/other two$/m, 'and when its row does')
  const keeps = { ...TOOL, go: { programs: { tool: '.' }, files: { 'script.sh': { module: 'example.com/tool', path: 'go' } } } }
  t.equal(await buildPeers([keeps], place), true)
  t.equal(readFileSync(join(folderOf(keeps, place.env), 'script.sh'), 'utf8'), `#!/bin/sh${GO_SCRIPT}`, 'a file of a module is kept')
  t.notOk(existsSync(join(folderOf(TOOL, place.env), 'toolctl')), 'nothing of the old one stays')
  t.same(place.leftovers(), [])
})

t.test('two runs at once build once', async (t) => {
  const place = createPlace(t, { env: { GO_TAKES: '1 2 3' } })
  t.same(await Promise.all([buildPeers([TOOL], place), buildPeers([TOOL], place)]), [true, true])
  t.equal(place.builds(), 2)
})

t.test('a build that is killed leaves nothing that runs or counts as built', async (t) => {
  const place = createPlace(t, { env: { GO_TAKES: '. '.repeat(300) } })
  const script = `
    import { buildPeers } from ${JSON.stringify(join(import.meta.dirname, 'build.js'))}
    await buildPeers([${JSON.stringify(TOOL)}], { env: process.env, sources: ${JSON.stringify(place.sources)}, write: () => undefined })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { env: place.env })
  t.teardown(() => child.kill('SIGKILL'))
  const halves = () => place.leftovers().filter((name) => existsSync(join(cacheFolder(place.env), name, 'tool')))
  await eventually('half a program', () => (place.builds() > 0 && halves().length > 0 ? true : undefined))
  child.kill('SIGKILL')
  await eventually('the end of go', () => (goRunsIn(cacheFolder(place.env)) ? undefined : true))
  t.match(placeOf(TOOL, 'tool', place.env), { reason: /not there/ })

  const next = { ...place, env: { ...place.env, GO_TAKES: '' } }
  t.equal(await buildPeers([TOOL], next), true, 'the next run need not wait')
  t.match(programText(TOOL, 'tool', place), / \. one$/m)
  t.same(place.leftovers(), [], 'and clears away')
})

const goRunsIn = (folder: string): boolean =>
  readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`-o\0${folder}`)
    } catch {
      return false
    }
  })

t.test('a build that fails says why, also to the tests', async (t) => {
  const place = createPlace(t)
  const failing = { ...place, env: { ...place.env, GO_FAILS: 'dial tcp: no such host' } }
  t.equal(await buildPeers([TOOL, WHEEL], failing), false)
  t.match(
    place.printed(),
    /^tool 1\.0 +failed after 0 s\nmain\.go:1: broken\n.*no such host\n {2}go build failed: dial tcp: no such host$/m,
  )
  t.match(placeOf(TOOL, 'tool', place.env).reason, /^tool 1\.0 is not there: go build failed: dial tcp: no such host; then npm run peers/)
  t.same(place.leftovers(), [])
  t.equal(await buildPeers([TOOL], place), true)
  t.equal(failureOf(TOOL, place.env), undefined, 'forgotten once it is built')
})

t.test('Go and pip', async (t) => {
  const old = { GO_IS: '1.19.8' }
  const cases = [
    { name: 'a Go that is too old', programs: { go: GO_SCRIPT, python3: PIP_SCRIPT }, env: old },
    { name: 'no Go at all', programs: { python3: PIP_SCRIPT }, env: {} },
  ]
  for (const { name, ...given } of cases) {
    t.test(name, async (t) => {
      const place = createPlace(t, given)
      t.same(await packagesFor([TOOL], place), {})
      t.equal(await buildPeers([TOOL], place), true)
      t.match(place.printed(), /^go \S+ +ready after 0 s\ntool 1\.0 +ready after 0 s\n$/)
      t.equal(placeOf(GO, 'go', place.env).path, join(folderOf(GO, place.env), 'go/bin/go'), 'pip has brought one')
      t.equal(place.builds(), 2, 'which was used')
    })
  }

  t.test('neither', async (t) => {
    const place = createPlace(t, { env: old })
    t.same(await packagesFor([TOOL], place), { 'python3-pip': ['pip3'] })
    t.equal(await buildPeers([TOOL], place), false)
    t.equal(
      placeOf(TOOL, 'tool', place.env).reason,
      'tool 1.0 is not there: Go 1.26 or newer is needed (here is go1.19.8), and pip could not bring it: ' +
        'there is no pip; as root: apt-get install python3-pip; then npm run peers builds it',
    )
    t.match(placeOf(GO, 'go', place.env).reason, /there is no pip/)
  })

  t.test('a Python package', async (t) => {
    const place = createPlace(t, { programs: { python3: PIP_SCRIPT } })
    t.equal(await buildPeers([WHEEL], place), true)
    t.ok(placeOf(WHEEL, 'wheel', place.env).path)
    t.equal(readFileSync(join(folderOf(WHEEL, place.env), 'requirements'), 'utf8'), `${join(place.sources, 'wheel/requirements.txt')}\n`)
  })

  t.test('what the environment names is not built', async (t) => {
    const place = createPlace(t, { env: { ASSETS: '/somewhere' } })
    t.equal(await buildPeers([{ ...TOOL, assets: 'ASSETS' }], place), true)
    t.equal(place.builds(), 0)
  })
})

t.test('a package of Debian', async (t) => {
  const programs = { 'apt-get': APT_SCRIPT, 'dpkg-deb': DPKG_SCRIPT }
  const place = createPlace(t, { programs, env: { APT_HAS: '3.0+ds' } })
  t.equal(await buildPeers([DEB], place), true, 'where the list of packages has to be fetched first')
  t.equal(placeOf(DEB, 'packed', place.env).path, join(folderOf(DEB, place.env), 'usr/bin/packed'))
  t.same(place.leftovers(), [])

  const other = createPlace(t, { programs, env: { APT_HAS: '3.1' } })
  t.equal(await buildPeers([DEB], other), false)
  t.equal(failureOf(DEB, other.env), 'packed 3.0 is needed, as Debian 12 has it; here is packed_3.1-1_amd64.deb', 'of another release')
})

t.test('a cache that cannot be written', async (t) => {
  const place = createPlace(t)
  mkdirSync(join(place.env['XDG_CACHE_HOME'] ?? ''))
  writeFileSync(join(place.env['XDG_CACHE_HOME'] ?? '', 'meshtoll'), 'a file where a folder should be')
  t.equal(await buildPeers([TOOL], place), false)
  t.match(place.printed(), /failed after 0 s\n {2}.*(ENOTDIR|EEXIST).*meshtoll/)
})
