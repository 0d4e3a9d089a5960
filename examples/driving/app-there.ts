/** Whether the app is served there; if not, says how to have it. */
export async function isAppThere(url: string, app: string): Promise<boolean> {
  const there = await fetch(url).then(
    async (response) => (await response.arrayBuffer(), true),
    () => false,
  );
  if (!there) console.error(`Nothing answers at ${url}. Start the app there (millrace start ${app}), or add --start.`);
  return there;
}
