import t from 'tap'
import { createConversation, type Question } from '../../src/kernel/conversation.js'
import { KernelError } from '../../src/kernel/errors.js'
import { text } from '../../src/kernel/message.js'
import { type Answer, answer, DUMP_INTR, done, MULTI, refusal, scripted } from './scripted-netlink.js'

const question: Question = { type: 1, flags: 1, body: Buffer.alloc(4), attempt: 'list the things' }
const one = Buffer.from('one.')
const two = Buffer.from('two.')

t.test('answers of every shape', async (t) => {
  const cases: { name: string; script: Answer; bodies: readonly Buffer[] }[] = [
    { name: 'one message', script: (s) => [answer(s, one)], bodies: [one] },
    { name: 'an empty dump', script: (s) => [done(s)], bodies: [] },
    {
      name: 'a dump in one datagram',
      script: (s) => [Buffer.concat([answer(s, one, MULTI), answer(s, two, MULTI), done(s)])],
      bodies: [one, two],
    },
    { name: 'a dump in several', script: (s) => [answer(s, one, MULTI), answer(s, two, MULTI), done(s)], bodies: [one, two] },
    { name: 'an end without a number', script: (s) => [answer(s, one, MULTI), done(s).subarray(0, 16).fill(16, 0, 1)], bodies: [one] },
    { name: 'an acknowledgement', script: (s) => [refusal(s, 0)], bodies: [] },
    {
      name: 'rests of an older question',
      script: (s) => [Buffer.concat([answer(s + 1, two), refusal(s + 1, 1)]), answer(s, one)],
      bodies: [one],
    },
    { name: 'a message cut off by its datagram', script: (s) => [answer(s, one, MULTI).subarray(0, 18), done(s)], bodies: [] },
    { name: 'a message shorter than a header', script: (s) => [answer(s, one, MULTI).fill(8, 0, 1), done(s)], bodies: [] },
  ]
  for (const { name, script, bodies } of cases) {
    t.same(createConversation(() => scripted(script).open('netfilter')).ask(question), bodies, name)
  }
})

t.test('refusals', async (t) => {
  const offset = Buffer.from([8, 0, 2, 0, 52, 0, 0, 0])
  const cases: { name: string; script: Answer; message: string }[] = [
    { name: 'a plain one', script: (s) => [refusal(s, 1)], message: 'could not list the things: EPERM, operation not permitted' },
    {
      name: 'with the kernel’s own words and the place',
      script: (s) => [refusal(s, 22, [text(1, 'Not so'), offset])],
      message: 'could not list the things: EINVAL, invalid argument, Not so, attribute at byte 52',
    },
    {
      name: 'at the end of a dump',
      script: (s) => [answer(s, one, MULTI), done(s, 2)],
      message: 'could not list the things: ENOENT, no such file or directory',
    },
    { name: 'silence', script: () => [], message: 'could not list the things: EAGAIN, resource temporarily unavailable, no answer' },
    {
      name: 'a dump that stops half way',
      script: (s) => [answer(s, one, MULTI)],
      message: 'could not list the things: EAGAIN, resource temporarily unavailable, no answer',
    },
    {
      name: 'dropped messages',
      script: (s) => [answer(s, one, MULTI), new KernelError('receive from the kernel', 105)],
      message: 'could not receive from the kernel: ENOBUFS, no buffer space available',
    },
  ]
  for (const { name, script, message } of cases) {
    const kernel = scripted(script, (s) => [answer(s, one)])
    const conversation = createConversation(() => kernel.open('netfilter'))
    t.throws(() => conversation.ask(question), { message }, name)
    t.same([kernel.opened, kernel.closed], [1, 1], `${name}: the socket is given up`)
    t.same(conversation.ask(question), [one], `${name}: the next question has a new one`)
    t.equal(kernel.opened, 2)
  }
})

t.test('an error that echoes the whole request has its words after it', async (t) => {
  const echo: Answer = (sequence, request) => {
    const plain = refusal(sequence, 22, [request.subarray(16), text(1, 'Not so')])
    plain.writeUInt16LE(0x200, 6)
    request.copy(plain, 20, 0, 16)
    return [plain]
  }
  t.throws(() => createConversation(() => scripted(echo).open('netfilter')).ask(question), { message: /invalid argument, Not so$/ })
})

t.test('an interrupted dump is asked for again', async (t) => {
  const interrupted: Answer = (s) => [answer(s, two, MULTI | DUMP_INTR), done(s)]
  const atTheEnd: Answer = (s) => [answer(s, two, MULTI), done(s, 0, MULTI | DUMP_INTR)]
  const kernel = scripted(interrupted, atTheEnd, (s) => [answer(s, one, MULTI), done(s)])
  t.same(createConversation(() => kernel.open('netfilter')).ask(question), [one], 'until one is whole')
  t.equal(kernel.sent.length, 3)
  const always = scripted(...Array.from({ length: 20 }, () => interrupted))
  t.throws(() => createConversation(() => always.open('netfilter')).ask(question), { code: 'EINTR' }, 'but not for ever')
})

t.test('a streamed dump pauses between datagrams and says whether it is whole', async (t) => {
  const kernel = scripted(
    (s) => [answer(s, one, MULTI), answer(s, two, MULTI), done(s)],
    (s) => [answer(s, one, MULTI), done(s, 0, MULTI | DUMP_INTR)],
    (s) => [answer(s, one, MULTI), new KernelError('receive from the kernel', 105)],
  )
  const conversation = createConversation(() => kernel.open('netfilter'))
  const events: string[] = []
  const stream = (): Promise<boolean> =>
    conversation.stream(
      question,
      (buffer, start, end) => events.push(buffer.toString('latin1', start, end)),
      async () => void events.push('pause'),
    )
  t.equal(await stream(), true)
  t.same(events, ['one.', 'pause', 'two.', 'pause'])
  t.equal(await stream(), false, 'interrupted')
  await t.rejects(stream(), { code: 'ENOBUFS' })
  t.equal(kernel.closed, 1)
})
