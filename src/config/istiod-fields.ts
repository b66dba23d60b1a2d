// The section of istiod, of the table of all options.
import { option, optional, type Section, time } from './field.js'
import { boolean, either, neverYet, oneOf, path } from './kinds.js'
import { TARGET_FIELDS, targetUrl } from './target-fields.js'

export const ISTIOD = {
  about: "What this node's istiods say of themselves. On Kubernetes they are found by themselves.",
  fields: {
    enabled: option(either(oneOf('auto'), boolean), 'auto', 'Ask istiods; auto asks where pods are followed, and where there are targets.'),
    interval: time({ from: '1s', to: '10m' }, '15s', 'How often each is asked at port 15014, and its log is read.'),
    log: option(oneOf('auto', 'off'), 'auto', 'Read their logs; auto reads those of pods in /var/log/pods, and those that targets name.'),
    debug: option(neverYet, 'false', 'The debug endpoints of istiod; this version cannot ask them.'),
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
