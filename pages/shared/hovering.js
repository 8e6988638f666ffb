// The picture of the item under the pointer. Titles go through textContent only; pictures are data that the server made.
const ABOVE = 40; // pixels, above Plotly's own label
const running = new WeakMap();

function rowOf(point) {
  const held = point && point.customdata;
  const row = Number(held !== null && typeof held === "object" ? held[0] : held);
  return held !== undefined && Number.isInteger(row) ? String(row) : null;
}

function place(card, at) {
  const left = Math.min(Math.max(4, at.x - card.offsetWidth / 2), window.innerWidth - card.offsetWidth - 4);
  const above = at.y - ABOVE - card.offsetHeight;
  card.style.left = `${left}px`;
  card.style.top = `${above > 4 ? above : at.y + ABOVE}px`;
}

function watch(card, data, signal) {
  const own = new Map(Object.entries(data.pictures)); // an item_row is a number, but nothing else that objects have
  const heard = new Map();
  const at = { x: 0, y: 0 };
  const picture = card.querySelector("img");

  const hide = () => {
    card.classList.remove("on");
    if (card.matches(":popover-open")) card.hidePopover();
  };
  const show = (event) => {
    const found = own.get(rowOf(event.points && event.points[0]));
    if (!found) return hide();
    card.querySelector(".title").textContent = found[0];
    picture.src = `data:${data.mime};base64,${found[1]}`;
    card.classList.add("on");
    if (card.showPopover && !card.matches(":popover-open")) card.showPopover(); // above whatever surrounds it
    place(card, at);
  };
  const listen = (chart) => {
    if (!chart.on || heard.get(chart) === chart.on) return; // a chart that was drawn anew has another "on"
    chart.on("plotly_hover", show);
    chart.on("plotly_unhover", hide);
    heard.set(chart, chart.on);
  };
  const moved = (event) => {
    const chart = event.target.closest && event.target.closest(".js-plotly-plot");
    if (!chart || !chart.closest(`.${data.chart}`)) return hide();
    Object.assign(at, { x: event.clientX, y: event.clientY });
    listen(chart);
    if (card.classList.contains("on")) place(card, at);
  };

  card.popover = "manual";
  picture.onload = () => card.classList.contains("on") && place(card, at);
  document.addEventListener("pointermove", moved, { capture: true, passive: true, signal });
  document.addEventListener("scroll", hide, { capture: true, passive: true, signal });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide(), { signal });
  signal.addEventListener("abort", () => {
    hide();
    for (const [chart, on] of heard) {
      if (chart.on !== on || !chart.removeListener) continue;
      chart.removeListener("plotly_hover", show);
      chart.removeListener("plotly_unhover", hide);
    }
  });
}

export default function ({ data, parentElement }) {
  running.get(parentElement)?.abort();
  const stop = new AbortController();
  running.set(parentElement, stop);
  watch(parentElement.querySelector(".card"), data, stop.signal);
  return () => stop.abort();
}
