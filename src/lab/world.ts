// A private world: mount, network and process namespaces of its own, so that nothing in it can touch the machine or outlive it.
// Below it `ip netns add` works as on an empty machine, as root and as an ordinary user.
//
//   meshtoll demo (outside)                    enterWorld(): forwards signals, opens TCP ports of the machine for publish()
//   └ setpriv --pdeathsig KILL unshare ...     dies when the process outside dies, kill -9 included
//     └ sh, pid 1 of the world                 reaps what nobody waits for; when it dies the kernel kills all that is left (pid_namespaces(7))
//       └ meshtoll demo again (inside)         isInWorld() is true; builds a topology, prints, ends
//
// Needs setpriv, unshare and nsenter (util-linux), mount and ip (iproute2).
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { refusalOf } from './refusal.js'
import { openPort } from './relay.js'

const MARK = 'MESHTOLL_WORLD'

// `"$@"` must not be the last command: the shell would exec it, and pid 1 would ignore every signal it has no handler for.
// The trap: dash ends at once on INT, which is in its process group what Ctrl-C is, and the world would end with it.
const BOOT =
  'trap : INT; mount -t tmpfs -o mode=755 tmpfs /run || exit 125; mkdir -p /run/lab; ip link set lo up || exit 125; "$@"; exit $?'

/** What to put in front of a command so that it runs in a world of its own. */
export function worldCommand({ uid }: { readonly uid: number }): string[] {
  const asUser = uid === 0 ? [] : ['--user', '--map-root-user']
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  return ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...asUser, ...namespaces, 'sh', '-c', BOOT, 'world']
}

export const isInWorld = (): boolean => process.env[MARK] === '1'

/** Environment for a command behind worldCommand(), by which it knows where it is. */
export const worldEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, [MARK]: '1' })

export type WorldAnswer =
  | { readonly ok: true; readonly how: 'root' | 'user namespace' }
  | { readonly ok: false; readonly why: string; readonly remedy: string }

/** Makes one and looks, since no list of settings can tell. */
export async function canMakeWorld(): Promise<WorldAnswer> {
  const uid = ownUid()
  const probe = 'ip netns add probe && ip link add name lab0 type veth peer name lab1 && nsenter --net=/run/netns/probe true'
  const failure = await failureOf([...worldCommand({ uid }), 'sh', '-c', probe])
  if (failure === undefined) return { ok: true, how: uid === 0 ? 'root' : 'user namespace' }
  return { ok: false, ...refusalOf({ uid, failure, setting: readSetting }) }
}

/**
 * Runs `argv` in a world with this process's terminal, and answers with its exit code.
 * A program enters by running itself: `enterWorld([...nodeCommand(process.argv[1]), ...process.argv.slice(2)])`.
 */
export function enterWorld(argv: readonly string[]): Promise<number> {
  const [command = '', ...rest] = [...worldCommand({ uid: ownUid() }), ...argv]
  // A session of its own: Ctrl-C reaches only this process, which hands it on once, to the world's own process group.
  const child = spawn(command, rest, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env: worldEnvironment(), detached: true })
  const stopForwarding = forwardSignals(child)
  // A listening socket belongs to the network it was opened in: opened here and handed in, it makes the world reachable.
  child.on('message', (message) => openPort(message, (answer, server, sent) => child.send(answer, server, {}, sent)))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      stopForwarding()
      resolve(code ?? (signal === 'SIGKILL' ? 137 : 143))
    })
  })
}

const ownUid = (): number => process.getuid?.() ?? -1

function failureOf([command = '', ...rest]: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, rest, { timeout: 10_000, env: { ...process.env, LC_ALL: 'C' } }, (error, _stdout, stderr) => {
      resolve(error ? stderr.trim() || error.message : undefined)
    })
  })
}

function readSetting(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

// unshare(1) ignores INT and TERM while it waits, and dies of the others, which would kill the world without a word.
const FORWARDED = { SIGINT: 'SIGINT', SIGTERM: 'SIGTERM', SIGHUP: 'SIGTERM', SIGQUIT: 'SIGTERM', SIGWINCH: 'SIGWINCH' } as const

function forwardSignals(child: ChildProcess): () => void {
  const handlers = Object.entries(FORWARDED).map(([from, to]) => {
    const forward = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, to)
    }
    process.on(from, forward)
    return { from, forward }
  })
  return () => {
    for (const { from, forward } of handlers) process.off(from, forward)
  }
}
