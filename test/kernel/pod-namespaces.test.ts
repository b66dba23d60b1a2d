import t from 'tap'
import { KernelError } from '../../src/kernel/errors.js'
import { createPodNamespaces, hostProcOf } from '../../src/kernel/pod-namespaces.js'
import { createHandClock } from '../kube/hand-clock.js'

const never = new AbortController().signal
const [ENOENT, EACCES] = [2, 13]
const CART = '0a1b2c3d-0000-4000-8000-000000000022'
const STOCK = '5e6f7a8b-0000-4000-8000-000000000033'
const scopeOf = (pod: string, below = ''): string =>
  `0::/../../kubepods-burstable-pod${pod.replaceAll('-', '_')}.slice/cri-containerd-3c4d.scope${below}\n`
const MOUNTS = `22 1 0:21 / /proc rw - proc proc rw
31 22 0:40 /sys /proc/sys ro - proc proc rw
40 1 0:41 / /host/sys/fs/cgroup ro - cgroup2 cgroup2 rw
41 1 0:42 / /host/proc ro,relatime shared:7 - proc proc rw
`

/** The host's processes by number, with their cgroups. */
function createHost(processes: Record<string, string>) {
  const clock = createHandClock()
  const host = { processes, opened: [] as string[], closed: [] as string[], looks: 0 }
  const pidOf = (path: string): string => /^\/host\/proc\/(\d+)\//.exec(path)?.[1] ?? ''
  const deps = {
    clock,
    readFile: async (path: string) => {
      if (path === '/proc/self/mountinfo') return MOUNTS
      const text = path.endsWith('/cgroup') ? host.processes[pidOf(path)] : undefined
      if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
      return text
    },
    listFolders: async (path: string) => {
      t.equal(path, '/host/proc')
      host.looks++
      return ['1', 'self', 'sys', ...Object.keys(host.processes)]
    },
  }
  let onOpen = (_pid: string): void => undefined
  const namespaces = createPodNamespaces((path) => {
    const pid = pidOf(path)
    onOpen(pid)
    if (host.processes[pid] === undefined) throw new KernelError('open a network namespace', ENOENT)
    host.opened.push(pid)
    return { connect: () => 0, close: () => void host.closed.push(pid) }
  }, deps)
  return {
    host,
    clock,
    open: (pod: string) => namespaces.open(pod, never),
    whenOpened: (act: typeof onOpen) => {
      onOpen = act
    },
  }
}

const NOBODY = { name: 'NoProcess', message: 'no process of its pod is to be seen' }

t.test('a process of each pod, as the host has them', async (t) => {
  const cases = [
    { name: 'by systemd', cgroups: scopeOf(CART) },
    { name: 'by the kubelet', cgroups: `0::/kubepods/burstable/pod${CART}/3c4d\n` },
    { name: 'of version 1', cgroups: `9:name=systemd:/\n8:pids:/kubepods/besteffort/pod${CART}/3c4d\n0::/\n` },
    { name: 'of class Guaranteed', cgroups: `0::/kubepods.slice/kubepods-pod${CART.replaceAll('-', '_')}.slice/crio-3c4d.scope\n` },
  ]
  for (const { name, cgroups } of cases) {
    const { open, host } = createHost({ 30: '0::/system.slice/sshd.service\n', 31: cgroups, 32: scopeOf(STOCK) })
    await open(CART)
    t.same([host.opened, host.closed], [['31'], []], name)
  }
})

t.test('what a pod has made for itself is another network', async (t) => {
  const { open, host } = createHost({ 30: scopeOf(CART, '/docker/5e6f'), 41: scopeOf(CART), 40: scopeOf(CART), 50: scopeOf(CART, '/init') })
  await open(CART)
  t.same(host.opened, ['40'])
  const named = createHost({ 30: scopeOf(STOCK, `/pod${CART}`) })
  await t.rejects(named.open(CART), NOBODY, 'nor is it whose the pod says it is')
})

t.test('they are looked for once', async (t) => {
  const { open, host, clock } = createHost({ 31: scopeOf(CART), 32: scopeOf(STOCK) })
  await Promise.all([open(CART), open(STOCK), open(CART)])
  t.equal(host.looks, 1)
  delete host.processes['31']
  await t.rejects(open(CART), NOBODY)
  host.processes['51'] = scopeOf(CART)
  await t.rejects(open(CART), NOBODY, 'not again at once')
  t.equal(host.looks, 1)
  clock.advance(5_000)
  await open(CART)
  t.equal(host.opened.at(-1), '51')
  t.equal(host.looks, 2)
})

t.test('a number that another process has by now', async (t) => {
  const { open, host, clock } = createHost({ 31: scopeOf(CART) })
  await open(CART)
  host.processes = { 31: scopeOf(STOCK), 60: scopeOf(CART) }
  clock.advance(5_000)
  await open(CART)
  t.same([host.opened, host.closed], [['31', '31', '60'], ['31']], 'what it opened of the other is not used')
})

t.test('one that ends in between', async (t) => {
  const { open, host, whenOpened, clock } = createHost({ 31: scopeOf(CART), 70: scopeOf(CART) })
  await open(CART)
  clock.advance(5_000)
  whenOpened((pid) => {
    if (pid === '31') delete host.processes['31']
  })
  await open(CART)
  t.same(host.opened, ['31', '70'])
})

t.test('what the kernel refuses is no absence', async (t) => {
  const { open, whenOpened } = createHost({ 31: scopeOf(CART) })
  whenOpened(() => {
    throw new KernelError('open a network namespace', EACCES)
  })
  await t.rejects(open(CART), { code: 'EACCES' })
})

t.test("where the host's proc is", async (t) => {
  t.equal(hostProcOf(MOUNTS), '/host/proc')
  t.equal(hostProcOf('22 1 0:21 / /proc rw - proc proc rw\n23 22 0:21 / /proc rw - proc proc rw\n'), '/proc', 'its own')
  t.equal(hostProcOf(''), '/proc')
})
