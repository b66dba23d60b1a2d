// What a user's mistakes get for an answer: one clear line each with the remedy, the right exit status, and the kernel left alone.
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exit, Program } from '../../src/lab/program.js'
import type { Topology } from '../../src/lab/topology.js'
import { endOf, type NodeAgent } from './agents.js'
import { createLab, ONE_NODE } from './lab.js'
import { timesSaid } from './one-pair.js'
import { eventually, worldTest } from './world.js'

const CANNOT = 1
const WRONG = 2
/** node, main.js */
const ARGV_BEFORE_COMMAND = 2

interface Asked {
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>
  /** Of meshtoll.yaml. */
  readonly config?: string
  readonly flags?: (folder: string) => readonly string[]
  readonly capabilities?: readonly string[]
}

async function launch(topology: Topology, agent: NodeAgent, asked: Asked): Promise<Program> {
  const { files = {}, config = '', flags = () => [], capabilities = ['net_admin'] } = asked
  const folder = join(agent.stateDir, '..')
  await writeFile(join(folder, 'meshtoll.yaml'), config)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  for (const name of Object.keys(files)) if (name.startsWith('secret')) await chmod(join(folder, name), 0)
  const given = [`--config.file=${folder}/meshtoll.yaml`, ...flags(folder)]
  const defaults = [`--state.dir=${folder}/other`, '--web.listen-address=127.0.0.1:0']
  const names = given.map((flag) => flag.split('=')[0])
  const argv = [...given, ...defaults.filter((flag) => !names.includes(flag.split('=')[0]))]
  return topology.start('n1', [...agent.argv.slice(0, ARGV_BEFORE_COMMAND), 'agent', ...argv], { capabilities })
}

const OTHER = 'flows: {table: other}'
const listening = (address: string) => () => [`--web.listen-address=${address}`]
const web = (folder: string): string[] => [`--web.config.file=${folder}/web.yaml`]

const cases: readonly (Asked & { name: string; code: number; says: RegExp })[] = [
  {
    name: 'a port in use',
    config: OTHER,
    flags: listening('127.0.0.1:10042'),
    code: CANNOT,
    says: /^meshtoll: cannot listen on 127\.0\.0\.1:10042: another program uses port 10042\n {2}stop it, or choose another port with --web\.listen-address\n$/,
  },
  {
    name: 'the state directory of another agent',
    config: OTHER,
    flags: (folder) => [`--state.dir=${folder}/n1`],
    code: CANNOT,
    says: /^meshtoll: \S+\/n1 holds the state of another meshtoll agent that runs(?:; |\n {2})stop it, or give this one a --state\.dir of its own\n$/,
  },
  {
    name: 'a port below 1024 without the capability',
    config: OTHER,
    flags: listening('127.0.0.1:80'),
    code: CANNOT,
    says: /^meshtoll: cannot listen on 127\.0\.0\.1:80: no permission for port 80\n {2}choose one from 1024 up with --web\.listen-address, or grant CAP_NET_BIND_SERVICE\n$/,
  },
  {
    name: 'an address of somebody else',
    config: OTHER,
    flags: listening('192.0.2.1:10042'),
    code: CANNOT,
    says: /^meshtoll: cannot listen on 192\.0\.2\.1:10042: 192\.0\.2\.1 is not an address of this machine\n {2}[^\n]*\n$/,
  },
  {
    name: 'two mistakes in the configuration and one in that of the web, all at once',
    config: 'flows: {table: other, intervall: 1s}\nserie: {}\n',
    files: { 'web.yaml': 'basic_auth_user: {}\n' },
    flags: web,
    code: WRONG,
    says: /^meshtoll: [^\n]*mistake[\s\S]*flows\.intervall is not an option; did you mean flows\.interval\?\n[\s\S]*serie is not an option[\s\S]*web\.yaml[\s\S]*basic_auth_user/,
  },
  {
    name: 'a mistake in the configuration of the web alone',
    config: OTHER,
    files: { 'web.yaml': 'basic_auth_user: {}\n' },
    flags: web,
    code: WRONG,
    says: /^meshtoll: [^\n]*web\.yaml[^\n]*\n[^\n]*basic_auth_user[^\n]*\n$/,
  },
  {
    name: 'an inventory that is not there',
    config: 'flows: {table: other}\ninventory: {file: nowhere.yaml}\n',
    code: WRONG,
    says: /^meshtoll: [\s\S]*nowhere\.yaml: there is no such file(?:; |\n {2})[^\n]*\n$/,
  },
  {
    name: 'an inventory that may not be read',
    config: 'flows: {table: other}\ninventory: {file: secret.yaml}\n',
    files: { 'secret.yaml': 'entries: []' },
    code: WRONG,
    says: /^meshtoll: [\s\S]*secret\.yaml: [^\n]*(?:permission|may not)[\s\S]*\n$/,
  },
]

const hasOther = async (topology: Topology): Promise<boolean> =>
  (await topology.run('n1', ['nft', 'list', 'tables'])).includes('inet other')

await worldTest(import.meta.url, async (t) => {
  t.test('mistakes', async (t) => {
    const { topology, agents } = await createLab(t, { spec: ONE_NODE })
    const agent = agents.on('n1')
    for (const { name, code, says, ...asked } of cases) {
      const program = await launch(topology, agent, asked)
      t.same((await endOf(program)) satisfies Exit, { code, signal: null }, name)
      t.match(program.stderr(), says, name)
      t.notMatch(program.stderr(), /^\s+at /m, `${name}: no stack`)
      t.notOk(await hasOther(topology), `${name}: no table is made`)
    }
  })

  t.test('a state directory that cannot be made: said once, and it counts', async (t) => {
    const { topology, agents } = await createLab(t, { spec: ONE_NODE })
    const agent = agents.on('n1')
    const folders = [
      { name: 'no folder is made in its parent', folder: () => '/proc/meshtoll/state', says: 'cannot be made; set --state.dir' },
      {
        name: 'its parent is a file',
        folder: (beside: string) => `${beside}/meshtoll.yaml/state`,
        says: 'is no directory; set --state.dir',
      },
    ]
    for (const { name, folder, says } of folders) {
      const config = 'flows: {table: other, interval: 200ms}'
      const program = await launch(topology, agent, { config, flags: (beside) => [`--state.dir=${folder(beside)}`] })
      await program.waitFor(/agent is running/)
      t.ok(await hasOther(topology), `${name}: counts`)
      program.signal('SIGTERM')
      t.same(await endOf(program), { code: 0, signal: null }, name)
      const said = program.stderr()
      t.equal(timesSaid(said, /level=error/), 1, `${name}: ${said}`)
      t.match(said, new RegExp(`level=error msg="state cannot be written: [^\\n]*${says}`), name)
      await topology.run('n1', ['nft', 'delete', 'table', 'inet', 'other'])
    }
  })

  t.test('whoever asks while it starts is answered: not ready, and metrics when there are some', async (t) => {
    const { agents } = await createLab(t, { spec: ONE_NODE })
    const agent = agents.on('n1')
    await agent.stop()
    const program = agent.launch()
    const first = await eventually('an answer', async () =>
      agent.get('/-/ready').catch((error: Error) => (/^\/-\/ready: 503/.test(error.message) ? error.message : undefined)),
    )
    t.match(first, /not ready: the first read is not done yet|^ready\n$/)
    t.match(await agent.metrics(), /^meshtoll_source_up\{source="flows"\} 1$/m, 'whoever came early was made to wait')
    await program.waitFor(/agent is running/)
    t.equal(await agent.get('/-/ready'), 'ready\n')
  })
})
