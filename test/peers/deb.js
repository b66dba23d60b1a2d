// @ts-check
// Takes a program out of a package of Debian, from the machine's own sources of packages: nothing is installed, and no service started.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { NotBuilt, run } from './command.js'

/** @typedef {import('./table.js').Peer} Peer */

/**
 * @param {Peer} peer
 * @param {{ readonly into: string, readonly scratch: string, readonly env: NodeJS.ProcessEnv }} how
 */
export async function unpackPackage({ deb, pin }, { into, scratch, env }) {
  const name = deb?.package ?? ''
  const download = () => run(['apt-get', '-qq', 'download', name], { cwd: scratch, env })
  await download().catch(async () => {
    // A fresh machine may have no list of packages yet. Who may not fetch it is told by the second try.
    await run(['apt-get', '-qq', 'update'], { env }).catch(() => undefined)
    await download()
  })
  const file = (await readdir(scratch)).find((one) => one.endsWith('.deb')) ?? ''
  // Such as prometheus_2.42.0+ds-5+deb12u1_amd64.deb; Debian mends it without another version of the program.
  if (!file.startsWith(`${name}_${pin}`)) throw new NotBuilt(`${name} ${pin} is needed, as Debian 12 has it; here is ${file}`)
  await run(['dpkg-deb', '--extract', join(scratch, file), into], { env })
}
