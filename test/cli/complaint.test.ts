import t from 'tap'
import { fitComplaint } from '../../src/cli/complaint.js'

t.test('what is wrong fits a terminal, the remedy below it', async (t) => {
  const cases = [
    { name: 'what fits stays', text: 'meshtoll: a is no b; write b\n', lines: ['meshtoll: a is no b; write b', ''] },
    {
      name: 'too wide',
      text: 'meshtoll: no agent answers at http://127.0.0.1:10042: nobody listens there; start one, or say where it is\n',
      lines: ['meshtoll: no agent answers at http://127.0.0.1:10042: nobody listens there', '  start one, or say where it is', ''],
    },
    {
      name: 'each of them too wide',
      text: `meshtoll: ${'what '.repeat(18)}is wrong; ${'do '.repeat(30)}it`,
      lines: [
        `meshtoll: ${'what '.repeat(13)}what`,
        `    ${'what '.repeat(4)}is wrong`,
        `  ${'do '.repeat(25).trimEnd()}`,
        `    ${'do '.repeat(5)}it`,
      ],
    },
    {
      name: 'below its text, not below its place',
      text: `meshtoll: a.yaml has 2 mistakes\n  1:1    x\n  12:34  flows.maxPairs is "lots"; expected auto or a whole number from 1024 to 4194304`,
      lines: [
        'meshtoll: a.yaml has 2 mistakes',
        '  1:1    x',
        '  12:34  flows.maxPairs is "lots"',
        '           expected auto or a whole number from 1024 to 4194304',
      ],
    },
    {
      name: 'without a place',
      text: `  --web.listen-address is "10042"; expected :PORT, HOST:PORT or [IPV6]:PORT with a port from 0 to 65535`,
      lines: ['  --web.listen-address is "10042"', '    expected :PORT, HOST:PORT or [IPV6]:PORT with a port from 0 to 65535'],
    },
    { name: 'a word is not broken', text: `meshtoll: ${'x'.repeat(90)}; y`, lines: [`meshtoll: ${'x'.repeat(90)}`, '  y'] },
  ]
  for (const { name, text, lines } of cases) t.same(fitComplaint(text, { columns: 120 }).split('\n'), lines, name)
  const said = `meshtoll: ${'what '.repeat(18)}is wrong; ${'do '.repeat(30)}it`
  t.same(fitComplaint(said, { columns: 0 }).split('\n'), said.replace('; ', '\n  ').split('\n'), 'in a file words stay on their line')
  const narrow = fitComplaint(said, { columns: 40 })
  for (const line of narrow.split('\n')) t.ok(line.length <= 40, line)
})
