/** What is needed to reach the API server is missing or malformed. One line that says what to do about it. */
export class AccessError extends Error {
  override readonly name = 'AccessError'
}
