import t from 'tap'
import type { Command } from '../../src/kernel/commands.js'
import { KernelError } from '../../src/kernel/errors.js'
import { text } from '../../src/kernel/message.js'
import { createTransactions } from '../../src/kernel/transaction.js'
import { type Answer, refusal, scripted } from './scripted-netlink.js'

const commands: readonly Command[] = [
  { op: 'add table', table: 'a', flags: 6, comment: '' },
  { op: 'add constant set', table: 'a', name: '__set%d', id: 1, key: 'port', values: [53] },
  { op: 'flush chain', table: 'a', name: 'post' },
]

t.test('a batch is begun, ended, numbered, and acknowledged by its last command', async (t) => {
  const kernel = scripted((s) => [refusal(s + 4, 0)])
  createTransactions(() => kernel.open('netfilter')).commit(commands)
  const headers: number[][] = []
  const [batch = Buffer.alloc(0)] = kernel.sent
  for (let at = 0; at < batch.length; at += batch.readUInt32LE(at)) {
    headers.push([batch.readUInt16LE(at + 4), batch.readUInt16LE(at + 6), batch.readUInt32LE(at + 8)])
  }
  t.same(headers, [
    [0x10, 0x1, 1],
    [0xa00, 0x401, 2],
    [0xa09, 0x401, 3],
    [0xa0c, 0x401, 4],
    [0xa08, 0x5, 5],
    [0x11, 0x1, 6],
  ])
})

t.test('what the kernel answers to a batch', async (t) => {
  const cases: { name: string; script: Answer; message?: string }[] = [
    { name: 'the acknowledgement', script: (s) => [refusal(s + 4, 0)] },
    {
      name: 'no right to do it: the batch as a whole',
      script: (s) => [refusal(s, 1)],
      message: 'could not commit to nftables: EPERM, operation not permitted',
    },
    {
      name: 'an older kernel that has no owners',
      script: (s) => [Buffer.concat([refusal(s + 1, 95), refusal(s + 4, 2)])],
      message: 'could not add table a: EOPNOTSUPP, operation not supported on socket',
    },
    {
      name: 'elements of a set count to the set',
      script: (s) => [refusal(s + 3, 22, [text(1, 'Not so')])],
      message: 'could not add constant set __set%d: EINVAL, invalid argument, Not so',
    },
    {
      name: 'a commit that failed after all commands were well',
      script: (s) => [refusal(s, 12), refusal(s + 4, 0)],
      message: 'could not commit to nftables: ENOMEM, not enough memory',
    },
    {
      name: 'a refusal that comes after the acknowledgement',
      script: (s) => [refusal(s + 4, 0), refusal(s + 2, 17)],
      message: 'could not add constant set __set%d: EEXIST, file already exists',
    },
    { name: 'silence', script: () => [], message: 'could not commit to nftables: EAGAIN, resource temporarily unavailable, no answer' },
    {
      name: 'answers that were dropped',
      script: () => [new KernelError('receive from the kernel', 105)],
      message: 'could not receive from the kernel: ENOBUFS, no buffer space available',
    },
  ]
  for (const { name, script, message } of cases) {
    const kernel = scripted(script, (s) => [refusal(s - 6, 1), refusal(s + 4, 0)])
    const transactions = createTransactions(() => kernel.open('netfilter'))
    if (message) t.throws(() => transactions.commit(commands), { message }, name)
    else t.doesNotThrow(() => transactions.commit(commands), name)
    t.doesNotThrow(() => transactions.commit(commands), `${name}: the next batch passes by what is left of it`)
    t.same([kernel.opened, kernel.closed], [1, 0], `${name}: the socket, which owns the table, is kept`)
  }
})

t.test('nothing to do opens no socket', async (t) => {
  const kernel = scripted()
  createTransactions(() => kernel.open('netfilter')).commit([])
  t.equal(kernel.opened, 0)
})
