// The page: public market data over one WebSocket. Prices stay decimal strings; numbers are only made to draw.
import { BookView } from "/page/book.js";
import { Freshness } from "/page/freshness.js";
import { dollars, drawDepth, drawPrices, sparkline } from "/page/drawing.js";

const BOOK_LEVELS = 11;
const TAPE_ROWS = 26;
const HISTORY = 600;
const TILES_WITH_PAST = 12;

const byId = (id) => document.getElementById(id);
const securities = new Map(); // name -> {top, reference, history: [{time, price}], tile}
let chosen = null;
let book = new BookView();
let tape = [];
let socket = null;
let freshness = null;
let pauseMs = 300;
let trades = 0;
let lastStatus = null;
let dirty = true;

const send = (message) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));

async function start() {
  for (let after = ""; after !== null; ) {
    const path = `/v1/securities?after=${encodeURIComponent(after)}`;
    const answer = await fetch(path).then((response) => response.json());
    for (const security of answer.securities) addSecurity(security);
    after = answer.next;
  }
  for (const name of [...securities.keys()].slice(0, TILES_WITH_PAST)) readPast(name, 120);
  choose(location.hash.slice(1) || securities.keys().next().value);
  connect();
  requestAnimationFrame(paint);
}

function addSecurity({ security, name, reference_price: reference }) {
  const tile = document.createElement("button");
  tile.className = "tile";
  tile.title = name;
  tile.innerHTML = `<b></b><span class="last">–</span><span class="quote"></span><span class="change"></span>
    <svg viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true"></svg>`;
  tile.querySelector("b").textContent = security;
  tile.onclick = () => choose(security);
  byId("tiles").append(tile);
  securities.set(security, { top: {}, reference: Number(reference), history: [], tile });
}

function choose(name) {
  if (!securities.has(name)) name = securities.keys().next().value;
  if (name === chosen) return;
  if (chosen) for (const channel of ["book", "trades"]) send({ action: "unsubscribe", channel, security: chosen });
  chosen = name;
  history.replaceState(null, "", `#${name}`);
  for (const [other, { tile }] of securities) tile.setAttribute("aria-pressed", String(other === name));
  document.querySelector(".chosen").textContent = name;
  byId("trade-rate-name").textContent = `${name} trades/s`;
  byId("price-link").href = `/v1/price/${name}`;
  byId("book-link").href = `/v1/book/${name}`;
  byId("price-link").textContent = `/v1/price/${name}`;
  byId("book-link").textContent = `/v1/book/${name}`;
  book = new BookView();
  tape = [];
  follow(name);
}

async function follow(name) {
  send({ action: "subscribe", channel: "book", security: name });
  send({ action: "subscribe", channel: "trades", security: name });
  const past = await readPast(name, 300);
  if (name !== chosen) return;
  const seen = new Set(tape.map((trade) => trade.trade_id));
  tape = [...tape, ...past.filter((trade) => !seen.has(trade.trade_id))].sort((a, b) => b.trade_id - a.trade_id);
}

// The newest trades of a security, which also become the past of its price line.
async function readPast(name, limit) {
  const { trades: past } = await fetch(`/v1/trades/${name}?limit=${limit}`).then((response) => response.json());
  const state = securities.get(name);
  const points = past.map(point).reverse();
  const newest = points[points.length - 1]?.time ?? 0;
  state.history = [...points, ...state.history.filter((known) => known.time > newest)].slice(-HISTORY);
  dirty = true;
  return past;
}

const point = (trade) => ({ time: trade.time_us / 1e6, price: Number(trade.price) });

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/stream`);
  byId("stream-address").textContent = `WebSocket ${socket.url}`;
  freshness = new Freshness(performance.now());
  socket.onopen = () => {
    pauseMs = 300;
    send({ action: "subscribe", channel: "status" });
    for (const name of securities.keys()) send({ action: "subscribe", channel: "price", security: name });
    book = new BookView();
    follow(chosen);
  };
  socket.onmessage = (event) => {
    freshness.heard(performance.now());
    receive(JSON.parse(event.data));
  };
  socket.onclose = () => {
    showStatus("lost", "reconnecting");
    setTimeout(connect, pauseMs * (0.5 + Math.random()));
    pauseMs = Math.min(pauseMs * 2, 5000);
  };
}

function receive(message) {
  if (message.error || message.action) return;
  if (message.channel === "price") receivePrice(message);
  else if (message.channel === "status") receiveStatus(message);
  else if (message.channel === "book" && message.security === chosen) {
    if (!book.apply(message)) send({ action: "subscribe", channel: "book", security: chosen });
  } else if (message.channel === "trades" && message.security === chosen) {
    trades += 1;
    tape.unshift(message);
    tape.length = Math.min(tape.length, 300);
  }
  dirty = true;
}

function receivePrice(message) {
  const state = securities.get(message.security);
  if (!state) return;
  const before = state.top.last;
  state.top = message;
  if (message.last === null) return;
  const price = Number(message.last);
  const newest = state.history[state.history.length - 1];
  const time = (message.last_time_us ?? message.time_us) / 1e6;
  if (!newest || newest.price !== price || time - newest.time > 1) {
    state.history.push({ time, price });
    if (state.history.length > HISTORY) state.history.shift();
  }
  if (before !== undefined && before !== message.last) flash(state.tile, Number(before) < price ? "up" : "down");
}

function flash(tile, direction) {
  const last = tile.querySelector(".last");
  last.classList.remove("up", "down");
  last.classList.add(direction);
  setTimeout(() => last.classList.remove(direction), 120);
}

function receiveStatus(message) {
  const words = { ready: "live", catching_up: "catching up", waiting: `waiting for ${message.waiting_for.join(", ")}` };
  const text = words[message.status] ?? message.status;
  showStatus(message.status === "ready" ? "ready" : "waiting", text + sessionText(message.session));
  if (lastStatus && message.time_us === lastStatus.time_us) return;
  if (lastStatus) showRates(message, lastStatus);
  lastStatus = message;
}

function sessionText(session) {
  const single = session?.securities[chosen];
  const phase = (single ?? session?.phases["0"])?.phase ?? "continuous";
  if (phase === "continuous") return "";
  const indicative = single?.indicative_price ? `, indicative ${single.indicative_price}` : "";
  return ` · ${phase.replaceAll("_", " ")}${indicative}`;
}

function showRates(now, before) {
  const seconds = Math.max((now.time_us - before.time_us) / 1e6, 0.001);
  const sum = (positions, prefix) =>
    Object.entries(positions).reduce((total, [stream, at]) => total + (stream.startsWith(prefix) ? at : 0), 0);
  const rate = (prefix) => Math.round((sum(now.positions, prefix) - sum(before.positions, prefix)) / seconds);
  byId("event-rate").textContent = rate("events").toLocaleString();
  byId("settlement-rate").textContent = rate("settlements").toLocaleString();
  byId("trade-rate").textContent = Math.round(trades / seconds).toLocaleString();
  trades = 0;
}

// A feed that is frozen closes nothing: the last prices stay, and only the silence tells.
function showSilence() {
  const now = performance.now();
  const seconds = freshness?.staleSeconds(now) ?? 0;
  document.body.classList.toggle("stale", seconds > 0);
  if (seconds === 0) return;
  showStatus("lost", `stale: nothing heard for ${seconds} s`);
  if (freshness.isHopeless(now)) socket.close();
}

function showStatus(kind, text) {
  byId("status").className = `status ${kind}`;
  byId("status").lastElementChild.textContent = text;
}

function paint() {
  if (dirty) {
    dirty = false;
    for (const state of securities.values()) paintTile(state);
    paintBook();
    paintTape();
    const state = securities.get(chosen);
    drawPrices(byId("chart"), state.history, state.top);
    drawDepth(byId("depth"), book);
  }
  requestAnimationFrame(paint);
}

function paintTile({ top, reference, history: points, tile }) {
  tile.querySelector(".last").textContent = top.last ?? "–";
  tile.querySelector(".quote").textContent = `${top.bid ?? "–"} / ${top.ask ?? "–"}`;
  const change = tile.querySelector(".change");
  const percent = top.last ? (100 * (Number(top.last) - reference)) / reference : 0;
  change.textContent = top.last ? `${percent >= 0 ? "+" : ""}${percent.toFixed(2)} %` : "";
  change.className = `change ${percent >= 0 ? "up" : "down"}`;
  tile.querySelector("svg").innerHTML = sparkline(points.slice(-120), percent >= 0);
}

function paintBook() {
  const asks = book.levels("asks").slice(0, BOOK_LEVELS);
  const bids = book.levels("bids").slice(0, BOOK_LEVELS);
  const most = Math.max(1, ...asks.map((level) => level.quantity), ...bids.map((level) => level.quantity));
  byId("asks").innerHTML = asks.reverse().map((level) => bookRow(level, most)).join("");
  byId("bids").innerHTML = bids.map((level) => bookRow(level, most)).join("");
  // Set here and not in the markup: the page's security policy allows no style attributes.
  for (const bar of document.querySelectorAll(".bar")) bar.style.width = `${bar.dataset.percent}%`;
  const { bid, ask, last } = securities.get(chosen).top;
  byId("middle").innerHTML = `<tr><td colspan="3">last ${last ?? "–"}</td></tr>`;
  byId("spread").textContent = bid && ask ? `spread ${dollars(Number(ask) - Number(bid))}` : "";
}

const bookRow = ({ price, quantity, orders }, most) =>
  `<tr><td>${orders}</td><td>${quantity.toLocaleString()}</td>` +
  `<td><span class="bar" data-percent="${Math.round((100 * quantity) / most)}"></span>${price}</td></tr>`;

function paintTape() {
  byId("trades").innerHTML = tape
    .slice(0, TAPE_ROWS)
    .map((trade) => {
      const time = new Date(trade.time_us / 1000).toLocaleTimeString([], { hour12: false });
      return `<tr><td>${time}</td><td>${trade.quantity}</td><td class="${trade.aggressor === "BUY" ? "buy" : "sell"}">${trade.price}</td></tr>`;
    })
    .join("");
}

setInterval(showSilence, 500);
addEventListener("resize", () => (dirty = true));
addEventListener("hashchange", () => choose(location.hash.slice(1)));
start().catch(() => {
  showStatus("lost", "no answer, trying again");
  setTimeout(() => location.reload(), 2000);
});
