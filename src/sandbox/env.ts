/** From here on `process.env` holds the app's variables and nothing of the node's, but where the instance may write. */
export function replaceEnv(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const name of Object.keys(process.env)) if (name !== "TMPDIR") Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variables);
  return Object.freeze({ ...variables });
}
