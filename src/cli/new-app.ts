/** The files of a new app, by their path. */
export function newApp(name: string, version: string): Readonly<Record<string, string>> {
  return {
    "functions/hello.ts": HELLO,
    "test/hello.test.ts": TEST,
    "package.json": `${JSON.stringify(packageJson(name, version), null, 2)}\n`,
    "tsconfig.json": `${JSON.stringify(TSCONFIG, null, 2)}\n`,
    "README.md": readme(name),
    ".gitignore": "node_modules\n.millrace\n.env.local\n",
  };
}

const HELLO = `import { event, fn, http } from "millrace";

interface Greeting {
  name: string;
}

const greeted = event<Greeting>("person.greeted");

// Woken by HTTP. The event is written down when this function has returned, or not at all if it throws.
export const hello = fn({ on: http.post("/hello") }, async (request, ctx) => {
  const { name } = (await request.json()) as Greeting;
  if (!name) return Response.json({ error: "Who are you?" }, { status: 400 });
  await ctx.emit(greeted, { name }, { key: name });
  return Response.json({ hello: name }, { status: 202 });
});

// Woken by the event: retried when it throws, one at a time for each name, and never counted twice.
export const count = fn({ on: greeted, key: "data.name" }, async (e, ctx) => {
  const times = ((await ctx.kv.get<number>(\`greeted/\${e.data.name}\`)) ?? 0) + 1;
  await ctx.kv.set(\`greeted/\${e.data.name}\`, times);
  ctx.log.info(\`greeted \${e.data.name}, time \${times}\`);
});
`;

const TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { testApp } from "millrace/testing";

test("a greeting is counted", async () => {
  await using app = await testApp(".");
  const response = await app.request("/hello", { method: "POST", body: JSON.stringify({ name: "Ada" }) });
  assert.equal(response.status, 202);
  await app.settled();
  assert.equal(await app.kv.get("greeted/Ada"), 1);
  assert.equal((await app.emitted("person.greeted")).length, 1);
});

test("who has no name is not greeted", async () => {
  await using app = await testApp(".");
  const response = await app.request("/hello", { method: "POST", body: "{}" });
  assert.equal(response.status, 400);
  assert.deepEqual(await app.emitted("person.greeted"), []);
});
`;

const TSCONFIG = {
  compilerOptions: {
    target: "es2024",
    types: ["node"],
    lib: ["es2024", "esnext.disposable", "dom", "dom.iterable"],
    module: "nodenext",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    allowImportingTsExtensions: true,
  },
  include: ["functions", "test"],
};

function packageJson(name: string, version: string): object {
  return {
    name: packageName(name),
    private: true,
    type: "module",
    scripts: { dev: "millrace dev", start: "millrace start", test: "node --test" },
    dependencies: { millrace: `^${version}` },
    devDependencies: { "@types/node": "^26" },
  };
}

function packageName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return plain === "" ? "app" : plain;
}

function readme(name: string): string {
  return `# ${name}

A [Millrace](https://www.npmjs.com/package/millrace) app: every function that a file in \`functions/\` exports is served.

\`\`\`
millrace dev                                    # serve, and reload what changes
curl -d '{"name":"Ada"}' localhost:4800/hello   # POST /hello wakes the function "hello"
millrace events                                 # the event it emitted, and what became of it
millrace logs -f                                # what the functions say
millrace invoke count '{"name":"Ada"}'          # call one function alone
\`\`\`

\`npm install\` brings the types to your editor; \`npm test\` runs the test. The node needs neither.
`;
}
