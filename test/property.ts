// Properties: fast-check, with the same cases in each run where CI=true, so that a change is judged by what it changes. By hand each run tries others.
import fc from 'fast-check'

fc.configureGlobal(process.env.CI ? { seed: 1 } : {})

/** `FAST_CHECK_RUNS` tries more. */
export const runs = (usually: number): number => Number(process.env.FAST_CHECK_RUNS ?? usually)

export { fc }
