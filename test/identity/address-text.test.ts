import fc from 'fast-check'
import t from 'tap'
import { parseAddress } from '../../src/identity/address.js'
import { addressText } from '../../src/identity/address-text.js'
import { addressText as kernelText } from '../../src/kernel/address.js'

t.test('addressText', async (t) => {
  const cases = [
    { name: 'IPv4', text: '10.1.0.10', canonical: '10.1.0.10' },
    { name: 'the highest IPv4', text: '255.255.255.255', canonical: '255.255.255.255' },
    { name: 'IPv4-mapped is IPv4', text: '::ffff:a01:a', canonical: '10.1.0.10' },
    { name: 'written at length', text: 'FD00:0010:0001:0000:0000:0000:0000:000C', canonical: 'fd00:10:1::c' },
    { name: 'all zeros', text: '0:0:0:0:0:0:0:0', canonical: '::' },
    { name: 'zeros first', text: '0:0:0:0:0:0:0:1', canonical: '::1' },
    { name: 'zeros last', text: 'fe80:0:0:0:0:0:0:0', canonical: 'fe80::' },
    { name: 'one zero stays', text: '2001:db8:0:1:1:1:1:1', canonical: '2001:db8:0:1:1:1:1:1' },
    { name: 'the first of two runs alike', text: '2001:db8:0:0:1:0:0:1', canonical: '2001:db8::1:0:0:1' },
    { name: 'the longer of two runs', text: '2001:0:0:1:0:0:0:1', canonical: '2001:0:0:1::1' },
    { name: 'a dotted quad inside', text: '64:ff9b::192.0.2.33', canonical: '64:ff9b::c000:221' },
  ]
  for (const { name, text, canonical } of cases) t.equal(addressText(parseAddress(text) ?? []), canonical, name)
})

t.test('addresses are written as those of the kernel are', async (t) => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  const isMapped = (bytes: Buffer): boolean => bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'))
  const ipv6 = groups.map((words) => Buffer.from(Uint16Array.from(words).buffer).swap16()).filter((bytes) => !isMapped(bytes))
  const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (bytes) => {
      const words = Array.from({ length: bytes.length / 4 }, (_, word) => bytes.readInt32BE(word * 4))
      const [ours, theirs] = [addressText(words), kernelText(bytes, 0, bytes.length)]
      if (ours !== theirs) throw new Error(`${ours}, the kernel's ${theirs}`)
    }),
    { numRuns: 10000 },
  )
  t.pass('for 10,000 addresses')
})
