// Drawing on canvas and SVG. Colours come from the style sheet, so both themes work.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Money as the venue writes it: two decimals, four where the third or fourth is not zero.
export const dollars = (amount) => amount.toFixed(4).replace(/00$/, "");

export function sparkline(points, isUp) {
  if (points.length < 2) return "";
  const prices = points.map((point) => point.price);
  const low = Math.min(...prices);
  const range = Math.max(...prices) - low || 1;
  const step = 100 / (points.length - 1);
  const path = prices.map((price, i) => `${(i * step).toFixed(1)},${(27 - (24 * (price - low)) / range).toFixed(1)}`).join(" ");
  return `<polyline points="${path}" fill="none" stroke="var(--${isUp ? "buy" : "sell"})" stroke-width="1.5" vector-effect="non-scaling-stroke"/>`;
}

// A context in CSS pixels, cleared; null while the canvas has no size.
function surface(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  if (width < 40 || height < 40) return null;
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "11px system-ui, sans-serif";
  return { context, width, height };
}

function note(drawing, text) {
  drawing.context.fillStyle = colour("--faint");
  drawing.context.textAlign = "center";
  drawing.context.fillText(text, drawing.width / 2, drawing.height / 2);
}

export function drawPrices(canvas, points, top) {
  const drawing = surface(canvas);
  if (!drawing) return;
  if (points.length < 2) return note(drawing, "waiting for trades");
  const { context, width, height } = drawing;
  const right = width - 58, bottom = height - 18;
  const prices = points.map((point) => point.price);
  let low = Math.min(...prices), high = Math.max(...prices);
  const margin = (high - low || high * 0.002) * 0.12;
  low -= margin;
  high += margin;
  const from = points[0].time, to = points[points.length - 1].time;
  const x = (time) => ((time - from) / (to - from || 1)) * right;
  const y = (price) => bottom - ((price - low) / (high - low)) * (bottom - 6);
  drawGrid(drawing, { low, high, y, from, to, x, right, bottom });
  const isUp = prices[prices.length - 1] >= prices[0];
  const line = colour(isUp ? "--buy" : "--sell");
  context.beginPath();
  points.forEach((point, i) => {
    if (i) context.lineTo(x(point.time), y(points[i - 1].price));
    context.lineTo(x(point.time), y(point.price));
  });
  context.strokeStyle = line;
  context.lineWidth = 1.6;
  context.stroke();
  context.lineTo(right, bottom);
  context.lineTo(0, bottom);
  const fill = context.createLinearGradient(0, 0, 0, bottom);
  fill.addColorStop(0, `${line}44`);
  fill.addColorStop(1, `${line}00`);
  context.fillStyle = fill;
  context.fill();
  drawMark(drawing, y, top.last, line, right);
}

function drawGrid({ context, width }, { low, high, y, from, to, x, right, bottom }) {
  context.strokeStyle = colour("--line");
  context.fillStyle = colour("--faint");
  context.lineWidth = 1;
  context.textAlign = "left";
  for (let i = 0; i <= 4; i += 1) {
    const price = low + ((high - low) * (i + 0.5)) / 5;
    context.beginPath();
    context.moveTo(0, y(price));
    context.lineTo(right, y(price));
    context.stroke();
    context.fillText(price.toFixed(2), right + 8, y(price) + 4);
  }
  for (let i = 0; i < 4; i += 1) {
    const time = from + ((to - from) * i) / 4;
    context.fillText(new Date(time * 1000).toLocaleTimeString([], { hour12: false }), x(time) + 2, bottom + 14);
  }
  return width;
}

function drawMark({ context, width }, y, last, line, right) {
  if (!last) return;
  const at = y(Number(last));
  context.fillStyle = line;
  context.beginPath();
  context.roundRect(right + 3, at - 9, width - right - 4, 18, 4);
  context.fill();
  context.fillStyle = colour("--card");
  context.font = "600 11px system-ui, sans-serif";
  context.fillText(last, right + 8, at + 4);
}

export function drawDepth(canvas, book) {
  const drawing = surface(canvas);
  if (!drawing) return;
  const bids = cumulated(book.levels("bids")), asks = cumulated(book.levels("asks"));
  if (!bids.length && !asks.length) return note(drawing, "no orders in the book");
  const { context, width, height } = drawing;
  const bottom = height - 18;
  const best = middle(bids, asks);
  const reach = Math.max(...[...bids, ...asks].map(({ price }) => Math.abs(price - best)), best * 0.0005) * 1.04;
  const most = Math.max(1, bids.at(-1)?.sum ?? 0, asks.at(-1)?.sum ?? 0) * 1.08;
  const x = (price) => width / 2 + ((price - best) / reach) * (width / 2);
  const y = (sum) => bottom - (sum / most) * (bottom - 8);
  drawSide(context, bids, x, y, 0, bottom, colour("--buy"));
  drawSide(context, asks, x, y, width, bottom, colour("--sell"));
  context.fillStyle = colour("--faint");
  for (const [share, align] of [[0.04, "left"], [0.5, "center"], [0.96, "right"]]) {
    context.textAlign = align;
    context.fillText((best + (share * 2 - 1) * reach).toFixed(2), share * width, bottom + 14);
  }
}

// The nearest levels that hold nearly all shares: far strays would press the rest into a line.
function cumulated(levels) {
  let sum = 0;
  return levels.slice(0, 60).map(({ price, quantity }) => ({ price: Number(price), sum: (sum += quantity) }));
}

function middle(bids, asks) {
  if (!bids.length) return asks[0].price;
  if (!asks.length) return bids[0].price;
  return (bids[0].price + asks[0].price) / 2;
}

function drawSide(context, levels, x, y, edge, bottom, line) {
  if (!levels.length) return;
  context.beginPath();
  context.moveTo(x(levels[0].price), bottom);
  let sum = 0;
  for (const level of levels) {
    context.lineTo(x(level.price), y(sum));
    context.lineTo(x(level.price), y(level.sum));
    sum = level.sum;
  }
  context.lineTo(edge, y(sum));
  context.strokeStyle = line;
  context.lineWidth = 1.6;
  context.stroke();
  context.lineTo(edge, bottom);
  context.closePath();
  context.fillStyle = `${line}2e`;
  context.fill();
}
