// Texts with signed bars under their words, arcs between the strongest pairs, and the matrix behind them.
// Whatever comes from a catalog or a person goes through textContent only.
const BLUE = "#0072B2";
const VERMILION = "#D55E00";

function signed(value) {
  return (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);
}

function colour(value) {
  return value < 0 ? VERMILION : BLUE;
}

function shade(value, scale) {
  const share = Math.min(1, Math.abs(value) / scale);
  return `color-mix(in srgb, ${colour(value)} ${Math.round(share * 55)}%, transparent)`;
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function paint(button, value, scale) {
  const share = Math.min(1, Math.abs(value) / scale) * 50;
  const bar = button.querySelector("i span");
  bar.style.background = colour(value);
  bar.style.width = `${share}%`;
  bar.style.left = value < 0 ? `${50 - share}%` : "50%";
  button.style.background = shade(value, scale);
  button.querySelector("small").textContent = signed(value);
  button.setAttribute("aria-label", `${button.querySelector("b").textContent}: ${signed(value)}`);
}

function wordButton(word) {
  const button = make("button", "word");
  button.type = "button";
  button.append(make("b", "", word.text));
  const bar = make("i");
  bar.append(make("span"));
  button.append(bar, make("small"));
  return button;
}

function drawText(side, text, buttons) {
  side.append(make("div", "title", text.title));
  const line = make("p", "line");
  let at = 0;
  for (const word of text.words) {
    line.append(document.createTextNode(text.text.slice(at, word.start)));
    at = word.end;
    if (word.line === null) {
      const gone = make("span", "gone", word.text);
      gone.title = "cut: the encoder does not read this far";
      line.append(gone);
    } else {
      const button = wordButton(word);
      buttons.set(word.line, button);
      line.append(button);
    }
  }
  line.append(document.createTextNode(text.text.slice(at)));
  side.append(line);
}

function arc(svg, from, to, value, width, box) {
  const a = from.getBoundingClientRect();
  const b = to.getBoundingClientRect();
  const x1 = a.left + a.width / 2 - box.left;
  const y1 = a.bottom - box.top;
  const x2 = b.left + b.width / 2 - box.left;
  const y2 = b.top - box.top;
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const middle = (y1 + y2) / 2;
  path.setAttribute("d", `M ${x1} ${y1} C ${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`);
  path.setAttribute("stroke", colour(value));
  path.setAttribute("stroke-width", String(width));
  if (value < 0) path.setAttribute("stroke-dasharray", "6 4");
  svg.append(path);
  return { x: (x1 + x2) / 2, y: middle, text: signed(value) };
}

function drawArcs(root, svg, pairs, state) {
  svg.replaceChildren();
  const box = root.getBoundingClientRect();
  const largest = Math.max(...pairs.map((pair) => Math.abs(pair.value)), 1e-12);
  const placed = [];
  for (const pair of pairs) {
    const from = state.rows.get(pair.row);
    const to = state.columns.get(pair.column);
    if (!from || !to) continue;
    const label = arc(svg, from, to, pair.value, 1 + (4 * Math.abs(pair.value)) / largest, box);
    while (placed.some((other) => Math.abs(other.x - label.x) < 44 && Math.abs(other.y - label.y) < 13)) label.y += 13;
    placed.push(label);
  }
  for (const label of placed) {
    const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
    text.setAttribute("x", String(label.x));
    text.setAttribute("y", String(label.y + 4));
    text.setAttribute("text-anchor", "middle");
    text.textContent = label.text;
    svg.append(text);
  }
}

function pairsOf(data, chosen) {
  if (!chosen) return data.pairs;
  const found = [];
  if (chosen.side === "row") {
    for (const column of data.wordColumns) found.push({ row: chosen.line, column, value: data.values[chosen.line][column] });
  } else {
    for (const row of data.wordRows) found.push({ row, column: chosen.line, value: data.values[row][chosen.line] });
  }
  return found.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 5);
}

function show(root, data, state) {
  const chosen = state.chosen;
  for (const [line, button] of state.rows) {
    const own = chosen && chosen.side === "column" ? data.values[line][chosen.line] : data.rowTotals[line];
    paint(button, own, data.scale);
    button.setAttribute("aria-pressed", String(Boolean(chosen && chosen.side === "row" && chosen.line === line)));
  }
  for (const [line, button] of state.columns) {
    const own = chosen && chosen.side === "row" ? data.values[chosen.line][line] : data.columnTotals[line];
    paint(button, own, data.scale);
    button.setAttribute("aria-pressed", String(Boolean(chosen && chosen.side === "column" && chosen.line === line)));
  }
  state.note.textContent = chosen ? state.told(chosen) : data.note;
  drawArcs(root, state.svg, pairsOf(data, chosen), state);
}

function drawTexts(parent, data) {
  const root = make("div", "texts");
  const state = { rows: new Map(), columns: new Map(), chosen: null };
  state.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  state.svg.setAttribute("aria-hidden", "true");
  root.append(state.svg);
  const profile = make("div", "side");
  for (const text of data.profile) drawText(profile, text, state.rows);
  const item = make("div", "side");
  for (const text of data.item) drawText(item, text, state.columns);
  state.note = make("div", "note");
  state.note.setAttribute("aria-live", "polite");
  root.append(profile, item, state.note);
  state.told = (chosen) => {
    const isRow = chosen.side === "row";
    const label = isRow ? data.rowLabels[chosen.line] : data.columnLabels[chosen.line];
    return (isRow ? data.chosenRow : data.chosenColumn).replace("{word}", () => label);
  };
  const choose = (side, line) => {
    const same = state.chosen && state.chosen.side === side && state.chosen.line === line;
    state.chosen = same ? null : { side, line };
    show(root, data, state);
  };
  for (const [line, button] of state.rows) button.onclick = () => choose("row", line);
  for (const [line, button] of state.columns) button.onclick = () => choose("column", line);
  parent.replaceChildren(root);
  show(root, data, state);
  const observer = new ResizeObserver(() => drawArcs(root, state.svg, pairsOf(data, state.chosen), state));
  observer.observe(root);
  return () => observer.disconnect();
}

function cell(value, scale) {
  const node = make("td", "", signed(value));
  node.style.background = shade(value, scale);
  return node;
}

function drawMatrix(parent, data) {
  const scroll = make("div", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", data.label);
  const table = make("table");
  const head = make("tr");
  head.append(make("th", "", ""));
  data.columnLabels.forEach((label, n) => head.append(make("th", data.wordColumns.includes(n) ? "" : "part", label)));
  head.append(make("th", "sum", data.sum));
  const top = make("thead");
  top.append(head);
  const body = make("tbody");
  data.rowLabels.forEach((label, n) => {
    const row = make("tr");
    row.append(make("th", data.wordRows.includes(n) ? "" : "part", label));
    for (const value of data.values[n]) row.append(cell(value, data.scale));
    row.append(make("td", "sum", signed(data.rowTotals[n])));
    body.append(row);
  });
  const foot = make("tr");
  foot.append(make("th", "sum", data.sum));
  for (const total of data.columnTotals) foot.append(make("td", "sum", signed(total)));
  foot.append(make("td", "sum", signed(data.total)));
  const bottom = make("tfoot");
  bottom.append(foot);
  table.append(top, body, bottom);
  for (const node of table.querySelectorAll("thead th")) node.scope = "col";
  for (const node of table.querySelectorAll("tbody th, tfoot th")) node.scope = "row";
  scroll.append(table);
  parent.replaceChildren(scroll);
}

export default function ({ parentElement, data }) {
  const host = parentElement.querySelector(".host");
  if (data.kind === "matrix") {
    drawMatrix(host, data);
    return undefined;
  }
  return drawTexts(host, data);
}
