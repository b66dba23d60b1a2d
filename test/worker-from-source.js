// The worker as it is in src/: a thread does not inherit what runs TypeScript here.
import { register } from 'tsx/esm/api'

register()
await import('../src/inventory-worker.js')
