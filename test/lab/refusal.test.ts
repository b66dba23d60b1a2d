import t from 'tap'
import { refusalOf } from '../../src/lab/refusal.js'

t.test('refusalOf', async (t) => {
  const clone = '/proc/sys/kernel/unprivileged_userns_clone'
  const most = '/proc/sys/user/max_user_namespaces'
  const apparmor = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns'
  const install = 'as root: apt-get install iproute2 util-linux mount'
  const cases = [
    {
      name: 'setpriv is missing',
      uid: 0,
      failure: 'spawn setpriv ENOENT',
      settings: {},
      why: /^setpriv is not installed$/,
      remedy: install,
    },
    {
      name: 'unshare is missing',
      uid: 1000,
      failure: 'setpriv: failed to execute unshare: No such file or directory',
      settings: {},
      why: /^unshare is not installed$/,
      remedy: install,
    },
    { name: 'ip is missing', uid: 0, failure: 'world: 1: ip: not found', settings: {}, why: /^ip is not installed$/, remedy: install },
    {
      name: 'a kernel without veth',
      uid: 0,
      failure: 'Error: Unknown device type.',
      settings: {},
      why: /no veth/,
      remedy: 'as root: modprobe veth',
    },
    {
      name: 'root in a container',
      uid: 0,
      failure: 'unshare: unshare failed: Operation not permitted',
      settings: { [most]: '0' },
      why: /^root may not make namespaces here \(unshare: unshare failed: Operation not permitted\)$/,
      remedy: 'in a container: start it with --privileged',
    },
    {
      name: 'Debian before 11',
      uid: 1000,
      failure: 'unshare: unshare failed: Operation not permitted',
      settings: { [clone]: '0' },
      why: /refuse user namespaces/,
      remedy: 'run as root, or as root: sysctl kernel.unprivileged_userns_clone=1',
    },
    {
      name: 'user namespaces switched off',
      uid: 1000,
      failure: 'unshare: unshare failed: No space left on device',
      settings: { [clone]: '1', [most]: '0' },
      why: /switched off/,
      remedy: 'run as root, or as root: sysctl user.max_user_namespaces=15000',
    },
    {
      name: 'Ubuntu 24.04',
      uid: 1000,
      failure: 'unshare: write failed /proc/self/uid_map: Operation not permitted',
      settings: { [most]: '15000', [apparmor]: '1' },
      why: /AppArmor/,
      remedy: 'run as root, or as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    },
    {
      name: 'nothing known',
      uid: 1000,
      failure: 'one\ntwo',
      settings: {},
      why: /^user namespaces do not work here \(two\)$/,
      remedy: 'run as root',
    },
  ]
  for (const { name, uid, failure, settings, why, remedy } of cases) {
    const setting = (path: string): string | undefined => new Map(Object.entries(settings)).get(path)
    t.match(refusalOf({ uid, failure, setting }), { why, remedy }, name)
  }
})
