// The program with Datadog switched on, as users run it, before an intake that forgives nothing.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Started, startProgram } from '../program.js'
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

async function run(t: Test, { datadog, until }: { datadog: string; until: (program: Started) => Promise<unknown> }) {
  const folder = t.testdir({ 'meshtoll.yaml': `${CONFIG}datadog: ${datadog}\n`, coverage: {}, key: `${KEY}\n` })
  const program = startProgram(
    ['agent', `--config.file=${folder}/meshtoll.yaml`, `--state.dir=${folder}/state`, '--web.listen-address=127.0.0.1:0'],
    { env: { NODE_V8_COVERAGE: join(folder, 'coverage') } },
  )
  await program.says('agent is running')
  await until(program)
  program.child.kill('SIGTERM')
  return { ...(await program.ended), loaded: loadedBy(join(folder, 'coverage')) }
}

const firstRequest = async (intake: TestIntake): Promise<void> => {
  while (intake.bodies.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
}

t.test('what it serves is sent, without the client of Datadog', async (t) => {
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
    loaded.filter((url) => url.includes('@datadog')),
    [],
  )
})

t.test('switched off, nothing of it is loaded', async (t) => {
  const { status, loaded } = await run(t, { datadog: '{enabled: false}', until: async () => undefined })
  t.equal(status, 0)
  t.same(
    loaded.filter((url) => url.includes('exporters/datadog/') && !/\/(families|name)\.js$/.test(url)),
    [],
  )
})
