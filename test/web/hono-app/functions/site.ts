import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE, streamText } from "hono/streaming";
import { timing } from "hono/timing";
import { validator } from "hono/validator";
import { type Context, fn, http } from "millrace";

const app = new Hono<{ Bindings: Context; Variables: { trail: string[] } }>();

app.use(async (c, next) => {
  c.set("trail", ["first"]);
  await next();
  c.header("x-trail", c.get("trail").join(","));
});
app.use("/guarded/*", basicAuth({ username: "ada", password: "lovelace" }), requestId());
app.use("/shared/*", cors({ origin: "http://elsewhere.example", allowMethods: ["PUT"], maxAge: 60 }), secureHeaders(), timing());
app.use("/packed/*", compress());
app.use("/tagged/*", etag());

app.get("/", (c) => c.text("root"));
app.get("/guarded/room", (c) => {
  c.get("trail").push("room");
  return c.json({ id: c.get("requestId") });
});
app.get("/shared/:thing", (c) => c.html(`<p>${c.req.param("thing")}</p>`));
app.get("/packed/text", (c) => c.text("again and again, ".repeat(1000)));
app.get("/tagged/text", (c) => c.text("the same as ever"));

const books = new Hono<{ Bindings: Context }>()
  .get("/:isbn{[0-9]+}", (c) => c.json({ isbn: c.req.param("isbn"), query: c.req.queries("tag") ?? [], agent: c.req.header("x-agent") }))
  .get("/:title", (c) => c.text(`title ${c.req.param("title")}`))
  .put("/:isbn", async (c) => {
    const before = await c.env.kv.get<number>("books");
    await c.env.kv.set("books", (before ?? 0) + 1);
    await c.env.emit("book.kept", { isbn: c.req.param("isbn") });
    return c.json({ before: before ?? 0, invocation: c.env.id }, 201, { location: "/books" });
  });
app.route("/books", books);

app.post(
  "/checked",
  validator("json", (value: { age?: unknown }, c) =>
    typeof value.age === "number" ? { age: value.age } : c.json({ fault: "age is no number" }, 422),
  ),
  (c) => c.json({ next: c.req.valid("json").age + 1 }),
);
app.post("/form", async (c) => {
  const body = await c.req.parseBody({ all: true });
  const file = body["file"];
  return c.json({ ...body, file: file instanceof File ? { name: file.name, type: file.type, text: await file.text() } : (file ?? null) });
});
app.post("/twice", async (c) => {
  const copy = c.req.raw.clone();
  const [text, bytes] = [await c.req.text(), await copy.arrayBuffer()];
  return c.json({ text, size: bytes.byteLength, blob: (await c.req.blob()).size });
});
app.post("/small", bodyLimit({ maxSize: 10 }), async (c) => c.text(await c.req.text()));
app.post("/echo", (c) => new Response(c.req.raw.body, { headers: { "content-type": "application/octet-stream" } }));

app.get("/cookies", async (c) => {
  setCookie(c, "plain", "1", { path: "/", httpOnly: true });
  await setSignedCookie(c, "signed", "two", "secret");
  deleteCookie(c, "old");
  const signed = await getSignedCookie(c, "secret");
  return c.json({ plain: getCookie(c, "plain") ?? null, signed: signed["signed"] ?? null });
});

app.get("/pieces", (c) =>
  stream(c, async (out) => {
    await out.write(new Uint8Array([1, 2]));
    await out.pipe(new Blob(["rest"]).stream());
  }),
);
app.get("/lines", (c) =>
  streamText(c, async (out) => {
    for (const line of ["one", "two"]) await out.writeln(line);
  }),
);
/** Each event waits until the client has asked for it by another request: a test then knows that they come one by one. */
const asked = new Map<string, () => void>();
app.get("/events/:id", (c) =>
  streamSSE(c, async (out) => {
    const id = c.req.param("id");
    out.onAbort(() => c.env.log.info("the reader of", id, "has left"));
    for (let n = 0; !out.aborted; n++) {
      const next = new Promise<void>((resolve) => asked.set(id, resolve));
      await out.writeSSE({ event: "tick", id: String(n), data: JSON.stringify({ n }) });
      await next;
    }
  }),
);
app.post("/events/:id", (c) => {
  asked.get(c.req.param("id"))?.();
  return c.body(null, 204);
});

app.get("/moved", (c) => c.redirect("/books/7", 301));
app.get("/unchanged", (c) => c.body(null, 304));
app.get("/forbidden", () => {
  throw new HTTPException(403, { message: "not for you" });
});
app.get("/broken", () => {
  throw new Error("out of order");
});
app.notFound((c) => c.text(`no ${c.req.path}`, 404));
app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.json({ error: error.message }, 500)));

// One instance: a request can meet the stream of another.
export const site = fn({ on: http.any("/*"), concurrency: 32, instances: { max: 1 } }, app.fetch);
