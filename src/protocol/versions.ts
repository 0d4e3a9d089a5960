/** The versions of the frames that this code speaks (F4). */
export const SPOKEN_VERSIONS: readonly number[] = [1];

/** The newest version that both sides speak, or null. What is offered comes out of a sandbox and may be anything. */
export function pickVersion(offered: unknown, spoken: readonly number[] = SPOKEN_VERSIONS): number | null {
  if (!Array.isArray(offered)) return null;
  const common = spoken.filter((version) => offered.includes(version));
  return common.length === 0 ? null : Math.max(...common);
}
