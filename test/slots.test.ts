import { getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createSlots } from '../src/slots.js'

/** Tasks that end when they are told to, in slots of two. */
function build(): { started: string[]; ask(name: string, signal?: AbortSignal): Promise<string>; end(name: string, error?: Error): void } {
  const slots = createSlots(2)
  const started: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  return {
    started,
    ask: (name, signal) =>
      slots(() => {
        started.push(name)
        return new Promise((resolve, reject) => ends.set(name, (error) => (error ? reject(error) : resolve(name))))
      }, signal),
    end: (name, error) => ends.get(name)?.(error),
  }
}

t.test('as many as there are slots, in the order of asking', async (t) => {
  const { started, ask, end } = build()
  const answers = ['a', 'b', 'c', 'd', 'e'].map((name) => ask(name))
  await turn()
  t.same(started, ['a', 'b'])
  end('b')
  await turn()
  t.same(started, ['a', 'b', 'c'])
  end('a')
  end('c')
  await turn()
  t.same(started, ['a', 'b', 'c', 'd', 'e'])
  end('d')
  end('e')
  t.same(await Promise.all(answers), ['a', 'b', 'c', 'd', 'e'])
  for (const name of ['f', 'g', 'h']) void ask(name)
  await turn()
  t.same(started.slice(5), ['f', 'g'], 'and as many after that')
})

t.test('a task that fails gives its slot back', async (t) => {
  const { started, ask, end } = build()
  const failing = ask('a')
  void ask('b')
  void ask('c')
  await turn()
  end('a', new Error('refused'))
  await t.rejects(failing, { message: 'refused' })
  await turn()
  t.same(started, ['a', 'b', 'c'])
})

t.test('who leaves takes no slot', async (t) => {
  const { started, ask, end } = build()
  const leaving = new AbortController()
  void ask('a')
  void ask('b')
  const left = ask('c', leaving.signal)
  void ask('d')
  await turn()
  leaving.abort(new Error('enough'))
  await t.rejects(left, { message: 'enough' })
  await t.rejects(ask('e', leaving.signal), { message: 'enough' }, 'nor who had left before')
  end('a')
  await turn()
  t.same(started, ['a', 'b', 'd'])
})

t.test('who had to wait leaves nothing on its signal', async (t) => {
  const { ask, end } = build()
  const { signal } = new AbortController()
  void ask('a')
  void ask('b')
  const third = ask('c', signal)
  await turn()
  end('a')
  await turn()
  end('c')
  await third
  t.same(getEventListeners(signal, 'abort'), [])
})

t.test('a free slot is not for who left', async (t) => {
  const { started, ask } = build()
  await t.rejects(ask('a', AbortSignal.abort(new Error('enough'))), { message: 'enough' })
  void ask('b')
  void ask('c')
  await turn()
  t.same(started, ['b', 'c'])
})
