import type { Audit } from "./audit.ts";

export interface Speed {
  readonly orders: number;
  readonly acceptedMs: number;
  readonly settledMs: number;
  readonly ordersPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function speedOf(latenciesMs: readonly number[], acceptedMs: number, settledMs: number): Speed {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const quantile = (q: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0);
  return {
    orders: sorted.length,
    acceptedMs: Math.round(acceptedMs),
    settledMs: Math.round(settledMs),
    ordersPerSecond: Math.round((sorted.length * 1_000) / acceptedMs),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

export function asJson(speed: Speed, audit: Audit): string {
  const { sold, rejected, mails, differences } = audit;
  return JSON.stringify({ ...speed, sold: Object.fromEntries(sold), rejected: Object.fromEntries(rejected), mails, differences }, null, 2);
}

export function asTable(speed: Speed, audit: Audit): string {
  const rows: readonly (readonly [string, string])[] = [
    ["orders accepted", String(speed.orders)],
    ...rowsOf("sold", audit.sold),
    ...rowsOf("rejected", audit.rejected),
    ["mails sent", String(audit.mails)],
    ["all accepted after", seconds(speed.acceptedMs)],
    ["all settled after", seconds(speed.settledMs)],
    ["orders per second", String(speed.ordersPerSecond)],
    ["POST /orders, p50", `${speed.p50Ms} ms`],
    ["POST /orders, p99", `${speed.p99Ms} ms`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const valueWidth = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value.padStart(valueWidth)}`).join("\n");
}

function rowsOf(word: string, counts: ReadonlyMap<string, number>): (readonly [string, string])[] {
  return [...counts].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, count]) => [`${word}: ${name}`, String(count)] as const);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
