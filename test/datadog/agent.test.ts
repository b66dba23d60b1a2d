// The program with Datadog switched on, as users run it, before an intake that forgives nothing.
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import t, { type Test } from 'tap'
import { createAuthority, createCertificate } from '../http/certificates.js'
import { type Started, startProgram } from '../program.js'
import { startProxy } from '../proxy/proxy.js'
import { startIntake, type TestIntake } from './intake.js'
import { KEY } from './judge.js'

t.setTimeout(60_000)

const CONFIG = `
node: {name: n1, zone: z1}
flows: {enabled: false}
kubernetes: {enabled: false}
kubelet: {enabled: false}
`

/** V8 writes the URL of each script that was loaded. */
function loadedBy(folder: string): readonly string[] {
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  return texts.flatMap((text) => (JSON.parse(text) as { result: readonly { url: string }[] }).result.map(({ url }) => url))
}

interface Run {
  readonly datadog: string
  readonly until: (program: Started) => Promise<unknown>
  readonly env?: NodeJS.ProcessEnv
  readonly files?: Readonly<Record<string, string>>
}

async function run(t: Test, { datadog, until, env = {}, files = {} }: Run) {
  const folder = t.testdir({ 'meshtoll.yaml': `${CONFIG}datadog: ${datadog}\n`, coverage: {}, key: `${KEY}\n`, ...files })
  const program = startProgram(
    ['agent', `--config.file=${folder}/meshtoll.yaml`, `--state.dir=${folder}/state`, '--web.listen-address=127.0.0.1:0'],
    { env: { NODE_V8_COVERAGE: join(folder, 'coverage'), ...env } },
  )
  await program.says('agent is running')
  await until(program)
  program.child.kill('SIGTERM')
  return { ...(await program.ended), loaded: loadedBy(join(folder, 'coverage')) }
}

const firstRequest = async (intake: TestIntake): Promise<void> => {
  while (intake.bodies.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
}

t.test('what it serves is sent, without the client of Datadog, or undici, which nothing else here needs', async (t) => {
  const intake = await startIntake(t, { now: Date.now })
  const { status, stderr, loaded } = await run(t, {
    datadog: `{enabled: true, url: "${intake.url}", apiKeyFile: key, tags: [env:test]}`,
    until: () => firstRequest(intake),
  })
  t.equal(status, 0, stderr)
  t.same(intake.problems, [])
  const build = intake.points().find(({ metric }) => metric === 'meshtoll.build.info')
  t.match(build, { type: 3, host: 'n1', value: 1 }, 'an idle node says that it is there')
  t.ok(build?.tags.includes('env:test'))
  t.ok(intake.bodies.length >= 2, 'a last window at the stop')
  t.notMatch(stderr, KEY, 'the key is printed nowhere')
  t.ok(
    loaded.some((url) => url.endsWith('exporters/datadog/push.js')),
    'what was loaded is known',
  )
  t.same(
    // Node 24 loads an undici of its own with node:http.
    loaded.filter((url) => /@datadog|undici\//.test(url) && !url.startsWith('node:')),
    [],
  )
})

t.test('through the proxy of the environment, to an intake with a certificate', async (t) => {
  const intake = await startIntake(t, { now: Date.now })
  const folder = t.testdir({})
  const authority = createAuthority(folder, 'authority')
  const { cert, key } = createCertificate(folder, 'intake.test', authority, 'DNS:intake.test')
  const secure = createServer({ cert, key }, (socket) => {
    const there = connect(Number(new URL(intake.url).port), '127.0.0.1')
    for (const one of [socket, there]) one.on('error', () => there.destroy())
    socket.pipe(there).pipe(socket)
  })
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void secure.close())
  const { url, asked } = await startProxy(t, { port: (secure.address() as AddressInfo).port })
  const { status, stderr } = await run(t, {
    datadog: '{enabled: true, url: "https://intake.test", apiKeyFile: key}',
    env: { HTTPS_PROXY: url.replace('//', '//user:secret@'), NO_PROXY: '.svc,10.0.0.0/8', NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') },
    files: { 'ca.crt': authority.cert },
    until: () => firstRequest(intake),
  })
  t.equal(status, 0, stderr)
  t.same(intake.problems, [])
  t.match(asked[0], /^CONNECT intake\.test:443 /)
  t.match(stderr, new RegExp(`proxy=${url}`))
  t.notMatch(stderr, 'secret')
})

t.test('switched off, nothing of it is loaded', async (t) => {
  const { status, loaded } = await run(t, { datadog: '{enabled: false}', until: async () => undefined })
  t.equal(status, 0)
  t.same(
    loaded.filter((url) => url.includes('exporters/datadog/') && !/\/(families|name)\.js$/.test(url)),
    [],
  )
})
