import type { CallbackAnswered } from "../runs/runs.ts";
import type { Exchange } from "./exchange.ts";

/** A person follows the address of a callback: what completes it is a button, since a GET never does. Plain forms, no script. */
export function callbackPage(exchange: Exchange): void {
  const here = new URL(exchange.request.url ?? "/", "http://here").pathname;
  const action = here.split("/").at(-1) ?? "";
  send(
    exchange,
    200,
    `<h1>Please confirm</h1><p>Somebody waits for your answer.</p>
<form method="post"><input type="hidden" name="confirmed" value="true"><button class="yes">Confirm</button></form>
<form method="post" action="${action}/fail"><input type="hidden" name="message" value="declined"><button>Decline</button></form>`,
  );
}

const WORDS: Readonly<Record<CallbackAnswered, readonly [number, string]>> = {
  taken: [200, "Thank you. Your answer has been taken down."],
  repeated: [200, "Thank you. Your answer has been taken down."],
  late: [409, "This was answered before."],
  over: [410, "Nobody waits for this answer any more."],
  unknown: [404, "There is nothing to confirm here."],
};

export function donePage(exchange: Exchange, end: CallbackAnswered): void {
  const [status, words] = WORDS[end];
  send(exchange, status, `<h1>${words}</h1>`);
}

/** The address is a key: it is neither cached, nor indexed, nor told to others as a referrer. */
const HEADERS = [
  "content-type",
  "text/html; charset=utf-8",
  "cache-control",
  "no-store",
  "referrer-policy",
  "no-referrer",
  "x-robots-tag",
  "noindex",
  "x-content-type-options",
  "nosniff",
  "content-security-policy",
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
];

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:18vh auto;padding:0 1.5rem;color:#1c2430}
h1{font-size:1.4rem}form{display:inline-block;margin:1rem .75rem 0 0}
button{font:inherit;padding:.5rem 1.25rem;border:1px solid #b8c1cc;border-radius:.4rem;background:#fff;color:inherit;cursor:pointer}
button.yes{background:#1d5fbf;border-color:#1d5fbf;color:#fff}`;

function send(exchange: Exchange, status: number, main: string): void {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Confirm</title><style>${STYLE}</style><main>${main}</main></html>`;
  exchange.sendBytes({ status, statusText: "", headers: HEADERS }, Buffer.from(page));
}
