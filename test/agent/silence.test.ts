// A network that swallows everything, without an end or a refusal: that nothing can be heard is known before `identity.handover` is over.
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { createDirectoryWatch } from '../../src/agent/directory-watch.js'
import { createFollowing } from '../../src/cluster/following.js'
import { defaultConfig } from '../../src/config/config.js'
import { createKubeClient } from '../../src/kube/client.js'
import { startIn } from '../../src/lab/program.js'
import { createAuthority } from '../http/certificates.js'
import { createKeptLog } from '../kube/kept-log.js'
import { eventually, worldTest } from '../lab/world.js'
import { CLOCK } from '../sources/flows/small-node.js'

const WIRE = `netns add far
link add name near0 type veth peer name far0 netns far
addr add 10.0.0.1/30 dev near0
link set near0 up`
const FAR_WIRE = 'addr add 10.0.0.2/30 dev far0\nlink set far0 up\nlink set lo up'

/** A list, a watch of it, and a directory that says something every second. */
const SERVER = `
const [key, cert] = process.argv.slice(1).map((path) => require('node:fs').readFileSync(path))
const answers = {
  list: (response) => response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] })),
  watch: (response) => response.flushHeaders(),
  directory(response) {
    response.write(JSON.stringify({ session: 's', instance: 'i', revision: 0 }) + '\\n')
    setInterval(() => response.write(JSON.stringify({ revision: 1 }) + '\\n'), 1000)
  },
}
require('node:https').createServer({ key, cert }, ({ url }, response) => {
  answers[url === '/v1/watch' ? 'directory' : url.includes('watch=1') ? 'watch' : 'list'](response)
}).listen(8443, '10.0.0.2', () => console.log('listening'))`

const HANDOVER_MS = defaultConfig('n1').identity.handoverMs
const ip = (lines: string, ...more: string[]): Buffer => execFileSync('ip', [...more, '-batch', '-'], { input: lines })

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('API server and directory', async (t) => {
      ip(WIRE)
      ip(FAR_WIRE, '-n', 'far')
      const { keyFile, certFile } = createAuthority(mkdtempSync('/run/lab/silence-'), 'far')
      const server = startIn('far', [process.execPath, '-e', SERVER, keyFile, certFile])
      await server.waitFor(/listening/)
      const stopping = new AbortController()
      const { signal } = stopping
      const url = 'https://10.0.0.2:8443'
      const deps = { clock: CLOCK, log: createKeptLog(), random: () => crypto.randomUUID(), readFile: async () => 'secret' }
      const client = createKubeClient({ server: url, insecure: true }, deps)
      t.teardown(async () => {
        stopping.abort(new Error('stopped'))
        await client.close()
        await server.stop('SIGKILL')
      })
      const following = createFollowing(client, deps)
      const nothing = { put: () => undefined, remove: () => undefined, prune: () => undefined }
      following.follow({ path: '/api/v1/pods', ...nothing }, signal).catch(() => undefined)
      const directory = await createDirectoryWatch(
        { node: 'n1', directory: { url, caFile: null, insecure: true, tokenFile: '/token' } },
        deps,
        signal,
      )
      void directory.run(signal)
      const told = (): boolean => following.trouble === '' && directory.trouble === ''
      await eventually('all is told', () => told() || undefined)
      // Time for the watch to be opened, and to be silent for a while.
      await CLOCK.sleep(4_000)
      t.ok(told())
      execFileSync('nft', ['-f', '-'], {
        input: 'table ip cut { chain in { type filter hook input priority 0; iifname "near0" drop; }; }',
      })
      const cutMs = performance.now()
      const saidAfter = async (what: string, trouble: () => string): Promise<number> => {
        await eventually(what, () => trouble() || undefined, 20_000)
        t.comment(`${what}: ${trouble()}`)
        return performance.now() - cutMs
      }
      const after = await Promise.all([
        saidAfter('the API server', () => following.trouble),
        saidAfter('the directory', () => directory.trouble),
      ])
      t.comment(`said after ${after.map((ms) => (ms / 1000).toFixed(1))} s`)
      for (const ms of after) t.ok(ms < HANDOVER_MS - 1_000, `${ms}`)
    })
  },
  { timeoutMs: 60_000 },
)
