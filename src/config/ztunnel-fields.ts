// The section of ztunnel, of the table of all options.
import { list, option, type Section, time } from './field.js'
import { boolean, either, namespace, oneOf } from './kinds.js'
import { TARGET_FIELDS, targetUrl } from './target-fields.js'

export const ZTUNNEL = {
  about: "What this node's ztunnels, the proxies of Istio ambient, say of themselves. On Kubernetes they are found by themselves.",
  fields: {
    enabled: option(
      either(oneOf('auto'), boolean),
      'auto',
      'Ask ztunnels; auto asks where pods are followed, and where there are targets.',
    ),
    interval: time({ from: '1s', to: '10m' }, '15s', 'How often each is asked at port 15020.'),
    namespaces: list(
      namespace,
      ['istio-system', 'kube-system'],
      'Namespaces whose pods are believed when they say that they are ztunnels, which any pod can. Targets are believed wherever they are.',
    ),
  },
  lists: {
    targets: {
      about: 'Ztunnels that no API server tells of, each with the labels of its owner.',
      key: 'url',
      fields: { url: targetUrl('URL of its metrics.', 'http://10.1.0.11:15020/stats/prometheus'), ...TARGET_FIELDS },
    },
  },
} as const satisfies Section
