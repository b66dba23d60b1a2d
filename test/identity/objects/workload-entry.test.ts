import t from 'tap'
import { type WorkloadEntryFacts, workloadEntryFactsOf } from '../../../src/identity/objects/workload-entry.js'
import { changed, fixture } from './fixture.js'

const VM = 'workload-entry'
const NAMED = { namespace: 'shop', name: 'stock-vm-1' }
const PLACE = { zone: 'us-east-1c', region: 'us-east-1' }

t.test('WorkloadEntries', async (t) => {
  const cases: { name: string; raw: unknown; facts: WorkloadEntryFacts | undefined }[] = [
    { name: 'a virtual machine', raw: fixture(VM), facts: { ...NAMED, endpoint: { address: '10.9.0.6', hostName: '', ...PLACE } } },
    {
      name: 'by its name',
      raw: changed(VM, { 'spec.address': 'vm1.corp.example', apiVersion: 'networking.istio.io/v1beta1' }),
      facts: { ...NAMED, endpoint: { address: '', hostName: 'vm1.corp.example', ...PLACE } },
    },
    {
      name: 'behind the gateway of another network',
      raw: changed(VM, { 'spec.address': undefined }),
      facts: { ...NAMED, endpoint: undefined },
    },
    { name: 'without a spec', raw: changed(VM, { spec: null }), facts: { ...NAMED, endpoint: undefined } },
    { name: 'another kind', raw: changed(VM, { kind: 'WorkloadGroup' }), facts: undefined },
    { name: 'without a name', raw: changed(VM, { 'metadata.name': undefined }), facts: undefined },
  ]
  for (const { name, raw, facts } of cases) t.strictSame(workloadEntryFactsOf(raw), facts, name)
})
