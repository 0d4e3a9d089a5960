import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { type TestApp, testApp } from "millrace/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sign } from "./signature.ts";

const require = createRequire(import.meta.url);
const secret = parseEnv(readFileSync(new URL(".env", import.meta.url), "utf8"))["GITHUB_WEBHOOK_SECRET"] ?? "";

/** As much of GitHub's payloads as the plain counting below looks at. */
interface Payload {
  readonly action?: string;
  readonly ref?: string;
  readonly deleted?: boolean;
  readonly state?: string;
  readonly release?: { readonly draft: boolean; readonly prerelease: boolean };
  readonly check_run?: { readonly conclusion: string | null };
  readonly check_suite?: { readonly conclusion: string | null };
  readonly workflow_run?: { readonly conclusion: string | null };
}

interface Delivery {
  readonly id: string;
  readonly name: string;
  readonly payload: Payload;
}

let app: TestApp;

beforeEach(async () => {
  app = await testApp(new URL(".", import.meta.url));
});

afterEach(() => app.stop());

describe("every real payload of @octokit/webhooks-examples", () => {
  it("wakes exactly the functions that it should", async () => {
    const deliveries = realDeliveries();
    expect(deliveries.length).toBeGreaterThan(700);
    await postAll(deliveries);

    const expected = countByHand(deliveries);
    expect(Object.keys(expected).sort()).toEqual(["everything", "failingChecks", "protectedPushes", "pullRequests", "releases"]);
    expect(await counts()).toEqual(expected);
    await expectOneNoticeEach(expected);
    expect(await app.dead()).toEqual([]);
  });

  it("and their variants, in which everything that decides is turned over", async () => {
    const deliveries = realDeliveries().flatMap(variantsOf);
    await postAll(deliveries);

    const expected = countByHand(deliveries);
    for (const count of Object.values(expected)) expect(count).toBeGreaterThanOrEqual(10);
    expect(await counts()).toEqual(expected);
    await expectOneNoticeEach(expected);
    expect(await app.dead()).toEqual([]);
  });

  it("become events named for what happened", async () => {
    const opened = realDeliveries().find(({ name, payload }) => name === "pull_request" && payload.action === "opened");
    if (opened === undefined) throw new Error("the package has no opened pull request");
    const response = await post(opened);
    expect(response.status).toBe(202);
    await app.settled();

    const [event] = await app.emitted("github.*");
    expect(event).toMatchObject({ id: opened.id, type: "github.pull_request.opened", source: "https://github.com", data: opened.payload });
    expect(event?.subject).toBe("Codertocat/Hello-World");
    const notices: unknown = await (await app.request("/notices/pullRequests")).json();
    expect(notices).toEqual([expect.stringMatching(/^Codertocat\/Hello-World#\d+ opened by Codertocat: /)]);
  });
});

describe("the door", () => {
  const ping: Delivery = { id: "delivery-1", name: "ping", payload: {} };

  it("refuses a wrong, a malformed and a missing signature, and wakes nobody", async () => {
    for (const signature of [sign("another secret", bodyOf(ping)), "sha256=", "sha1=0123", null]) {
      expect((await post(ping, { signature })).status).toBe(401);
    }
    await app.settled();
    expect(await app.emitted("github.*")).toEqual([]);
  });

  it("refuses a body that was changed on its way", async () => {
    const signature = sign(secret, bodyOf(ping));
    expect((await post({ ...ping, payload: { action: "deleted" } }, { signature })).status).toBe(401);
  });

  it("lets a repeated delivery in once", async () => {
    expect((await post(ping)).status).toBe(202);
    const again = await post(ping);
    expect(again.status).toBe(200);
    expect(await again.json()).toEqual({ accepted: ping.id, repeated: true });
    await app.settled();
    expect(await counts()).toEqual({ everything: 1 });
  });

  it("lets one of many simultaneous repetitions in", async () => {
    const responses = await Promise.all(Array.from({ length: 5 }, () => post(ping)));
    expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 202]);
    await app.settled();
    expect(await counts()).toEqual({ everything: 1 });
  });

  it("wants an id and a name", async () => {
    const body = bodyOf(ping);
    const headers = { "x-hub-signature-256": sign(secret, body) };
    expect((await app.request("/github", { method: "POST", body, headers })).status).toBe(400);
  });

  it("refuses what is no JSON object", async () => {
    for (const text of ["payload=%7B%7D", "[]", "null", ""]) {
      const body = Buffer.from(text);
      expect((await app.request("/github", { method: "POST", body, headers: headersOf(ping, sign(secret, body)) })).status).toBe(400);
    }
  });

  it("takes a large payload", async () => {
    const large = { ...ping, payload: { action: "x".repeat(20), ref: "x".repeat(700 * 1024) } };
    expect((await post(large)).status).toBe(202);
    await app.settled();
    expect(await counts()).toEqual({ everything: 1 });
  });
});

/** All payloads of all editions of GitHub that the package has: api.github.com and the enterprise servers. */
function realDeliveries(): Delivery[] {
  const root = dirname(require.resolve("@octokit/webhooks-examples/package.json"));
  const editions = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return editions.flatMap((edition) => {
    const text = readFileSync(join(root, edition.name, "index.json"), "utf8");
    const kinds = JSON.parse(text) as readonly { readonly name: string; readonly examples: readonly Payload[] }[];
    return kinds.flatMap(({ name, examples }) => examples.map((payload, i) => ({ id: `${edition.name}-${name}-${i}`, name, payload })));
  });
}

const CONCLUSIONS = [
  "success",
  "failure",
  "neutral",
  "cancelled",
  "skipped",
  "timed_out",
  "action_required",
  "startup_failure",
  "stale",
  null,
];
const REFS = [
  "refs/heads/main",
  "refs/heads/master",
  "refs/heads/release/2.0",
  "refs/heads/release",
  "refs/heads/mainline",
  "refs/tags/main",
];
const STATES = ["success", "pending", "failure", "error"];

/** The package has few failing checks and few pushes to main: the same payloads with every value that a pattern asks for. */
function variantsOf(delivery: Delivery): Delivery[] {
  return changesOf(delivery.name).map((change, i) => {
    const payload = Object.assign({}, ...Object.entries(delivery.payload).map(([field, value]) => changed(field, value, change)));
    return { id: `${delivery.id}-${i}`, name: delivery.name, payload: payload as Payload };
  });
}

function changed(field: string, value: unknown, change: object): object {
  const other: unknown = new Map(Object.entries(change)).get(field);
  if (other === undefined) return { [field]: value };
  return { [field]: typeof other === "object" ? Object.assign({}, value, other) : other };
}

function changesOf(name: string): readonly object[] {
  const either = [true, false];
  switch (name) {
    case "push":
      return REFS.flatMap((ref) => either.map((deleted) => ({ ref, deleted })));
    case "status":
      return STATES.map((state) => ({ state }));
    case "check_run":
    case "check_suite":
    case "workflow_run":
      return CONCLUSIONS.map((conclusion) => ({ [name]: { conclusion } }));
    case "release":
      return either.flatMap((draft) => either.map((prerelease) => ({ release: { draft, prerelease } })));
    case "pull_request":
      return [{}];
    default:
      return [];
  }
}

type Counts = Readonly<Record<string, number>>;

/** What the patterns should come to, by plain code. */
function countByHand(deliveries: readonly Delivery[]): Counts {
  const rules: Readonly<Record<string, (delivery: Delivery) => boolean>> = {
    everything: () => true,
    pullRequests: ({ name, payload: { action } }) =>
      name === "pull_request" && (action === "opened" || action === "synchronize" || action === "reopened"),
    releases: ({ name, payload: { action, release } }) =>
      name === "release" && action === "published" && release?.draft === false && !release.prerelease,
    failingChecks: ({ name, payload }) => isFailing(name, payload),
    protectedPushes: ({ name, payload: { ref = "", deleted } }) =>
      name === "push" && deleted === false && /^refs\/heads\/(main|master|release\/.*)$/.test(ref),
  };
  const counted = Object.entries(rules).map(([fn, rule]) => [fn, deliveries.filter(rule).length] as const);
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}

function isFailing(name: string, { state, check_run, check_suite, workflow_run }: Payload): boolean {
  if (name === "status") return state !== "success" && state !== "pending";
  const checks: Readonly<Record<string, Payload["check_run"]>> = { check_run, check_suite, workflow_run };
  const conclusion = checks[name]?.conclusion ?? "none";
  return ["failure", "timed_out", "action_required", "startup_failure"].includes(conclusion);
}

async function counts(): Promise<Counts> {
  return (await (await app.request("/counts")).json()) as Counts;
}

/** A counter could be right by two mistakes: the marks, one for each event, cannot. */
async function expectOneNoticeEach(expected: Counts): Promise<void> {
  for (const [fn, count] of Object.entries(expected)) {
    const notices = await app.kv.list({ prefix: `notice/${fn}/`, limit: 5_000 });
    expect({ fn, notices: notices.length }).toEqual({ fn, notices: count });
    for (const { value } of notices) expect(value).not.toMatch(/undefined|\[object/);
  }
}

async function postAll(deliveries: readonly Delivery[]): Promise<void> {
  const queue = deliveries.values();
  const sender = async (): Promise<void> => {
    for (const delivery of queue)
      expect({ id: delivery.id, status: (await post(delivery)).status }).toEqual({ id: delivery.id, status: 202 });
  };
  await Promise.all(Array.from({ length: 8 }, sender));
  await app.settled();
}

function post(delivery: Delivery, { signature }: { signature?: string | null } = {}): Promise<Response> {
  const body = bodyOf(delivery);
  return app.request("/github", {
    method: "POST",
    body,
    headers: headersOf(delivery, signature === undefined ? sign(secret, body) : signature),
  });
}

function headersOf({ id, name }: Delivery, signature: string | null): Record<string, string> {
  return {
    "content-type": "application/json",
    "x-github-delivery": id,
    "x-github-event": name,
    ...(signature === null ? {} : { "x-hub-signature-256": signature }),
  };
}

function bodyOf({ payload }: Delivery): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(JSON.stringify(payload)));
}
