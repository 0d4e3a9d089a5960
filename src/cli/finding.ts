/** What the doctor found at one place. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warn" | "fail";
  readonly says: string;
  readonly cure: string | null;
}

export function ok(check: string, says: string): Finding {
  return { check, state: "ok", says, cure: null };
}

export function warn(check: string, says: string, cure: string): Finding {
  return { check, state: "warn", says, cure };
}

export function fail(check: string, says: string, cure: string): Finding {
  return { check, state: "fail", says, cure };
}
