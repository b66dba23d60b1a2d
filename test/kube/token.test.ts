import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTokenFile, fixedToken, type ReadToken } from '../../src/kube/token.js'
import { createHandClock, type HandClock } from './hand-clock.js'

const never = new AbortController().signal

function start(t: Test, token: string): { path: string; clock: HandClock; read: ReadToken } {
  const path = join(t.testdir({ token }), 'token')
  const clock = createHandClock()
  return { path, clock, read: createTokenFile(path, { clock, readFile: (file) => readFile(file, 'utf8') }) }
}

t.test('a token is read again when it is older than a minute', async (t) => {
  const { path, clock, read } = start(t, 'one\n')
  t.equal(await read(undefined, never), 'one', 'without the newline')
  await writeFile(path, 'two')
  clock.advance(60_000)
  t.equal(await read(undefined, never), 'one')
  clock.advance(1)
  t.equal(await read(undefined, never), 'two')
})

t.test('a token is read again when the server refused it', async (t) => {
  const { path, read } = start(t, 'one')
  await read(undefined, never)
  await writeFile(path, 'two')
  t.equal(await read('zero', never), 'one', 'not when another was refused')
  t.equal(await read('one', never), 'two')
})

t.test('a file that cannot be read matters only when its token does not do', async (t) => {
  const { path, clock, read } = start(t, 'one')
  await read(undefined, never)
  await rm(path)
  clock.advance(60_001)
  t.equal(await read(undefined, never), 'one')
  const message = `the token ${path} cannot be read: ENOENT; mount it, or allow this user to read it`
  await t.rejects(read('one', never), { name: 'AccessError', message })
})

t.test('what is no token', async (t) => {
  const cases = [
    { name: 'empty', text: ' \n', message: /holds no token: it is empty; write a bearer token to it$/ },
    { name: 'two lines', text: 'a\nb', message: /holds no token; write a bearer token to it$/ },
    { name: 'what no header can carry', text: 'tökén', message: /holds no token;/ },
  ]
  for (const { name, text, message } of cases)
    await t.rejects(start(t, text).read(undefined, never), { name: 'AccessError', message }, name)
})

t.test('an abort is no missing token', async (t) => {
  const reason = new Error('stopped')
  const read = createTokenFile('token', {
    clock: createHandClock(),
    readFile: () => Promise.reject(new Error('The operation was aborted')),
  })
  await t.rejects(read(undefined, AbortSignal.abort(reason)), reason)
})

t.test('a token that is given', async (t) => {
  t.equal(await fixedToken('abc')('abc', never), 'abc')
})
