import t from 'tap'
import { fillIn } from '../../src/config/environment.js'

const environment = { NODE_NAME: 'n1', EMPTY: '', NESTED: `\${NODE_NAME}` }

t.test('fillIn', async (t) => {
  const cases = [
    { name: 'no reference', text: 'plain', filled: { text: 'plain' } },
    { name: 'the whole value', text: `\${NODE_NAME}`, filled: { text: 'n1' } },
    { name: 'a part, twice', text: `a-\${NODE_NAME}-\${NODE_NAME}`, filled: { text: 'a-n1-n1' } },
    { name: 'set but empty', text: `\${EMPTY}`, filled: { text: '' } },
    { name: 'what a variable holds is not read again', text: `\${NESTED}`, filled: { text: `\${NODE_NAME}` } },
    { name: 'an escaped dollar', text: `$\${NODE_NAME}`, filled: { text: `\${NODE_NAME}` } },
    { name: 'an escaped dollar before a reference', text: `$$\${NODE_NAME}`, filled: { text: '$n1' } },
    { name: 'a dollar alone', text: 'a$b $', filled: { text: 'a$b $' } },
    {
      name: 'not set',
      text: `\${NODE_NAM}`,
      filled: { mistake: `refers to \${NODE_NAM}, which is not set in the environment; set it, or write $\${NODE_NAM} for the text` },
    },
    { name: 'no name', text: `\${}`, filled: { mistake: `has \${}, which names no variable; write \${NAME}, or $$ for a dollar sign` } },
    {
      name: 'not closed',
      text: `\${NODE`,
      filled: { mistake: `has \${NODE, which names no variable; write \${NAME}, or $$ for a dollar sign` },
    },
    {
      name: 'a shell default',
      text: `\${A:-b}`,
      filled: { mistake: `has \${A:-b}, which names no variable; write \${NAME}, or $$ for a dollar sign` },
    },
    {
      name: 'a name of every object',
      text: `\${constructor}`,
      filled: { mistake: `refers to \${constructor}, which is not set in the environment; set it, or write $\${constructor} for the text` },
    },
  ]
  for (const { name, text, filled } of cases) t.same(fillIn(text, environment), filled, name)
})
