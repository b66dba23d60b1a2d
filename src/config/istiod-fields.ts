// The section of istiod, of the table of all options.
import { list, option, optional, type Section, time } from './field.js'
import { boolean, either, namespace, oneOf, path } from './kinds.js'
import { TARGET_FIELDS, targetUrl } from './target-fields.js'

export const ISTIOD = {
  about: "What this node's istiods say of themselves. On Kubernetes they are found by themselves.",
  fields: {
    enabled: option(either(oneOf('auto'), boolean), 'auto', 'Ask istiods; auto asks where pods are followed, and where there are targets.'),
    interval: time({ from: '1s', to: '10m' }, '15s', 'How often each is asked at port 15014, and its log is read.'),
    namespaces: list(
      namespace,
      ['istio-system'],
      'Namespaces whose pods are believed when they say that they are istiods, which any pod can. Targets are believed wherever they are.',
    ),
    log: option(
      oneOf('auto', 'api', 'off'),
      'auto',
      'Read their logs; auto reads those of pods in /var/log/pods, api follows those of pods through the API server, for which RBAC has to allow get of pods/log. Both read those that targets name.',
    ),
    debug: option(
      boolean,
      'false',
      'Ask /debug/syncz and /debug/connections as well: which proxies are connected, and which have not acknowledged what they were sent. It takes a token.',
    ),
    tokenFile: option(path, '/var/run/secrets/tokens/istio-token', 'Path of a ServiceAccount token with the audience istio-ca, for debug.'),
    tokenNamespaces: list(
      namespace,
      ['istio-system'],
      'Namespaces of pods that are shown it, over plain HTTP: to Istio whoever has it is the agent. Targets are shown it wherever they are.',
    ),
  },
  lists: {
    targets: {
      about: 'Istiods that no API server tells of, each with the labels of its owner.',
      key: 'url',
      fields: {
        url: targetUrl('URL of its metrics.', 'http://10.0.0.5:15014/metrics'),
        log: optional(path, { value: '', shown: 'none' }, 'Path of its log, where that is on this machine.'),
        ...TARGET_FIELDS,
      },
    },
  },
} as const satisfies Section
