import t from 'tap'
import type { Command } from '../../src/kernel/commands.js'
import { encodeCommand, nameOf, remarkOf } from '../../src/kernel/nftables-encode.js'

/** Type and flags, then family inet and table t, then the attributes. */
const message = (head: string, ...attributes: readonly string[]): string => `${head} 010000000600010074000000${attributes.join('')}`

// Attributes as sent by nft 1.0.6 for the same words, seen with `nft --debug=mnl`; their order is ours.
t.test('commands as the kernel reads them', async (t) => {
  const cases: { command: Command; messages: readonly string[] }[] = [
    {
      command: { op: 'add table', table: 't', flags: 6, comment: 'layout=1' },
      messages: [message('0a00 401', '0800020000000006', '0f000600', '00096c61796f75743d310000')],
    },
    { command: { op: 'delete table', table: 't' }, messages: [message('0a02 1')] },
    {
      command: { op: 'add counter', table: 't', name: 'c' },
      messages: [message('0a12 401', '0600020063000000', '0800030000000001', '04000480')],
    },
    {
      command: { op: 'add set', table: 't', name: 's', keyType: 'ipv4 pair', size: 8192, timeoutMs: 31_536_000_000 },
      messages: [
        message(
          '0a09 401',
          '0600020073000000',
          ...['0800030000000030', '08000400000001c7', '0800050000000008', '0c000980', '0800010000002000', '08000a0000000000'],
          ...['0c000b000000000757b12c00', '14001180', '0c000100636f756e74657200', '04000280'],
        ),
      ],
    },
    {
      command: { op: 'add set', table: 't', name: 's', keyType: 'ipv6 pair', size: 1, timeoutMs: 0 },
      messages: [
        message(
          '0a09 401',
          '0600020073000000',
          ...['0800030000000020', '0800040000000208', '0800050000000020', '0c000980', '0800010000000001', '08000a0000000000'],
          ...['14001180', '0c000100636f756e74657200', '04000280'],
        ),
      ],
    },
    {
      command: { op: 'add constant set', table: 't', name: '__set%d', id: 7, key: 'port', values: [4789] },
      messages: [
        message(
          '0a09 401',
          '0c0002005f5f736574256400',
          ...['0800030000000003', '080004000000000d', '0800050000000002', '0c000980', '0800010000000001', '08000a0000000007'],
        ),
        message('0a0c 401', '0c0002005f5f736574256400', '0800040000000007', '14000380', '10000180', '0c000180', '0600010012b50000'),
      ],
    },
    {
      command: { op: 'add verdict map', table: 't', name: '__map%d', id: 8, entries: [{ key: 1, goto: 'a0' }] },
      messages: [
        message(
          '0a09 401',
          '0c0002005f5f6d6170256400',
          ...['080003000000000b', '0800040000000004', '0800050000000004', '08000600ffffff00', '0800070000000000'],
          ...['0c000980', '0800010000000001', '08000a0000000008', '0a000d00', '0004010000000000'],
        ),
        message(
          '0a0c 401',
          ...['0c0002005f5f6d6170256400', '0800040000000008', '2c000380', '28000180', '0c000180', '0800010001000000'],
          ...['18000280', '14000280', '08000100fffffffc', '0700020061300000'],
        ),
      ],
    },
    { command: { op: 'delete set', table: 't', name: 's' }, messages: [message('0a0b 1', '0600020073000000')] },
    { command: { op: 'add chain', table: 't', name: 'c' }, messages: [message('0a03 401', '0600030063000000')] },
    {
      command: { op: 'add chain', table: 't', name: 'c', base: { hook: 'postrouting', priority: -50 } },
      messages: [
        message(
          '0a03 401',
          '0600030063000000',
          ...['14000480', '0800010000000004', '08000200ffffffce', '0800050000000001', '0b00070066696c7465720000'],
        ),
      ],
    },
    { command: { op: 'flush chain', table: 't', name: 'c' }, messages: [message('0a08 1', '0600020063000000')] },
    { command: { op: 'delete chain', table: 't', name: 'c' }, messages: [message('0a05 1', '0600030063000000')] },
    {
      command: { op: 'add rule', table: 't', chain: 'c', comment: 'hi', expressions: [] },
      messages: [message('0a06 c01', '0600020063000000', '04000480', '09000700', '0003686900000000')],
    },
  ]
  for (const { command, messages } of cases) {
    const encoded = encodeCommand(command).map(({ type, flags, body }) => {
      return `${type.toString(16).padStart(4, '0')} ${flags.toString(16)} ${Buffer.from(body).toString('hex')}`
    })
    t.same(encoded, messages, nameOf(command))
  }
})

t.test('comments in the list for the user', async (t) => {
  const cases = [
    { name: 'none', data: undefined, comment: '' },
    { name: 'one', data: Buffer.from('0003686900', 'hex'), comment: 'hi' },
    { name: 'after another entry', data: Buffer.from('0204000000010003686900', 'hex'), comment: 'hi' },
    { name: 'only others', data: Buffer.from('020400000001', 'hex'), comment: '' },
    { name: 'cut off', data: Buffer.from('000968', 'hex'), comment: 'h' },
  ]
  for (const { name, data, comment } of cases) t.equal(remarkOf(data), comment, name)
})
