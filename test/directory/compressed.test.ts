// Bodies as agents send them: the client of the agent on one end, the directory on the other.
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createKubeClient, type RequestOptions } from '../../src/kube/client.js'
import { linesOf } from '../../src/kube/lines.js'
import { ask } from '../http/client.js'
import { eventually } from '../lab/world.js'
import { CLOCK } from '../sources/flows/small-node.js'
import { post } from './listener.js'
import { serveDirectory, TOKEN } from './served.js'

const signal = new AbortController().signal
const ADDRESSES = Array.from({ length: 2_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`)
const MOST_BYTES = 8 << 20

function clientOf(t: Test, server: string) {
  const client = createKubeClient({ server, token: async () => TOKEN }, { clock: CLOCK })
  t.teardown(() => client.close())
  const send = (path: string, body: unknown, gzip: boolean) =>
    client.request(path, { method: 'POST', body, gzip, signal } satisfies RequestOptions)
  return send
}

async function serveReady(t: Test): Promise<string> {
  const { url } = await serveDirectory(t)
  await eventually('all is known', async () => ((await ask(url, { path: '/readyz' })).status === 200 ? true : undefined))
  return url
}

t.test('a long body is compressed, a short one is not, and both are understood', async (t) => {
  const url = await serveReady(t)
  const asked = async (): Promise<number> => Number(/_asked_addresses (\d+)/.exec((await ask(url, { path: '/metrics' })).text)?.[1])
  const send = clientOf(t, url)
  const { body } = await send('/v1/watch', { node: 'n1', addresses: ADDRESSES }, true)
  for await (const line of linesOf(body)) {
    const { session } = JSON.parse(line) as { readonly session: string }
    t.equal(await asked(), ADDRESSES.length)
    t.match(await send('/v1/addresses', { session, add: ['10.9.9.9'] }, true), { status: 204 })
    t.equal(await asked(), ADDRESSES.length + 1)
    t.match(await send('/v1/addresses', { session, drop: ADDRESSES }, true), { status: 204 })
    t.equal(await asked(), 1)
    break
  }
})

t.test('what cannot be decompressed, or only to too much, is refused in a line', async (t) => {
  const url = await serveReady(t)
  const sent = (body: Buffer, encoding: string) =>
    post({ url }, '/v1/watch', { token: TOKEN, body, headers: { 'content-encoding': encoding } })
  t.match(await sent(Buffer.from('{"node": "n1", "addresses": []}'), 'gzip'), {
    status: 400,
    text: 'the body is no gzip: incorrect header check\n',
  })
  t.match(await sent(gzipSync('{"node": "n1"').subarray(0, 20), 'gzip'), {
    status: 400,
    text: 'the body is no gzip: unexpected end of file\n',
  })
  t.match(await sent(Buffer.from('{}'), 'br'), { status: 400, text: 'the body is encoded with br; expected gzip, or no encoding\n' })
  t.match(await sent(gzipSync(Buffer.alloc(MOST_BYTES + 1, 32)), 'gzip'), {
    status: 413,
    text: `the body is longer than ${MOST_BYTES} bytes\n`,
  })
})
