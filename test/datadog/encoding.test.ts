// zstd, which is sent where Node has it, and intakes that do not read it.
import t from 'tap'
import { encodingHere } from '../../src/exporters/datadog/body.js'
import { createWorld, FLUSH_MS, type Weather } from '../exporters/datadog/world.js'

const BYTES = 'meshtoll.flow.bytes'

t.equal(encodingHere, 'zstd', 'these run on the Node of the image')

for (const weather of ['fine', '400 to zstd', '415 to zstd'] satisfies Weather[])
  t.test(`zstd, ${weather}`, async (t) => {
    const world = createWorld({ encoding: 'zstd' })
    world.weather = weather
    await world.start()
    for (let i = 0; i < 3; i++) {
      world.count('cart', 1_000 + i)
      await world.pass(FLUSH_MS)
    }
    t.equal(world.self('refused_bytes_total'), 0)
    world.kill()
    t.equal(world.judge.sum(BYTES), world.truth)
    t.same([...new Set(world.judge.bodies.map(({ encoding }) => encoding))], [weather === 'fine' ? 'zstd' : 'deflate'])
    t.same(world.judge.problems, [])
  })

t.test('what is refused in an encoding that was read before is refused for what it says', async (t) => {
  const world = createWorld({ encoding: 'zstd' })
  await world.start()
  world.count('cart', 1)
  await world.pass(FLUSH_MS)
  world.weather = '400 to zstd'
  world.count('cart', 2)
  await world.pass(FLUSH_MS)
  t.equal(world.judge.sum(BYTES), 1)
  t.equal(world.self('refused_bytes_total'), 2)
  world.kill()
})
