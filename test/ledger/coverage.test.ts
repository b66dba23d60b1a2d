import t from 'tap'
import { createCoverage } from '../../src/ledger/coverage.js'

const MB = 1_000_000
/** [seconds, seen leaving, sent by uplinks, into tunnels, outer packets sent] */
type Sample = readonly [number, number, number, number?, number?]

function ratioAfter(samples: readonly Sample[]): number | undefined {
  const coverage = createCoverage()
  for (const [atS, leaving, uplinks, intoTunnels = 0, outerSent = 0] of samples)
    coverage.add(atS * 1000, leaving, { uplinks, intoTunnels, outerSent })
  return coverage.ratio
}

t.test('coverage', async (t) => {
  const cases: readonly { name: string; samples: readonly Sample[]; ratio: number | undefined }[] = [
    { name: 'nothing was added', samples: [], ratio: undefined },
    { name: 'one sample', samples: [[0, 5 * MB, 5 * MB]], ratio: undefined },
    {
      name: 'too little was sent to tell',
      samples: [
        [0, 0, 0],
        [10, 0, MB - 1],
      ],
      ratio: undefined,
    },
    {
      name: 'all was seen, whatever came before',
      samples: [
        [0, 7, 9 * MB],
        [10, 7 + 2 * MB, 11 * MB],
      ],
      ratio: 1,
    },
    {
      name: 'half bypasses the hooks',
      samples: [
        [0, 0, 0],
        [10, MB, 2 * MB],
      ],
      ratio: 0.5,
    },
    {
      name: 'all bypasses the hooks',
      samples: [
        [0, 0, 0],
        [10, 0, 2 * MB],
      ],
      ratio: 0,
    },
    {
      name: 'a tunnel: the outer bytes leave, the inner ones are seen',
      samples: [
        [0, 0, 0],
        [10, 2 * MB, 2.5 * MB, 2 * MB, 2.5 * MB],
      ],
      ratio: 1,
    },
    {
      name: 'a tunnel that is bypassed',
      samples: [
        [0, 0, 0],
        [10, 2 * MB, 5 * MB, 2 * MB, 2.5 * MB],
      ],
      ratio: 0.5,
    },
    {
      name: 'an uplink went away: counting starts over',
      samples: [
        [0, 0, 9 * MB],
        [10, MB, MB],
        [20, 3 * MB, 3 * MB],
      ],
      ratio: 1,
    },
    {
      name: 'an uplink went away just now',
      samples: [
        [0, 0, 9 * MB],
        [10, MB, MB],
      ],
      ratio: undefined,
    },
    {
      name: 'what was long ago does not count',
      samples: [
        [0, 0, 0],
        [10, 0, 9 * MB],
        [305, MB, 10 * MB],
        [320, 2 * MB, 11 * MB],
      ],
      ratio: 1,
    },
  ]
  for (const { name, samples, ratio } of cases) t.equal(ratioAfter(samples), ratio, name)
})
