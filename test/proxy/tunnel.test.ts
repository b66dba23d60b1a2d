import { deflateSync } from 'node:zlib'
import t from 'tap'
import { fetchThrough } from '../../src/cli/datadog-sync/proxied-fetch.js'
import { createIntake } from '../../src/exporters/datadog/intake.js'
import { startIntake } from '../datadog/intake.js'
import { KEY } from '../datadog/judge.js'
import { createHandClock } from '../kube/hand-clock.js'
import { startProxy } from './proxy.js'

const BODY = deflateSync(JSON.stringify({ series: [] }))
const FAILED = { kind: 'failed', mayHaveIt: false, afterMs: 0, isKey: false }

async function send(t: { teardown(end: () => unknown): void }, proxy: string) {
  const intake = createIntake('http://intake.test', { clock: createHandClock() }, new URL(proxy))
  t.teardown(() => intake.close())
  return intake.send(BODY, { encoding: 'deflate', key: KEY, signal: new AbortController().signal })
}

t.test('through a proxy that asks for a password', async (t) => {
  const intake = await startIntake(t, { now: () => 0 })
  const { url, asked } = await startProxy(t, { port: Number(new URL(intake.url).port) })
  t.same(await send(t, url.replace('//', '//us%40er:p%3Ass@')), { kind: 'accepted', complaint: '' })
  t.same(asked, [`CONNECT intake.test:80 HTTP/1.1 proxy-authorization: Basic ${Buffer.from('us@er:p:ss').toString('base64')}`])
  const fetch = await fetchThrough(new URL(url))
  const response = await fetch('http://intake.test/api/v2/series', { method: 'POST' })
  t.equal(response.status, 403, 'the intake itself, which wants a key')
  t.equal(asked.length, 2)
})

t.test('a proxy that leads nowhere', async (t) => {
  const cases = [
    {
      answers: 'HTTP/1.1 407 Who\r\n\r\n',
      why: 'it answers 407: write http://USER:PASSWORD@HOST:PORT into HTTPS_PROXY',
    },
    { answers: 'HTTP/1.1 502 Bad Gateway\r\n\r\n', why: 'it answers 502' },
    { answers: '', why: 'it hung up' },
  ]
  for (const { answers, why } of cases) {
    const { url, asked } = await startProxy(t, { port: 1, answers })
    t.same(await send(t, url.replace('//', '//user:secret@')), { ...FAILED, why: `its proxy ${url}: ${why}` })
    t.equal(asked.length, 1, 'asked once')
  }
  t.same(await send(t, 'http://127.0.0.1:1'), { ...FAILED, why: 'its proxy http://127.0.0.1:1: nobody listens there' })
  const fetch = await fetchThrough(new URL('http://127.0.0.1:1'))
  await t.rejects(fetch('http://intake.test'), { cause: { message: 'its proxy http://127.0.0.1:1: nobody listens there' } })
})
