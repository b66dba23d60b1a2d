// The section of Datadog, of the table of all options.
import { list, option, optional, type Section, time } from './field.js'
import { boolean, datadogSite, datadogTag, either, hostName, labelName, oneOf, path, url, wholeNumber } from './kinds.js'

export const DATADOG = {
  about: 'Pushes what is counted to Datadog.',
  fields: {
    enabled: option(boolean, 'false', 'Push; the key is DD_API_KEY in the environment, or in apiKeyFile.'),
    site: option(datadogSite, 'datadoghq.com', 'Where the organisation is.'),
    url: optional(
      url,
      { value: null, shown: 'https://api.SITE' },
      'URL in the place of the site, such as that of a proxy; /api/v2/series is put behind it.',
    ),
    apiKeyFile: optional(path, { value: null, shown: 'none' }, 'Path of a file with the API key, read again when it is refused.'),
    hostname: option(
      either(oneOf('auto'), hostName),
      'auto',
      "Name of this node's host in Datadog, which no other node may have; auto is the one that the Datadog Agent has on AWS and Google Cloud, else node.name.",
    ),
    flushInterval: time({ from: '10s', to: '10m' }, '30s', 'How often what came is sent.'),
    maxSeries: option(
      wholeNumber(100, 1_000_000),
      '2000',
      'Custom metrics of this node at most; beyond it owners with small shares are folded into _other, zones stay.',
    ),
    tags: list(datadogTag, [], 'Tags of all metrics.'),
    excludeLabels: list(labelName, [], 'Labels that are not sent; what differs in nothing else is added up.'),
  },
} as const satisfies Section
