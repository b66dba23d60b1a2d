// Stands in for async-hook-domain, by which tap finds the test that an uncaught error belongs to. That one watches every promise that is made,
// which takes an eighth to a third of the time of a test of many; here it is the innermost that has begun, since the tests of a file run one after
// the other.
import { executionAsyncResource } from 'node:async_hooks'

const underWay = new Set()

function tell(kind, error) {
  // As the original does: who has a listener of their own hears it alone.
  if (process.listenerCount(kind) > 1) return
  const all = [...underWay]
  const innermost = all.findLast(({ test }) => test?.started) ?? all[0]
  innermost.onerror(error, kind)
}

const onException = (error) => tell('uncaughtException', error)
const onRejection = (error) => tell('unhandledRejection', error)

export class Domain {
  constructor(onerror) {
    this.onerror = onerror
    // Tap makes it within a resource of the test's own. One that waits for its turn has one already.
    this.test = executionAsyncResource().test
    if (underWay.size === 0) process.on('uncaughtException', onException).on('unhandledRejection', onRejection)
    underWay.add(this)
  }

  destroy() {
    underWay.delete(this)
    if (underWay.size === 0) process.off('uncaughtException', onException).off('unhandledRejection', onRejection)
  }
}
