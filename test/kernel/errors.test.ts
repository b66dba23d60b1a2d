import t from 'tap'
import { KernelError } from '../../src/kernel/errors.js'

t.test('a refusal says what was attempted, and has the name the kernel has for it', async (t) => {
  const cases = [
    { errno: 1, detail: '', code: 'EPERM', message: 'could not try: EPERM, operation not permitted' },
    { errno: 11, detail: '', code: 'EAGAIN', message: 'could not try: EAGAIN, resource temporarily unavailable' },
    { errno: 95, detail: 'x', code: 'EOPNOTSUPP', message: 'could not try: EOPNOTSUPP, operation not supported on socket, x' },
    { errno: 105, detail: '', code: 'ENOBUFS', message: 'could not try: ENOBUFS, no buffer space available' },
    { errno: 523, detail: '', code: 'errno 523', message: 'could not try: errno 523' },
  ]
  for (const { errno, detail, ...wanted } of cases)
    t.match(new KernelError('try', errno, detail), { name: 'KernelError', errno, ...wanted })
})
