import t from 'tap'
import { addressText } from '../../src/formats/address-text.js'
import { parseAddress } from '../../src/identity/address.js'
import { addressText as kernelText } from '../../src/kernel/address.js'
import { fc } from '../property.js'

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

t.test('IPv6 as URLs have it, whether it comes as words or from the kernel', async (t) => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  const isMapped = (hextets: readonly number[]): boolean => hextets.slice(0, 5).every((hextet) => hextet === 0) && hextets[5] === 0xffff
  fc.assert(
    fc.property(groups, (hextets) => {
      fc.pre(!isMapped(hextets))
      const bytes = Buffer.from(Uint16Array.from(hextets).buffer).swap16()
      const words = [0, 4, 8, 12].map((at) => bytes.readInt32BE(at))
      const want = new URL(`http://[${hextets.map((hextet) => hextet.toString(16)).join(':')}]/`).hostname.slice(1, -1)
      for (const found of [addressText(words), kernelText(bytes, 0, 16)]) if (found !== want) throw new Error(`${found}, not ${want}`)
    }),
    { numRuns: 10000 },
  )
  t.pass('for 10,000 addresses')
})
