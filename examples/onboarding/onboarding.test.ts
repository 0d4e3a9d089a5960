import { type TestApp, type TestRun, testApp } from "millrace/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Account } from "./account.ts";
import type { Mail } from "./outbox.ts";

/** One app for all tests, one address each. The clock goes on from test to test. */
let app: TestApp;

beforeAll(async () => {
  app = await testApp(new URL(".", import.meta.url));
});

afterAll(() => app.stop());

describe("who signs up", () => {
  it("and confirms at once is welcome, and is not reminded", async () => {
    const run = await signUp("ada@example.org");
    expect(await run.state()).toBe("waiting");
    expect(await account("ada@example.org")).toMatchObject({ state: "asked", run: run.id });

    await app.complete(await link("ada@example.org"), {});
    expect(await run.result()).toEqual({ email: "ada@example.org", answer: "confirmed" });
    expect(await account("ada@example.org")).toMatchObject({ state: "confirmed" });
    await app.advance("8d");
    expect(await subjects("ada@example.org")).toEqual(["Please confirm your address", "Welcome"]);
  });

  it("and confirms after the reminder is welcome too", async () => {
    const run = await signUp("bob@example.org");
    await app.advance("23h");
    expect(await subjects("bob@example.org")).toEqual(["Please confirm your address"]);
    await app.advance("1h");
    expect(await subjects("bob@example.org")).toEqual(["Please confirm your address", "Is this your address?"]);

    await app.advance("5d");
    await app.complete(await link("bob@example.org"), {});
    expect(await run.result()).toMatchObject({ answer: "confirmed" });
    expect(await subjects("bob@example.org")).toEqual(["Please confirm your address", "Is this your address?", "Welcome"]);
  });

  it("and never answers is forgotten after seven days, and may sign up again", async () => {
    const run = await signUp("eve@example.org");
    const asked = await link("eve@example.org");
    await app.advance("6d");
    expect(await run.state()).toBe("waiting");
    await app.advance("1d");
    expect(await run.result()).toEqual({ email: "eve@example.org", answer: "never" });

    expect(await account("eve@example.org")).toBeUndefined();
    expect(await subjects("eve@example.org")).toEqual(["Please confirm your address", "Is this your address?"]);
    await expect(app.complete(asked, {})).rejects.toThrow("410");
    expect((await signUp("eve@example.org")).id).not.toBe(run.id);
  });

  it("and declines is forgotten at once", async () => {
    const run = await signUp("mallory@example.org");
    await app.fail(await link("mallory@example.org"), "that was not me");
    expect(await run.result()).toMatchObject({ answer: "declined" });
    expect(await account("mallory@example.org")).toBeUndefined();
    expect(await subjects("mallory@example.org")).toEqual(["Please confirm your address"]);
  });

  it("and is cancelled by somebody is forgotten, and may sign up again", async () => {
    const run = await signUp("niaj@example.org");
    await run.cancel();
    await app.settled();
    expect(await run.state()).toBe("cancelled");
    expect(await account("niaj@example.org")).toBeUndefined();
    expect((await signUp("niaj@example.org")).id).not.toBe(run.id);
  });

  it("twice is asked once", async () => {
    const run = await signUp("joan@example.org");
    const again = await app.request("/signups", { method: "POST", body: JSON.stringify({ email: "joan@example.org" }) });
    expect(again.status).toBe(202);
    await app.settled();
    expect(await account("joan@example.org")).toEqual({ state: "asked", run: run.id });
    expect(await subjects("joan@example.org")).toHaveLength(1);
  });

  it("gets each mail once, whatever crashes on the way", async () => {
    for (const step of ["ask", "remind", "welcome"]) app.crashAfter("onboarding", step);
    const run = await signUp("grace@example.org");
    await app.settled();
    await app.advance("2d");
    await app.complete(await link("grace@example.org"), {});
    expect(await run.result()).toMatchObject({ answer: "confirmed" });
    expect(await subjects("grace@example.org")).toEqual(["Please confirm your address", "Is this your address?", "Welcome"]);
  });

  it("without an address is told so", async () => {
    for (const body of ["", "[]", '{"email":7}', '{"email":"nobody"}'])
      expect((await app.request("/signups", { method: "POST", body })).status).toBe(400);
  });
});

describe("the link in the mail", () => {
  it("may be looked at by a scanner of mails: only the button confirms", async () => {
    const run = await signUp("alan@example.org");
    const page = await fetch(await link("alan@example.org"), { headers: { accept: "text/html" } });
    expect(await page.text()).toContain("<button");
    expect(await run.state()).toBe("waiting");

    await fetch(await link("alan@example.org"), { method: "POST", body: new URLSearchParams(), headers: { accept: "text/html" } });
    expect(await run.result()).toMatchObject({ answer: "confirmed" });
  });
});

async function signUp(email: string): Promise<TestRun> {
  const response = await app.request("/signups", { method: "POST", body: JSON.stringify({ email }) });
  expect(response.status).toBe(202);
  await app.settled();
  const { run } = (await account(email)) ?? { run: "" };
  return app.run(run);
}

async function account(email: string): Promise<Account | undefined> {
  return app.kv.get<Account>(`account/${email}`);
}

async function mails(email: string): Promise<readonly Mail[]> {
  return (await (await app.request(`/mails/${email}`)).json()) as readonly Mail[];
}

async function subjects(email: string): Promise<readonly string[]> {
  return (await mails(email)).map(({ subject }) => subject);
}

/** The address that the last mail with one names. */
async function link(email: string): Promise<string> {
  const links = (await mails(email)).flatMap(({ text }) => /http:\S+/.exec(text)?.[0] ?? []);
  return links.at(-1) ?? "";
}
