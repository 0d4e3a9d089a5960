import { doomOf, STOCK } from "./app/fates.ts";

/**
 * What a node must hold after the load, however often it was killed. Pure: from what the senders know and what the node shows to a list of
 * faults, each one sentence. Every effect of the app's functions is a counter, so "exactly once" is "the number is 1".
 */

/** What is sent: an event to the events door, or an order to the function's own route. */
export interface Item {
  readonly id: string;
  readonly kind: "event" | "order";
  readonly account: string;
  readonly group: string;
  readonly sku: "flash" | null;
}

/** One request: kept whole or not at all. A sender that gave up does not know which. */
export interface Sent {
  readonly items: readonly Item[];
  readonly outcome: "acknowledged" | "given up";
  /** Of an order: the invocation that its answer names. */
  readonly answeredBy: string | null;
}

/** What the node shows. */
export interface Found {
  readonly kv: ReadonlyMap<string, unknown>;
  readonly dead: readonly { readonly fn: string; readonly id: string }[];
  /** The log of events, oldest first. `id` is the item's. */
  readonly log: readonly { readonly type: string; readonly id: string }[];
}

export interface Expected {
  readonly counts: ReadonlySet<string>;
  readonly dead: ReadonlySet<string>;
  /** The types of the events that stand in the log for this item. */
  readonly events: ReadonlySet<string>;
}

/** The effects of one item, apart from those that depend on others (ledgers, sales). */
export function effectsOf(item: Item): Expected {
  const { id } = item;
  if (item.kind === "order") {
    return {
      counts: new Set([`count/order/${id}`, `count/tally/load.order/${id}`]),
      dead: new Set(),
      events: new Set([`load.order/${id}`]),
    };
  }
  const counts = ["tally/load.event", "tally/load.child", "tally/load.late", "parent", "flaky", "afterFlaky"].map(
    (fn) => `count/${fn}/${id}`,
  );
  if (item.group === "a" || item.group === "b") counts.push(`count/chosen/${id}`);
  const isDoomed = doomOf(id) !== "none";
  counts.push(isDoomed ? `count/mourner/doomed/${id}` : `count/doomed/${id}`);
  const events = ["load.event", "load.child", "load.late", "flaky.done"].map((type) => `${type}/${id}`);
  return { counts: new Set(counts), dead: new Set(isDoomed ? [`doomed/${id}`] : []), events: new Set(events) };
}

export function faultsIn(sent: readonly Sent[], found: Found): string[] {
  const kept = sent.filter((request) => request.outcome === "acknowledged" || isKept(request, found));
  const items = kept.flatMap((request) => request.items);
  return [
    ...faultsOfCounts(items, found),
    ...faultsOfDead(items, found),
    ...faultsOfLog(items, found),
    ...faultsOfLedgers(items, found),
    ...faultsOfAnswers(kept, found),
    ...["sale", "grab"].flatMap((sale) => faultsOfSale(sale, items, found)),
  ];
}

/** Any trace of a request makes all of it due. */
function isKept({ items }: Sent, { log }: Found): boolean {
  const ids = new Set(items.map(({ id }) => id));
  return log.some(({ type, id }) => ids.has(id) && (type === "load.event" || type === "load.order"));
}

function faultsOfCounts(items: readonly Item[], { kv }: Found): string[] {
  const expected = new Set(items.flatMap((item) => [...effectsOf(item).counts]));
  const faults: string[] = [];
  for (const key of expected) {
    const found = kv.get(key);
    if (found === undefined) faults.push(`lost: ${key} was never counted`);
    else if (found !== 1) faults.push(`repeated: ${key} is ${JSON.stringify(found)}`);
  }
  for (const key of kv.keys()) if (key.startsWith("count/") && !expected.has(key)) faults.push(`from nowhere: ${key}`);
  return faults;
}

function faultsOfDead(items: readonly Item[], { dead }: Found): string[] {
  const expected = new Set(items.flatMap((item) => [...effectsOf(item).dead]));
  const seen = new Set<string>();
  const faults: string[] = [];
  for (const { fn, id } of dead) {
    const letter = `${fn}/${id}`;
    if (!expected.has(letter)) faults.push(`dead without need: ${letter}`);
    if (seen.has(letter)) faults.push(`dead twice: ${letter}`);
    seen.add(letter);
  }
  for (const letter of expected) if (!seen.has(letter)) faults.push(`should be dead: ${letter}`);
  return faults;
}

/** Each event stands in the log once, with all it led to. (The platform's own deaths are counted by the mourner.) */
function faultsOfLog(items: readonly Item[], { log }: Found): string[] {
  const times = new Map<string, number>();
  for (const { type, id } of log) if (!type.startsWith("millrace.")) times.set(`${type}/${id}`, (times.get(`${type}/${id}`) ?? 0) + 1);
  const expected = new Set(items.flatMap((item) => [...effectsOf(item).events]));
  const faults: string[] = [];
  for (const name of expected) if (!times.has(name)) faults.push(`lost: event ${name} is not in the log`);
  for (const [name, count] of times) {
    if (!expected.has(name)) faults.push(`from nowhere: event ${name}`);
    if (count > 1) faults.push(`repeated: event ${name} stands ${count} times in the log`);
  }
  return faults;
}

/** Every ledger holds its account's events, each once, in the order in which they committed. */
function faultsOfLedgers(items: readonly Item[], { kv, log }: Found): string[] {
  const accountOf = new Map(items.filter(({ kind }) => kind === "event").map(({ id, account }) => [id, account]));
  const expected = new Map<string, string[]>();
  for (const { type, id } of log) {
    const account = accountOf.get(id);
    if (type !== "load.event" || account === undefined) continue;
    const ids = expected.get(account);
    if (ids === undefined) expected.set(account, [id]);
    else ids.push(id);
  }
  const faults: string[] = [];
  for (const [account, ids] of expected) {
    const found = kv.get(`list/${account}`);
    const listed = Array.isArray(found) ? found.map(String) : [];
    const at = ids.findIndex((id, index) => listed[index] !== id);
    if (at >= 0) faults.push(`order: list/${account} has ${listed[at] ?? "nothing"} at ${at}, where ${ids[at]} committed`);
    else if (listed.length > ids.length) faults.push(`from nowhere: list/${account} goes on with ${listed[ids.length]}`);
  }
  return faults;
}

/** An order's answer is that of the one invocation that committed, however often it was asked for. */
function faultsOfAnswers(kept: readonly Sent[], { kv }: Found): string[] {
  return kept.flatMap(({ items, answeredBy }) => {
    const id = items[0]?.id ?? "";
    const committed = kv.get(`answer/${id}`);
    return answeredBy === null || committed === answeredBy
      ? []
      : [`answer: order ${id} was answered by ${answeredBy}, kept by ${JSON.stringify(committed)}`];
  });
}

/** Every order is decided once, and exactly the stock is sold (or all of the orders, when they are fewer). */
function faultsOfSale(sale: string, items: readonly Item[], { kv }: Found): string[] {
  const orders = items.filter(({ sku }) => sku === "flash").map(({ id }) => id);
  const faults: string[] = [];
  let sold = 0;
  for (const id of orders) {
    const [bought, refused] = [kv.get(`${sale}/sold/${id}`), kv.get(`${sale}/refused/${id}`)];
    if (bought === 1) sold++;
    if (bought === undefined ? refused !== 1 : bought !== 1 || refused !== undefined) {
      faults.push(`${sale}: order ${id} was sold ${JSON.stringify(bought ?? 0)} times and refused ${JSON.stringify(refused ?? 0)} times`);
    }
  }
  const wanted = Math.min(STOCK, orders.length);
  const left = kv.get(`${sale}/stock`) ?? STOCK;
  if (sold !== wanted || left !== STOCK - wanted)
    faults.push(`${sale}: ${sold} sold and ${JSON.stringify(left)} left, not ${wanted} and ${STOCK - wanted}`);
  const decided = [...kv.keys()].filter((key) => key.startsWith(`${sale}/sold/`) || key.startsWith(`${sale}/refused/`)).length;
  if (decided !== orders.length) faults.push(`${sale}: ${decided} decisions for ${orders.length} orders`);
  return faults;
}
