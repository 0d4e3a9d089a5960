const POLL_MS = 1_000;
const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });
const byId = (id) => document.getElementById(id);
const names = new Map();

function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** While a sale rushes in, an answer may be refused for having read what changed meanwhile: the next round gets it. */
async function read(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function buy(sku) {
  if (!byId("checkout").reportValidity()) return;
  const response = await fetch("/orders", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify({ sku, email: byId("email").value, card: byId("card").value }),
  });
  const answer = await response.json();
  byId("message").textContent = response.ok
    ? `Order ${answer.accepted} is in.`
    : (answer.reasons ?? ["The shop did not answer."]).join(", ");
  await refresh();
}

/** Made once for each product; afterwards only the numbers change, so that a click never loses its button. */
function productCard(product) {
  const card = fromTemplate("product");
  card.id = `product-${product.sku}`;
  card.querySelector(".name").textContent = product.name;
  card.querySelector(".price").textContent = money.format(product.priceCents / 100);
  card.querySelector("button").addEventListener("click", () => buy(product.sku).catch(tell));
  byId("products").append(card);
  return card;
}

function showProduct(product) {
  names.set(product.sku, product.name);
  const card = byId(`product-${product.sku}`) ?? productCard(product);
  card.querySelector(".left").textContent = product.left === 0 ? "sold out" : `${product.left} left`;
  card.querySelector("button").textContent = product.left === 0 ? "Try anyway" : "Buy";
}

function orderLine(order) {
  const line = fromTemplate("order");
  line.dataset.state = order.state;
  line.querySelector(".what").textContent = `${order.qty} × ${names.get(order.sku) ?? order.sku}`;
  line.querySelector(".state").textContent = order.state === "rejected" ? order.reason : order.state;
  return line;
}

async function refresh() {
  for (const product of await read("/stock")) showProduct(product);
  const { items } = await read("/orders?limit=12");
  byId("orders").replaceChildren(...items.map(orderLine));
  const { orders, cents } = await read("/summary");
  byId("summary").textContent = orders === 0 ? "" : `Until the last full minute: ${orders} orders sold, ${money.format(cents / 100)}.`;
}

function tell(error) {
  byId("message").textContent = error.message;
}

async function poll() {
  if (!document.hidden) await refresh().catch(() => {});
  setTimeout(poll, POLL_MS);
}

await refresh().catch(tell);
setTimeout(poll, POLL_MS);
