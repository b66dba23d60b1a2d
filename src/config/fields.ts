// Every option there is: from this table come the type, the validation, the defaults, --help and docs/configuration.md.
import { DATADOG } from './datadog-fields.js'
import { type List, list, option, optional, type Section, time, timeOrOff, type ValuesOf } from './field.js'
import { ISTIOD } from './istiod-fields.js'
import { boolean, decimal, either, label, oneOf, path, port, serviceAccount, tableName, url, wholeNumber } from './kinds.js'
import { TARGET_FIELDS, targetUrl } from './target-fields.js'
import { ZTUNNEL } from './ztunnel-fields.js'

const TUNNEL_PORTS = ['4789', '6081', '8285', '8472', '51820', '51821', '51871']

export const OPTIONS = {
  node: {
    about: 'The node that this agent runs on.',
    fields: {
      name: optional(label, { value: '', shown: 'the host name' }, 'Name of this node, as the inventory writes it.'),
      zone: optional(label, { value: '_unknown', shown: 'not known' }, 'Zone of this node.'),
      region: optional(label, { value: '', shown: 'not known' }, 'Region of this node.'),
    },
  },
  flows: {
    about: 'Bytes between pairs of addresses, counted in the kernel.',
    fields: {
      enabled: option(
        either(oneOf('auto'), boolean),
        'auto',
        'Count flows; auto counts where kernel and privileges allow it, true makes it an error when they do not.',
      ),
      interval: time({ from: '100ms', to: '5m' }, '10s', 'How often the kernel is read.'),
      maxPairs: option(
        either(oneOf('auto'), wholeNumber(64, 4_194_304)),
        'auto',
        'Pairs the kernel keeps apart; bytes of further pairs are counted as overflow. auto derives it from CPUs and memory.',
      ),
      ownership: option(
        oneOf('auto', 'off'),
        'auto',
        'Own the kernel table, so that nobody else can flush or delete it (kernel 6.9 or newer).',
      ),
      tunnelPorts: list(port, TUNNEL_PORTS, 'UDP ports of tunnels; their outer packets are counted apart.'),
      table: option(tableName, 'meshtoll', 'Name of the kernel table.'),
      rotateInterval: time({ from: '1s', to: '7d' }, '24h', 'Sets are replaced at least this often so that dead pairs go.'),
    },
  },
  inventory: {
    about: 'Who is who where nothing else says so.',
    fields: {
      file: optional(path, { value: null, shown: 'none' }, 'Path of inventory.yaml, relative to the folder of this file.'),
    },
  },
  identity: {
    about: 'Who an address was at the time of its bytes.',
    fields: {
      patience: time({ from: '0s', to: '1h' }, '30s', 'How long bytes wait to be placed before they are posted as _unknown.'),
      skew: time({ from: '0s', to: '1m' }, '2s', "Around a change of owner, bytes within this time are nobody's for certain."),
      handover: time(
        { from: '1s', to: '10m' },
        '15s',
        'How long the agent of a new node waits before it posts what its pods send, so that all others have heard of it.',
      ),
    },
  },
  kubernetes: {
    about: 'The API server that says whose addresses are.',
    fields: {
      enabled: option(either(oneOf('auto'), boolean), 'auto', 'Ask an API server; auto asks in a pod, and where there is a kubeconfig.'),
      kubeconfig: optional(
        path,
        { value: null, shown: "the pod's service account" },
        'Path of a kubeconfig file, relative to the folder of this file.',
      ),
    },
    sections: {
      directory: {
        about: 'Who asks the API server for all agents. Without one each agent watches the whole cluster, which a small one can bear.',
        fields: {
          url: optional(url, { value: null, shown: 'none' }, 'URL of meshtoll directory.'),
          caFile: optional(path, { value: null, shown: 'none' }, "Path of the authority of the directory's certificate (PEM)."),
          insecure: option(boolean, 'false', "Take any certificate of the directory's; a token is sent to whoever has its address."),
          tokenFile: option(path, '/var/run/secrets/meshtoll/token', 'Path of a ServiceAccount token with the audience meshtoll.'),
        },
      },
    },
  },
  directory: {
    about: 'For meshtoll directory, which watches the API server for all agents.',
    fields: {
      agents: list(
        serviceAccount,
        ['meshtoll-agent'],
        'ServiceAccounts that may ask it; one without a namespace is in that of the directory itself.',
      ),
    },
  },
  kubelet: {
    about: "What this node's pods use, as its kubelet says.",
    fields: {
      enabled: option(either(oneOf('auto'), boolean), 'auto', 'Ask the kubelet; auto asks in a pod that may ask its API server.'),
      interval: time({ from: '1s', to: '10m' }, '15s', 'How often it is asked.'),
      url: optional(
        url,
        { value: null, shown: "port 10250 of the node's InternalIP" },
        'URL of the kubelet, without a path; NODE_IP in the environment is the InternalIP, else the Node says it.',
      ),
    },
    sections: {
      tls: {
        about: "The kubelet's certificate.",
        fields: {
          caFile: optional(path, { value: null, shown: "the cluster's authority" }, 'Path of the authority that signed it (PEM).'),
          insecureSkipVerify: option(boolean, 'false', "Take any certificate; a token is sent to whoever has the kubelet's address."),
        },
      },
    },
  },
  envoy: {
    about: "What this node's Istio proxies say of themselves. On Kubernetes they are found by themselves.",
    fields: {
      enabled: option(
        either(oneOf('auto'), boolean),
        'auto',
        'Ask proxies; auto asks where pods are followed, and where there are targets.',
      ),
      interval: time({ from: '1s', to: '10m' }, '15s', 'How often each is asked at port 15090.'),
      agentInterval: timeOrOff(
        { from: '1s', to: '1h' },
        '60s',
        'How often its pilot-agent is asked at port 15020, which then asks the application as well; off: never.',
      ),
      admin: option(
        oneOf('off', 'netns'),
        'off',
        "Ask Envoy at its admin port which hosts it lists, as often as its pilot-agent (60s where that is off); netns: in the network namespace of its pod, which takes CAP_SYS_ADMIN, CAP_SYS_PTRACE and the host's /proc.",
      ),
      accessLog: option(
        oneOf('auto', 'off'),
        'off',
        'Read their access logs, for requests that failed and where; auto reads those of pods in /var/log/pods, and those that targets name.',
      ),
    },
    lists: {
      targets: {
        about: 'Proxies that no API server tells of, each with the labels of its owner.',
        key: 'url',
        fields: {
          url: targetUrl('URL of its statistics.', 'http://10.1.0.10:15090/stats/prometheus'),
          agentUrl: targetUrl(
            'URL of the metrics of its pilot-agent, where that is to be asked.',
            'http://10.1.0.10:15020/stats/prometheus',
          ),
          accessLog: optional(path, { value: '', shown: 'none' }, 'Path of its access log, where that is on this machine.'),
          ...TARGET_FIELDS,
        },
      },
    },
  },
  istiod: ISTIOD,
  ztunnel: ZTUNNEL,
  series: {
    about: 'How much detail is served.',
    fields: {
      limit: option(
        wholeNumber(1, 1_000_000),
        '10000',
        'Flow series at most, and Services with endpoints that change; further ones are folded into _other.',
      ),
      causes: option(
        wholeNumber(1, 10_000),
        '100',
        'Resources at most that are named as causes of pushes, Services whose endpoints change, and namespaces of proxies that are sent to: of each those with most; further ones are folded into _other.',
      ),
      idle: time(
        { from: '1s', to: '30d' },
        '1h',
        'A flow series without new bytes for this long is withdrawn, as is a Service that is gone.',
      ),
      zeroFirst: time(
        { from: '0s', to: '1h' },
        '0s',
        'A new series of a counter is served at 0 for this long, so that rate() sees what it begins with; zones are there from the start.',
      ),
      created: option(
        boolean,
        'false',
        'Serve when each series began, as _created of OpenMetrics; for a Prometheus with created-timestamp-zero-ingestion alone, as any other keeps each of these as a series.',
      ),
    },
  },
  datadog: DATADOG,
  price: {
    about: 'What a byte costs, in dollars per 10^9 bytes.',
    fields: {
      provider: option(oneOf('aws', 'gcp', 'azure', 'none'), 'aws', 'Whose prices these are; none serves no prices.'),
      crossZonePerGB: option(decimal(0, 1000), '0.01', 'Between zones of one region, for each side that pays.'),
      crossZoneSides: option(
        wholeNumber(1, 2),
        '2',
        'Sides that pay for a byte between zones; with gcp never more than one, with azure none.',
      ),
      crossRegionPerGB: option(decimal(0, 1000), '0.02', 'Between regions.'),
      toExternalPerGB: option(decimal(0, 1000), '0.09', 'To the internet.'),
      fromExternalPerGB: option(decimal(0, 1000), '0', 'From the internet.'),
    },
  },
} as const satisfies Readonly<Record<string, Section>>

type ListsOf<Lists extends Readonly<Record<string, List>>> = {
  readonly [Name in keyof Lists]: readonly ValuesOf<Lists[Name]['fields']>[]
}

type SectionValues<One extends Section> = ValuesOf<One['fields']> &
  (One extends { readonly lists: infer Lists extends Readonly<Record<string, List>> } ? ListsOf<Lists> : unknown) &
  (One extends { readonly sections: infer Inner extends Readonly<Record<string, Section>> }
    ? { readonly [Name in keyof Inner]: SectionValues<Inner[Name]> }
    : unknown)

export type Config = { readonly [Name in keyof typeof OPTIONS]: SectionValues<(typeof OPTIONS)[Name]> }

/** `flows`, `flows.enabled`, ... */
export function optionPaths(): string[] {
  return allSections().flatMap(([name, { fields, lists = {} }]) => [
    name,
    ...[...Object.keys(fields), ...Object.keys(lists)].map((field) => `${name}.${field}`),
  ])
}

/** By their paths, those within others behind them. */
export function allSections(
  sections: Readonly<Record<string, Section>> = OPTIONS,
  prefix = '',
): (readonly [path: string, section: Section])[] {
  return Object.entries(sections).flatMap(([name, section]) => [
    [`${prefix}${name}`, section] as const,
    ...allSections(section.sections ?? {}, `${prefix}${name}.`),
  ])
}
