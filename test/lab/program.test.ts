import { inNamespace, nodeCommand } from '../../src/lab/program.js'
import { createTopology } from '../../src/lab/topology.js'
import { worldTest } from './world.js'

await worldTest(import.meta.url, async (t) => {
  const topology = await createTopology({ nodes: [{ name: 'n1', zone: 'z', address: '10.0.0.1', pods: [] }], hosts: [] })
  t.teardown(() => topology.close())

  t.test('capabilities that a program is left with', async (t) => {
    const NET_ADMIN = (1n << 12n).toString(16).padStart(16, '0')
    const cases = [
      { name: 'one', capabilities: ['net_admin'], effective: NET_ADMIN },
      { name: 'none', capabilities: [], effective: '0'.repeat(16) },
    ]
    for (const { name, capabilities, effective } of cases) {
      const status = await topology.run('n1', ['cat', '/proc/self/status'], { capabilities })
      t.match(status, new RegExp(`CapEff:\\s${effective}`), name)
      t.match(status, /Uid:\s0\s/, `${name}, still as root`)
    }
    t.match(await topology.run('n1', ['ip', 'link', 'add', 'name', 'wire0', 'type', 'veth'], { capabilities: ['net_admin'] }), '')
    await t.rejects(topology.run('n1', ['ip', 'link', 'add', 'name', 'wire1', 'type', 'veth'], { capabilities: [] }), /not permitted/)
  })

  t.test('the pid is that of the program itself', async (t) => {
    const program = topology.start('n1', ['sh', '-c', 'echo $$; exec sleep 60'], { capabilities: [] })
    await program.waitFor(/\d+\n/)
    t.equal(program.stdout().trim(), String(program.pid))
    t.same(await program.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })
  })

  t.test('stop', async (t) => {
    const cases = [
      {
        name: 'a program that ends in order',
        script: 'trap "exit 5" TERM; echo ready; while :; do sleep 0.01; done',
        exit: { code: 5, signal: null },
      },
      {
        name: 'one that will not',
        script: 'trap "" TERM; echo ready; while :; do sleep 0.01; done',
        exit: { code: null, signal: 'SIGKILL' },
      },
    ]
    for (const { name, script, exit } of cases) {
      const program = topology.start('n1', ['sh', '-c', script])
      await program.waitFor(/ready/)
      t.same(await program.stop('SIGTERM', 300), exit, name)
      t.same(await program.stop(), exit, `${name}, stopped again`)
    }
  })

  t.test('waitFor', async (t) => {
    const late = topology.start('n1', ['sh', '-c', 'sleep 0.1; echo one; sleep 0.1; echo two >&2; sleep 60'])
    await late.waitFor(/one\ntwo/)
    await t.rejects(late.waitFor(/three/, 100), /n1: sh .*: no \/three\/ within 100 ms; printed: one\ntwo/)
    await late.stop('SIGKILL')
    const short = topology.start('n1', ['echo', 'bye'])
    await t.rejects(short.waitFor(/three/), /ended before \/three\/; printed: bye/)
    const absent = topology.start('n1', ['/no/such/program'])
    await t.rejects(absent.waitFor(/three/), /ended before/)
  })

  t.test('a program does not inherit the hooks of a test runner', async (t) => {
    const script = 'process.stdout.write(String(process.env.NODE_OPTIONS))'
    t.equal(await topology.run('n1', [process.execPath, '-e', script]), 'undefined')
    const asked = { env: { ...process.env, NODE_OPTIONS: '--no-warnings' } }
    t.match(await topology.run('n1', [process.execPath, '-e', script], asked), /--no-warnings/)
  })

  t.test('nodeCommand', async (t) => {
    t.same(nodeCommand('/x/dist/main.js'), [process.execPath, '/x/dist/main.js'])
    t.match(nodeCommand('/x/src/main.ts'), [process.execPath, '--import', /tsx/, '/x/src/main.ts'])
  })

  t.test('inNamespace', async (t) => {
    t.same(inNamespace('n1', ['id']), ['nsenter', '--net=/run/netns/n1', '--', 'id'])
  })
})
