const MB = 1024 * 1024;

/** Memory held for a time: what clouds charge for, in MB·s. */
export function costOf(ranMs: number, memoryBytes: number): number {
  return (ranMs / 1000) * (memoryBytes / MB);
}

export function formatCost(mbSeconds: number): string {
  if (mbSeconds === 0) return "0 MB·s";
  if (mbSeconds < 0.01) return "<0.01 MB·s";
  const text = mbSeconds >= 100 ? String(Math.round(mbSeconds)) : mbSeconds.toFixed(mbSeconds >= 10 ? 1 : 2);
  return `${text} MB·s`;
}
