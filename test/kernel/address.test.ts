import t from 'tap'
import { addressText } from '../../src/kernel/address.js'
import { fc } from '../property.js'

t.test('addresses in their one spelling', async (t) => {
  const cases = [
    { bytes: '00000000', text: '0.0.0.0' },
    { bytes: '0a01000a', text: '10.1.0.10' },
    { bytes: 'ffffffff', text: '255.255.255.255' },
    { bytes: '00000000000000000000000000000000', text: '::' },
    { bytes: '00000000000000000000000000000001', text: '::1' },
    { bytes: 'fe800000000000000000000000000000', text: 'fe80::' },
    { bytes: '20010db8000000000000000000000001', text: '2001:db8::1' },
    { bytes: '20010db8000000000001000000000001', text: '2001:db8::1:0:0:1', name: 'the first of two equal runs' },
    { bytes: '20010000000000010000000000000001', text: '2001:0:0:1::1', name: 'the longer run' },
    { bytes: '20010db8000000010001000100010001', text: '2001:db8:0:1:1:1:1:1', name: 'a single zero stays' },
    { bytes: '0001000200030004000500060007abcd', text: '1:2:3:4:5:6:7:abcd', name: 'no leading zeros, lower case' },
    { bytes: '00000000000000000000ffff0a010203', text: '::ffff:10.1.2.3', name: 'IPv4 within IPv6' },
    { bytes: '0000000000000000000000000a010203', text: '::a01:203', name: 'the old compatible form is not' },
  ]
  for (const { bytes, text, name } of cases) {
    const buffer = Buffer.from(`ff${bytes}ff`, 'hex')
    t.equal(addressText(buffer, 1, bytes.length / 2), text, name ?? text)
  }
})

t.test('any IPv6 address is spelled as a URL spells it', async (t) => {
  const hextet = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
  fc.assert(
    fc.property(fc.array(hextet, { minLength: 8, maxLength: 8 }), (words) => {
      const hex = words.map((word) => word.toString(16).padStart(4, '0'))
      // A URL writes IPv4 within IPv6 in hexadecimal too.
      fc.pre(!hex.join('').startsWith('00000000000000000000ffff'))
      const text = addressText(Buffer.from(hex.join(''), 'hex'), 0, 16)
      return `[${text}]` === new URL(`http://[${hex.join(':')}]`).hostname
    }),
  )
  t.pass()
})
