// The Service istiod as a pod has it: one address for all istiods, and some of them behind it. A program in the pod's network namespace
// takes connections on the loopback and hands each on to one istiod, as the node's kube-proxy would without a program.
import type { Topology } from '../../src/lab/topology.js'

export interface Target {
  readonly address: string
  readonly port: number
}

export interface Relay {
  /** All connections end, and the next ones go there; without a target they are refused, as by a Service without endpoints. */
  move(target: Target | undefined): Promise<void>
  stop(): Promise<void>
}

const PROGRAM = `
  const { connect, createServer } = require('node:net')
  const { createInterface } = require('node:readline')
  const open = new Set()
  let target
  const server = createServer((near) => {
    const far = connect(target.port, target.address)
    near.pipe(far).pipe(near)
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => { open.delete(one); other.destroy() })
    }
  })
  const done = () => console.log('moved')
  createInterface({ input: process.stdin }).on('line', (line) => {
    target = JSON.parse(line)
    for (const socket of open) socket.destroy()
    if (target && !server.listening) server.listen(Number(process.argv[1]), '127.0.0.1', done)
    else if (!target && server.listening) server.close(done)
    else done()
  })`

/** `port`: of the loopback in the namespace. */
export async function startRelay(
  topology: Topology,
  namespace: string,
  { port, target }: { port: number; target: Target },
): Promise<Relay> {
  const program = topology.start(namespace, [process.execPath, '-e', PROGRAM, String(port)])
  let moves = 0
  const move = async (to: Target | undefined): Promise<void> => {
    moves++
    program.child.stdin?.write(`${JSON.stringify(to ?? null)}\n`)
    await program.waitFor(new RegExp(`^(moved\n){${moves}}`))
  }
  await move(target)
  return { move, stop: async () => void (await program.stop('SIGKILL')) }
}
