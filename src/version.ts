// Held equal to package.json by a test. `RELEASE_YEAR`: a clock that says less is wrong.
export const VERSION = '0.1.0'
export const RELEASE_YEAR = 2026
