import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gateways, type UnderTest } from "./testing-support/gateway-under-test.ts";
import { releaseOf } from "./testing-support/release.ts";

const start = gateways();
let app = "";

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "millrace-public-"));
  const open = join(app, "public");
  await mkdir(join(open, "docs"), { recursive: true });
  await mkdir(join(open, "empty"));
  await mkdir(join(open, ".well-known"));
  await mkdir(join(app, "public-not"));
  const files = {
    "public/index.html": "<h1>home</h1>",
    "public/docs/index.html": "<h1>docs</h1>",
    "public/a b.txt": "0123456789",
    "public/style.css": "body {}",
    "public/.env": "SECRET=1",
    "public/.well-known/security.txt": "Contact: x",
    "public/post": "a file beside a function",
    ".env": "SECRET=2",
    "public-not/x.txt": "SECRET=3",
  };
  for (const [path, text] of Object.entries(files)) await writeFile(join(app, path), text);
  await symlink(join(app, ".env"), join(open, "link.txt"));
  await symlink(join(open, ".env"), join(open, "hidden.txt"));
  await symlink(join(app, "public-not"), join(open, "folder"));
  await symlink(join(open, "style.css"), join(open, "inner.css"));
});

afterAll(() => rm(app, { recursive: true, force: true }));

function serve(): Promise<UnderTest> {
  return start({}, releaseOf({ "GET /fn/:x": "get", "GET /style.css": "styled", "POST /post": "post" }, app));
}

describe("the public folder", () => {
  it.each([
    ["/", "<h1>home</h1>", "text/html; charset=utf-8"],
    ["/index.html", "<h1>home</h1>", "text/html; charset=utf-8"],
    ["/docs/", "<h1>docs</h1>", "text/html; charset=utf-8"],
    ["/a%20b.txt", "0123456789", "text/plain; charset=utf-8"],
    ["/a%20b.txt?v=1", "0123456789", "text/plain; charset=utf-8"],
    ["/inner.css", "body {}", "text/css; charset=utf-8"],
    ["/.well-known/security.txt", "Contact: x", "text/plain; charset=utf-8"],
  ])("G7: %s", async (path, text, type) => {
    const { url } = await serve();
    const answer = await fetch(url + path);
    expect([answer.status, await answer.text(), answer.headers.get("content-type")]).toEqual([200, text, type]);
  });

  it("G7: functions come before files, by method", async () => {
    const { url } = await serve();
    expect(await (await fetch(`${url}/style.css`)).text()).toBe("hello");
    expect(await (await fetch(`${url}/post`)).text()).toBe("a file beside a function");
    expect(await (await fetch(`${url}/post`, { method: "POST" })).text()).toBe("hello");
  });

  it("G7: a folder's address gets its slash", async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}/docs?a=b`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([308, "/docs/?a=b"]);
    const double = await fetch(`${url}//docs`, { redirect: "manual" });
    expect(double.headers.get("location")).toBe("/docs/");
  });

  it("G7: conditions and ranges", async () => {
    const { url, raw } = await serve();
    const file = `${url}/a%20b.txt`;
    const first = await fetch(file);
    const etag = first.headers.get("etag") ?? "";
    const modified = first.headers.get("last-modified") ?? "";
    // Not by fetch: it tells caches on the way to stay out of it, as soon as there is a condition.
    const status = async (header: string): Promise<number> => {
      const client = raw();
      client.send("GET /a%20b.txt HTTP/1.1", "Host: a", header, "Connection: close", "", "");
      return Number((await client.end()).split(" ")[1]);
    };
    expect(await status(`If-None-Match: "x", ${etag}`)).toBe(304);
    expect(await status('If-None-Match: "x"')).toBe(200);
    expect(await status(`If-Modified-Since: ${modified}`)).toBe(304);
    expect(await status('If-Match: "x"')).toBe(412);
    const part = await fetch(file, { headers: { range: "bytes=2-4" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
    const beyond = await fetch(file, { headers: { range: "bytes=20-" } });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  });

  it("G7: HEAD, OPTIONS and other methods of a file", async () => {
    const { url } = await serve();
    const head = await fetch(`${url}/a%20b.txt`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
    const options = await fetch(`${url}/a%20b.txt`, { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    const put = await fetch(`${url}/a%20b.txt`, { method: "PUT" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });

  it.each([
    ["/.env"],
    ["/link.txt"],
    ["/hidden.txt"],
    ["/folder/x.txt"],
    ["/empty/"],
    ["/empty"],
    ["/index.html/"],
    ["/..%2f.env"],
    ["/docs%2findex.html"],
    ["/docs%5cindex.html"],
    ["/%2e%2e%2f.env"],
    ["/a%00.txt"],
    [`/${"x".repeat(3000)}`],
    ["/nothing.txt"],
  ])("G8: %s is 404", async (path) => {
    const { raw } = await serve();
    const client = raw();
    client.send(`GET ${path} HTTP/1.1`, "Host: a", "Connection: close", "", "");
    const answer = await client.end();
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).not.toContain("SECRET");
  });

  it.each(["/../.env", "/docs/../../.env", "/%2e%2e/.env"])("G8: %s is 400", async (path) => {
    const { raw } = await serve();
    const client = raw();
    client.send(`GET ${path} HTTP/1.1`, "Host: a", "Connection: close", "", "");
    expect(await client.end()).toMatch(/^HTTP\/1\.1 400 /);
  });
});
