// Why no world can be made here, and what to do about it.

export interface Refused {
  readonly uid: number
  /** What the programs said. */
  readonly failure: string
  /** Content of a file below /proc/sys; undefined where the kernel has no such setting. */
  readonly setting: (path: string) => string | undefined
}

export interface Refusal {
  readonly why: string
  readonly remedy: string
}

const INSTALL = 'apt-get install iproute2 util-linux mount'

// Each closes user namespaces to ordinary users, with another error message in every release of unshare(1).
const CLOSED = [
  {
    path: '/proc/sys/kernel/unprivileged_userns_clone',
    value: '0',
    why: 'this kernel is set to refuse user namespaces to ordinary users',
    remedy: 'sysctl kernel.unprivileged_userns_clone=1',
  },
  {
    path: '/proc/sys/user/max_user_namespaces',
    value: '0',
    why: 'user namespaces are switched off',
    remedy: 'sysctl user.max_user_namespaces=15000',
  },
  {
    path: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    value: '1',
    why: 'AppArmor takes all rights from user namespaces of ordinary users (default since Ubuntu 23.10)',
    remedy: 'sysctl kernel.apparmor_restrict_unprivileged_userns=0',
  },
] as const

export function refusalOf({ uid, failure, setting }: Refused): Refusal {
  const missing = /spawn (\w+) ENOENT|(\w+): (?:command )?not found|failed to execute (\w+): No such file/.exec(failure)
  if (missing) return { why: `${missing.slice(1).find(Boolean)} is not installed`, remedy: `as root: ${INSTALL}` }
  if (/Unknown device type|type veth.*not supported|RTNETLINK answers: (?:Operation|Not) not supported/.test(failure)) {
    return { why: 'this kernel has no veth devices', remedy: 'as root: modprobe veth' }
  }
  const said = failure.split('\n').at(-1) ?? failure
  if (uid === 0) {
    return {
      why: `root may not make namespaces here (${said})`,
      remedy: 'in a container: start it with --privileged',
    }
  }
  const closed = CLOSED.find(({ path, value }) => setting(path) === value)
  if (closed) return { why: closed.why, remedy: `run as root, or as root: ${closed.remedy}` }
  return { why: `user namespaces do not work here (${said})`, remedy: 'run as root' }
}
