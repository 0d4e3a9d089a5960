import type { DayReport } from "./buying-day.ts";

export function asTable(report: DayReport): string {
  const { cents, repeated } = report;
  const rows: readonly (readonly [string, string])[] = [
    ["orders", String(report.orders)],
    ["sold", String(report.sold)],
    ...Object.entries(report.givenUp).map(([reason, count]) => [`given up: ${reason}`, String(count)] as const),
    ["sold, by the customers", euros(cents.sold)],
    ["taken, by the payment service", euros(cents.taken)],
    ["booked, by kv", euros(cents.booked)],
    ["confirmed, by the mails", euros(cents.mailed)],
    ["requests that came again", String(repeated.requests)],
    ["mails that came again", String(repeated.mails)],
    ["kills", String(report.kills)],
    ["time", `${report.seconds} s`],
    ["orders per second", String(report.ordersPerSecond)],
    ["a checkout, p50", `${report.p50Ms} ms`],
    ["a checkout, p99", `${report.p99Ms} ms`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const valueWidth = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value.padStart(valueWidth)}`).join("\n");
}

function euros(cents: number): string {
  return `${(cents / 100).toFixed(2)} €`;
}
