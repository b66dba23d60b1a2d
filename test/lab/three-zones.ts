// The world of most lab tests: three zones with a node and two pods each, a database and the internet outside.
import type { TopologySpec } from '../../src/lab/plan.js'

export const THREE_ZONES: TopologySpec = {
  nodes: [1, 2, 3].map((zone) => ({
    name: `n${zone}`,
    zone: `zone-${zone}`,
    address: `10.0.${zone}.10`,
    address6: `fd00:0:${zone}::10`,
    pods: ['a', 'b'].map((letter, index) => ({
      name: `p${zone}${letter}`,
      address: `10.1.${zone}.${index + 2}`,
      address6: `fd01:0:${zone}::${index + 2}`,
    })),
  })),
  hosts: [
    { name: 'database', address: '10.0.9.5', address6: 'fd00:0:9::5' },
    { name: 'internet', address: '198.51.100.7', address6: '2001:db8::7', ranges: ['203.0.0.0/16', '2001:db8:1::/64'] },
  ],
}
