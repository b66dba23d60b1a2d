import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig, rightConfig } from '../../src/config/load.js'
import { renderMistakes } from '../../src/config/mistakes.js'

interface Situation {
  readonly files?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly file?: string | null
  readonly readFile?: (path: string) => Promise<string>
}

async function load(t: Test, { files = {}, file = 'meshtoll.yaml', readFile: read = (path) => readFile(path, 'utf8') }: Situation) {
  const folder = t.testdir({ ...files, folder: {} })
  const path = file === null ? null : join(folder, file)
  const loaded = await loadConfig({ 'config.file': path }, { environment: { ZONE: 'z1' }, hostName: 'host-1', readFile: read })
  if (!('mistakes' in loaded)) return { loaded, folder }
  return { text: renderMistakes(loaded.mistakes).replaceAll(folder, 'DIR'), folder }
}

t.test('no file: all defaults, named by the host', async (t) => {
  const { loaded } = await load(t, { file: null })
  t.equal(loaded?.config.node.name, 'host-1')
  t.same(loaded?.inventory, { entries: [], text: '' })
  t.equal(loaded?.optionsSet, 0)
})

t.test('a file, its environment, and an inventory in a folder beside it', async (t) => {
  const config = `node: {name: n1, zone: "\${ZONE}"}\ninventory: {file: sub/inventory.yaml}\n`
  const files = { 'meshtoll.yaml': config, sub: { 'inventory.yaml': 'entries: [{cidr: 10.0.0.0/8}]' } }
  const { loaded, folder } = await load(t, { files })
  t.same(loaded?.config.node, { name: 'n1', zone: 'z1', region: '' })
  t.equal(loaded?.config.inventory.file, join(folder, 'sub/inventory.yaml'))
  t.match(loaded?.inventory, { entries: [{ cidr: '10.0.0.0/8' }], text: 'entries: [{cidr: 10.0.0.0/8}]' })
  t.equal(loaded?.optionsSet, 3)
})

t.test('Datadog is given a key, and time to be sent what is withdrawn', async (t) => {
  const cases = [
    { name: 'without a key', text: 'datadog: {enabled: true}', says: /^meshtoll: datadog is enabled and there is no key; set DD_API_KEY/ },
    { name: 'not enabled', text: 'datadog: {site: datadoghq.eu}', says: undefined },
    { name: 'of a file', text: 'datadog: {enabled: true, apiKeyFile: key}', says: undefined },
    {
      name: 'too short a time',
      text: 'datadog: {enabled: true, apiKeyFile: key}\nseries: {idle: 59s}',
      says: /series\.idle is shorter than two of datadog\.flushInterval/,
    },
  ]
  for (const { name, text: file, says } of cases) {
    const { text, loaded, folder } = await load(t, { files: { 'meshtoll.yaml': file } })
    if (says) t.match(text, says, name)
    else t.ok(loaded, name)
    if (loaded?.config.datadog.enabled) t.equal(loaded.config.datadog.apiKeyFile, join(folder, 'key'), 'beside the file')
  }
})

t.test('a directory is trusted by its certificate, or not at all', async (t) => {
  const cases = [
    { name: 'by nobody', directory: '{url: "https://d:1"}', says: /^meshtoll: kubernetes\.directory has a url and no caFile; name/ },
    { name: 'without TLS', directory: '{url: "http://d:1"}', says: /kubernetes\.directory\.url is not https, and a token is sent there/ },
    { name: 'by its authority', directory: '{url: "https://d:1", caFile: ca.crt}', says: undefined },
    { name: 'as told', directory: '{url: "http://d:1", insecure: true}', says: undefined },
    { name: 'without a directory', directory: '{}', says: undefined },
  ]
  for (const { name, directory, says } of cases) {
    const { text, loaded, folder } = await load(t, { files: { 'meshtoll.yaml': `kubernetes: {directory: ${directory}}` } })
    if (says) t.match(text, says, name)
    else t.ok(loaded, name)
    if (directory.includes('caFile')) t.equal(loaded?.config.kubernetes.directory.caFile, join(folder, 'ca.crt'), 'beside the file')
  }
})

t.test('where the kubelet is, and who signed for it', async (t) => {
  const { loaded, folder } = await load(t, { files: { 'meshtoll.yaml': 'kubelet: {url: "https://n1:10250", tls: {caFile: ca.crt}}' } })
  t.equal(loaded?.config.kubelet.tls.caFile, join(folder, 'ca.crt'), 'beside the file')
  const { text } = await load(t, { files: { 'meshtoll.yaml': 'kubelet: {url: "http://n1:10255"}' } })
  t.match(text, /kubelet\.url is not https, and a token is sent there; write https/)
})

t.test('a configuration is right or wrong by itself', async (t) => {
  const inventory = 'inventory: {file: i.yaml}\n'
  const cases = [
    { name: 'all is right', config: `${inventory}flows: {table: tolls}`, entries: '[]', table: 'tolls', optionsSet: 2 },
    { name: 'a wrong inventory', config: `${inventory}flows: {table: tolls}`, entries: '[{}]', table: 'tolls', optionsSet: 2 },
    { name: 'both are wrong', config: `${inventory}flows: {tabel: tolls}`, entries: '[{}]', table: undefined, optionsSet: undefined },
    { name: 'a wrong configuration', config: `${inventory}flows: {tabel: tolls}`, entries: '[]', table: undefined, optionsSet: undefined },
  ]
  for (const { name, config, entries, table, optionsSet } of cases) {
    const path = join(t.testdir({ 'meshtoll.yaml': config, 'i.yaml': `entries: ${entries}` }), 'meshtoll.yaml')
    const surroundings = { environment: {}, hostName: 'host-1', readFile: (file: string) => readFile(file, 'utf8') }
    const right = rightConfig(await loadConfig({ 'config.file': path }, surroundings))
    t.same([right?.config.flows.table, right?.optionsSet], [table, optionsSet], name)
  }
})

t.test('what a user sees', async (t) => {
  const failing = (code: string) => () => Promise.reject(Object.assign(new Error(`${code}: what the system says`), { code }))
  const cases = [
    {
      name: 'three mistakes',
      files: { 'meshtoll.yaml': '# our mesh\nflows:\n  intervall: 1s\n  maxPairs: lots\nserie: {}\n' },
      text: `meshtoll: meshtoll.yaml has 3 mistakes
  3:3   flows.intervall is not an option; did you mean flows.interval?
  4:13  flows.maxPairs is "lots"; expected auto or a whole number from 64 to 4194304
  5:1   serie is not an option; did you mean series?
`,
    },
    {
      name: 'one mistake',
      files: { 'meshtoll.yaml': 'serie: {}' },
      text: 'meshtoll: meshtoll.yaml has 1 mistake\n  1:1  serie is not an option; did you mean series?\n',
    },
    {
      name: 'mistakes in both files',
      files: { 'meshtoll.yaml': 'serie: {}\ninventory: {file: i.yaml}', 'i.yaml': 'entries: [{}]' },
      text: `meshtoll: meshtoll.yaml has 1 mistake
  1:1  serie is not an option; did you mean series?
meshtoll: i.yaml has 1 mistake
  1:11  this entry has no cidr; expected the range of addresses that it names
`,
    },
    { name: 'no such file', text: 'meshtoll: cannot read DIR/meshtoll.yaml: there is no such file; set --config.file to the right path\n' },
    { name: 'a folder', file: 'folder', text: 'meshtoll: cannot read DIR/folder: it is a folder; set --config.file to the right path\n' },
    {
      name: 'a file for a folder',
      files: { 'meshtoll.yaml': '' },
      file: 'meshtoll.yaml/x',
      text: 'meshtoll: cannot read DIR/meshtoll.yaml/x: a part of its path is not a folder; set --config.file to the right path\n',
    },
    {
      name: 'no inventory',
      files: { 'meshtoll.yaml': 'inventory: {file: i.yaml}' },
      text: 'meshtoll: cannot read DIR/i.yaml: there is no such file; set inventory.file to the right path\n',
    },
    {
      name: 'not allowed',
      readFile: failing('EACCES'),
      text: 'meshtoll: cannot read DIR/meshtoll.yaml: this user may not read it; allow reading, or run as its owner\n',
    },
    { name: 'a broken disk', readFile: failing('EIO'), text: 'meshtoll: cannot read DIR/meshtoll.yaml: EIO: what the system says\n' },
  ]
  for (const { name, text, ...situation } of cases) {
    await t.test(name, async (t) => t.equal((await load(t, situation)).text, text))
  }
})
