// A test file that starts itself again elsewhere: in a namespace, in a world.

/** `file` is the test's own; what was started may be what was compiled from it. The hooks in NODE_OPTIONS are the test runner's. */
export function itself(file: string): readonly string[] {
  return ['env', '-u', 'NODE_OPTIONS', process.execPath, ...process.execArgv, process.argv[1] ?? file]
}
