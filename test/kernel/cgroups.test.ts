import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { files } from '../../src/files.js'
import { openPodCgroups, type PodCgroups } from '../../src/kernel/cgroups.js'

interface Seen {
  /** What the kernel says of the mount, as seen from where we are. */
  readonly root?: string
  readonly folders: readonly string[]
}

/** The files are those of a folder: what a kubelet makes in a cgroup file system has the same names. */
async function openIn(t: Test, { root = '/', folders }: Seen): Promise<{ readonly path: string; readonly pods: PodCgroups | undefined }> {
  const path = mkdtempSync(join(tmpdir(), 'cgroups-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  for (const folder of folders) mkdirSync(join(path, folder), { recursive: true })
  const mounts = [
    '30 1 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro',
    `41 30 0:38 ${root} ${path} ro,nosuid - cgroup2 cgroup2 rw,nsdelegate`,
  ]
  const pods = await openPodCgroups({ ...files, readFile: async () => mounts.join('\n') })
  return { path, pods }
}

const SYSTEMD = 'kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_22.slice'

t.test('whose a cgroup is, whoever named it', async (t) => {
  const cases = [
    { pod: '0a1b-22', folder: SYSTEMD },
    { pod: '0a1b-22', folder: 'kubepods.slice/kubepods-pod0a1b_22.slice' },
    { pod: '0a1b-22', folder: 'kubepods/besteffort/pod0a1b-22' },
    { pod: '0a1b22', folder: 'kubepods/pod0a1b22' },
    {
      pod: '0a1b-22',
      folder: 'kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod0a1b_22.slice',
    },
  ]
  for (const { pod, folder } of cases) {
    const { path, pods } = await openIn(t, {
      folders: [`${folder}/cri-containerd-1.scope/inner`, `${folder}/crio-2`, 'system.slice/kubelet.service'],
    })
    const inode = (below: string): string => String(statSync(join(path, folder, below), { bigint: true }).ino)
    const ids = await pods?.ids(new Set([pod, 'another']))
    t.same(
      ids,
      new Map(['', 'cri-containerd-1.scope', 'cri-containerd-1.scope/inner', 'crio-2'].map((below) => [inode(below), pod])),
      folder,
    )
  }
})

t.test('the level is that of pods, as counted from where we are', async (t) => {
  const folders = [SYSTEMD]
  const cases = [
    { root: '/', level: { relative: 3, absolute: 3 }, why: 'on the host' },
    {
      root: '/../../..',
      level: { relative: 0, absolute: 3 },
      why: 'in a pod of class Guaranteed, whose containers are as deep as pods of the others',
    },
    { root: '/../../../..', level: { relative: 0, absolute: 4 }, why: 'in any other pod: no rule reaches above us' },
  ]
  for (const { root, level, why } of cases) t.same((await openIn(t, { root, folders })).pods?.level, level, why)
  t.same((await openIn(t, { folders: ['kubelet.slice/kubelet-kubepods.slice'] })).pods?.level, { relative: 4, absolute: 4 })
})

t.test('pods come and go', async (t) => {
  const { path, pods } = await openIn(t, { folders: [SYSTEMD] })
  const asked = new Set(['0a1b-22', 'new'])
  t.equal((await pods?.ids(asked))?.size, 1)
  mkdirSync(join(path, 'kubepods.slice/kubepods-podnew.slice'))
  mkdirSync(join(path, SYSTEMD, 'cri-containerd-1.scope'))
  t.same([...((await pods?.ids(asked))?.values() ?? [])].sort(), ['0a1b-22', '0a1b-22', 'new'])
  rmSync(join(path, SYSTEMD), { recursive: true })
  t.same([...((await pods?.ids(asked))?.values() ?? [])], ['new'])
  t.equal((await pods?.ids(new Set()))?.size, 0)
})

t.test('where the host cannot be seen, or has no kubelet, there is nothing to tell apart', async (t) => {
  t.equal((await openIn(t, { folders: ['system.slice/sshd.service'] })).pods, undefined)
  t.equal((await openIn(t, { root: '/../system.slice', folders: [SYSTEMD] })).pods, undefined, 'a part of it')
  t.equal(await openPodCgroups({ ...files, readFile: () => Promise.reject(new Error('ENOENT')) }), undefined)
})
