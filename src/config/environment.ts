// ${NAME} in a value stands for the environment's variable NAME; $$ stands for a dollar sign; any other $ for itself.

export type Environment = Readonly<Record<string, string | undefined>>

export type Filled = { readonly text: string } | { readonly mistake: string }

const REFERENCE = /\$\$|\$\{([^}]*)(\}?)/g
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export function fillIn(text: string, environment: Environment): Filled {
  let mistake: string | undefined
  const filled = text.replaceAll(REFERENCE, (found, name: string | undefined, end: string | undefined) => {
    if (name === undefined) return '$'
    const value = end === '' || !NAME.test(name) || !Object.hasOwn(environment, name) ? undefined : environment[name]
    if (value === undefined) mistake ??= mistakeOf(found, name, end !== '')
    return value ?? ''
  })
  return mistake === undefined ? { text: filled } : { mistake }
}

function mistakeOf(found: string, name: string, closed: boolean): string {
  if (closed && NAME.test(name)) return `refers to ${found}, which is not set in the environment; set it, or write $${found} for the text`
  return `has ${found}, which names no variable; write \${NAME}, or $$ for a dollar sign`
}
