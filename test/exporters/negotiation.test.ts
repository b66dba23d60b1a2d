import t from 'tap'
import { offerOf, wantsGzip } from '../../src/exporters/negotiation.js'

const TEXT = 'text/plain; version=0.0.4; charset=utf-8'
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1'

t.test('the format by Accept', async (t) => {
  const cases = [
    { name: 'no header', accept: undefined, contentType: TEXT },
    { name: 'an empty header', accept: '', contentType: TEXT },
    { name: 'curl', accept: '*/*', contentType: TEXT },
    { name: 'a browser', accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', contentType: TEXT },
    { name: 'Prometheus 3', accept: PROMETHEUS_3, contentType: OPENMETRICS },
    {
      name: 'Prometheus 2.42',
      accept:
        'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      contentType: OPENMETRICS,
    },
    {
      name: 'Prometheus that would like protobuf most',
      accept: `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,${PROMETHEUS_3}`,
      contentType: OPENMETRICS,
    },
    {
      name: 'text before OpenMetrics',
      accept: 'application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.7',
      contentType: TEXT,
    },
    { name: 'equals, the first named', accept: 'text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0', contentType: TEXT },
    { name: 'OpenMetrics without a version', accept: 'application/openmetrics-text', contentType: OPENMETRICS },
    {
      name: 'only the draft of OpenMetrics',
      accept: 'application/openmetrics-text; version=0.0.1',
      contentType: 'application/openmetrics-text; version=0.0.1; charset=utf-8',
    },
    { name: 'only an OpenMetrics that does not exist', accept: 'application/openmetrics-text;version=9.0.0', contentType: TEXT },
    { name: 'OpenMetrics refused', accept: 'application/openmetrics-text;version=1.0.0;q=0,*/*', contentType: TEXT },
    { name: 'capitals, blanks and quotes', accept: ' Application/OpenMetrics-Text ; Version="1.0.0" ; Q=1.0 ', contentType: OPENMETRICS },
    { name: 'a weight that is no number', accept: 'application/openmetrics-text;q=high,text/plain', contentType: TEXT },
    { name: 'only JSON', accept: 'application/json', contentType: TEXT },
  ]
  for (const { name, accept, contentType } of cases) t.equal(offerOf(accept).contentType, contentType, name)
  t.equal(offerOf(PROMETHEUS_3).format, 'openmetrics', 'the format goes with the content type')
  t.equal(offerOf(undefined).format, 'text', 'the format goes with the content type')
})

t.test('compression by Accept-Encoding', async (t) => {
  const cases = [
    { name: 'no header', encodings: undefined, gzip: false },
    { name: 'Prometheus', encodings: 'gzip', gzip: true },
    { name: 'a browser', encodings: 'gzip, deflate, br, zstd', gzip: true },
    { name: 'only brotli', encodings: 'br', gzip: false },
    { name: 'gzip refused', encodings: 'gzip;q=0', gzip: false },
    { name: 'anything', encodings: '*', gzip: true },
    { name: 'rather not', encodings: 'gzip;q=0.5, identity', gzip: false },
    { name: 'rather', encodings: 'identity;q=0.5, gzip;q=0.8', gzip: true },
  ]
  for (const { name, encodings, gzip } of cases) t.equal(wantsGzip(encodings), gzip, name)
})
