// The section of Datadog, of the table of all options.
import { list, option, optional, type Section, time } from './field.js'
import {
  boolean,
  datadogHandle,
  datadogSite,
  datadogTag,
  either,
  hostName,
  label,
  labelName,
  oneOf,
  path,
  threshold,
  url,
  wholeNumber,
} from './kinds.js'

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
      "Name of this node's host in Datadog, which no other node may have; auto is a name or alias that the Datadog Agent gives it on AWS (the instance's id) and Google Cloud (NAME.PROJECT), else node.name.",
    ),
    flushInterval: time({ from: '10s', to: '10m' }, '30s', 'How often what came is sent.'),
    maxSeries: option(
      wholeNumber(100, 1_000_000),
      '2000',
      'Custom metrics of this node at most; beyond it owners with small shares are folded into _other, zones stay.',
    ),
    tags: list(datadogTag, [], 'Tags of all metrics.'),
    excludeLabels: list(labelName, [], 'Labels that are not sent; what differs in nothing else is added up.'),
    appKeyFile: optional(
      path,
      { value: null, shown: 'none' },
      'Path of a file with the application key, for meshtoll datadog sync; else it is DD_APP_KEY in the environment.',
    ),
    notify: list(datadogHandle, [], 'Whom monitors tell, for meshtoll datadog sync.'),
    runbookUrl: optional(
      url,
      { value: null, shown: 'as in the files' },
      'URL of your copy of docs/runbooks, that monitors link to, for meshtoll datadog sync.',
    ),
  },
  lists: {
    monitors: {
      about: 'What meshtoll datadog sync makes of a monitor, where that is not what is in deploy/datadog/monitors.',
      key: 'name',
      fields: {
        name: optional(label, { value: '', shown: 'none' }, 'Name of its file, such as PushStorm.'),
        enabled: option(boolean, 'true', 'Have it.'),
        critical: optional(threshold, { value: null, shown: 'as in the file' }, 'From where on it alerts.'),
        warning: optional(threshold, { value: null, shown: 'as in the file' }, 'From where on it warns.'),
        notify: list(datadogHandle, [], 'Whom it tells beside those of datadog.notify.'),
      },
    },
  },
} as const satisfies Section
