import t from 'tap'
import { parseCidr } from '../../src/config/cidr.js'

t.test('ranges are understood and written canonically', async (t) => {
  const cases = [
    { text: '10.1.2.0/24', cidr: '10.1.2.0/24' },
    { text: '0.0.0.0/0', cidr: '0.0.0.0/0' },
    { text: '255.255.255.255/32', cidr: '255.255.255.255/32' },
    { text: '2001:DB8:0:0::/32', cidr: '2001:db8::/32' },
    { text: '::/0', cidr: '::/0' },
    { text: '2001:db8:0:1:1:1:1:1/128', cidr: '2001:db8:0:1:1:1:1:1/128' },
    { text: '2001:0:0:1:0:0:0:1/128', cidr: '2001:0:0:1::1/128' },
    { text: '2001:db8:0:0:1:0:0:1/128', cidr: '2001:db8::1:0:0:1/128' },
    { text: 'fd00:0:0:0:0:0:0:0/8', cidr: 'fd00::/8' },
    { text: '64:ff9b::10.0.0.0/104', cidr: '64:ff9b::a00:0/104' },
  ]
  for (const { text, cidr } of cases) t.same(parseCidr(text), { cidr }, text)
})

t.test('what is no range says why', async (t) => {
  const expected = 'expected a range such as 10.1.2.0/24 or 2001:db8::/64'
  const cases = [
    { text: 'shop', problem: expected },
    { text: '', problem: expected },
    { text: '10.1.2/24', problem: expected },
    { text: '10.01.2.0/24', problem: expected },
    { text: '10.1.2.0/24/8', problem: expected },
    { text: 'fe80::%eth0/64', problem: expected },
    { text: '10.1.2.3', problem: 'a prefix length is missing, for this one address write 10.1.2.3/32' },
    { text: 'fd00::1', problem: 'a prefix length is missing, for this one address write fd00::1/128' },
    { text: '10.1.2.0/33', problem: 'expected a prefix length from 0 to 32' },
    { text: '10.1.2.0/', problem: 'expected a prefix length from 0 to 32' },
    { text: 'fd00::/129', problem: 'expected a prefix length from 0 to 128' },
    { text: '10.1.2.3/24', problem: 'host bits are set, the network is 10.1.2.0/24' },
    { text: 'fd00::1:0:0:1/64', problem: 'host bits are set, the network is fd00::/64' },
    { text: '127.0.0.0/8', problem: 'loopback addresses never cross nodes, remove the entry' },
    { text: '127.1.0.0/16', problem: 'loopback addresses never cross nodes, remove the entry' },
    { text: '::1/128', problem: 'loopback addresses never cross nodes, remove the entry' },
    { text: '239.0.0.0/8', problem: 'multicast addresses have no owner, remove the entry' },
    { text: 'ff02::/16', problem: 'multicast addresses have no owner, remove the entry' },
    { text: '::ffff:10.1.2.0/120', problem: 'write it as IPv4: 10.1.2.0/24' },
  ]
  for (const { text, problem } of cases) t.same(parseCidr(text), { problem }, text)
})
