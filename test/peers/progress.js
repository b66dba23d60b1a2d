// @ts-check
// One line a peer, which grows while it is built.

const SIGN_OF_LIFE_MS = 10_000

/**
 * @param {{ name: string, pin: string }} peer
 * @param {(text: string) => void} write
 */
export function startLine({ name, pin }, write) {
  const began = performance.now()
  write(`${`${name} ${pin}`.padEnd(24)} `)
  const dots = setInterval(() => write('.'), SIGN_OF_LIFE_MS)
  return {
    write,
    /** @param {string} how */
    end(how) {
      clearInterval(dots)
      write(` ${how} after ${Math.round((performance.now() - began) / 1000)} s\n`)
    },
  }
}
