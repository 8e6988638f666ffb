// Two ranked lists side by side, each item joined by a line. Titles go through textContent only.
const ROW = 46;
const BREAK = 26;
const COLOURS = { entered: "#009E73", left: "#D55E00", up: "#0072B2", down: "#CC79A7", same: "#999999" };
const NS = "http://www.w3.org/2000/svg";

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function badge(item) {
  const found = make("span", "badge", item.badge);
  found.style.color = `color-mix(in srgb, ${COLOURS[item.kind]} 70%, var(--st-text-color))`;
  return found;
}

function middle(place, k) {
  return place * ROW + ROW / 2 + (place >= k ? BREAK : 0);
}

function side(name, rows, k, rankOf, withBadge, press, nodes, beyond) {
  const column = make("div", "side");
  column.append(make("div", "head", name));
  const list = make("ol");
  list.setAttribute("aria-label", name);
  rows.forEach((item, place) => {
    if (place === k) list.append(make("li", "break", beyond));
    const row = make("li", place >= k ? "off" : "");
    const button = make("button");
    button.type = "button";
    button.title = item.title;
    button.append(make("span", "rank", rankOf(item)), make("span", "title", item.title));
    if (withBadge) button.append(badge(item));
    button.setAttribute("aria-label", `${rankOf(item)} ${item.title}, ${item.told}`);
    button.onclick = () => press(item);
    (nodes[item.id] = nodes[item.id] || []).push(button);
    row.append(button);
    list.append(row);
  });
  column.append(list);
  return column;
}

function lines(data, nodes) {
  const gap = data.first.length > data.firstK || data.second.length > data.secondK ? BREAK : 0;
  const height = Math.max(data.first.length, data.second.length) * ROW + gap;
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 100 ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.style.height = `${height}px`;
  data.first.forEach((item, from) => {
    const to = data.second.findIndex((other) => other.id === item.id);
    if (to < 0) return;
    const start = middle(from, data.firstK);
    const end = middle(to, data.secondK);
    const path = document.createElementNS(NS, "path");
    path.setAttribute("d", `M0,${start} C45,${start} 55,${end} 100,${end}`);
    path.setAttribute("stroke", COLOURS[item.kind]);
    if (item.kind === "left") path.setAttribute("stroke-dasharray", "6 4");
    if (item.kind === "same") path.setAttribute("stroke-dasharray", "2 3");
    nodes[item.id].push(path);
    svg.append(path);
  });
  const column = make("div");
  column.append(make("div", "head", "\u00a0"), svg);
  return column;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.querySelector(".host");
  const nodes = Object.create(null); // an item_id may be called like something that every object has
  const press = (item) => setTriggerValue("pressed", item.id);
  const bump = make("div", "bump");
  bump.setAttribute("role", "group");
  bump.setAttribute("aria-label", data.label);
  const left = side(data.names[0], data.first, data.firstK, (item) => item.firstRank, false, press, nodes, data.beyond);
  const right = side(data.names[1], data.second, data.secondK, (item) => item.secondRank, true, press, nodes, data.beyond);
  bump.append(left, lines(data, nodes), right);
  for (const [id, own] of Object.entries(nodes)) {
    const light = (on) => own.forEach((node) => node.classList.toggle("lit", on || id === data.chosen));
    light(false);
    own.filter((node) => node.tagName === "BUTTON").forEach((button) => {
      button.setAttribute("aria-pressed", String(id === data.chosen));
      button.onmouseenter = button.onfocus = () => light(true);
      button.onmouseleave = button.onblur = () => light(false);
    });
  }
  host.replaceChildren(bump);
}
