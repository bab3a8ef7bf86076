// What the page does beyond being read: theme, filters, sorting, tooltips. Everything is there without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // Theme: the system's, until the reader says otherwise.
  const theme = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const remember = (value) => { try { localStorage.setItem("accelbench-theme", value); } catch { /* not kept */ } };
  try { root.dataset.theme = localStorage.getItem("accelbench-theme") || ""; } catch { /* not kept */ }
  if (!root.dataset.theme) delete root.dataset.theme;
  const named = () => theme.setAttribute("aria-pressed", String(dark()));
  theme.hidden = false;
  named();
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; remember(root.dataset.theme); named(); });

  // Filters: each box stands for a class, and a style sheet hides the classes whose boxes are empty.
  const form = document.getElementById("filter");
  if (form) {
    const sheet = document.head.appendChild(document.createElement("style"));
    const apply = () => {
      const off = all("input", form).filter((box) => !box.checked).map((box) => ".body ." + box.value + ", .answer ." + box.value);
      sheet.textContent = off.length ? off.join(",") + "{display:none}" : "";
      form.querySelector("button").hidden = !off.length;
    };
    form.hidden = false;
    form.addEventListener("change", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  // Searching: rows of tables that don't hold every word are hidden.
  const search = document.getElementById("search");
  if (search) {
    const rows = all("table.find tbody tr").map((row) => ({ row, text: row.textContent.toLowerCase() }));
    const found = document.getElementById("found");
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const { row, text } of rows) { row.hidden = !words.every((word) => text.includes(word)); shown += !row.hidden; }
      found.textContent = words.length ? shown + " / " + rows.length : "";
    };
    search.closest("form").hidden = false;
    search.closest("form").addEventListener("submit", (event) => event.preventDefault());
    search.addEventListener("input", apply);
    apply();
  }

  // Sorting by a click on a column's head.
  const number = (cell) => cell.dataset.v !== undefined ? Number(cell.dataset.v) : parseFloat(cell.textContent.replace(/[^0-9.eE+-]/g, ""));
  const sortable = (table) => all("thead th", table).forEach((head, _, heads) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const column = heads.indexOf(head);
      const bodies = [...table.tBodies].map((body) => ({ body, rows: [...body.rows].filter((row) => row.cells.length === heads.length) }));
      const words = bodies.every(({ rows }) => rows.every((row) => Number.isNaN(number(row.cells[column])) || !/^\W*\d/.test(row.cells[column].textContent)));
      // The greatest first: of rates, that is the best.
      const next = head.getAttribute("aria-sort") === (words ? "ascending" : "descending") ? (words ? -1 : 1) : (words ? 1 : -1);
      // Each group of rows is sorted by itself; what has no number comes last.
      for (const { body, rows } of bodies) {
        const order = rows.map((row) => ({ row, value: words ? row.cells[column].textContent : number(row.cells[column]) }));
        order.sort((a, b) => words ? next * a.value.localeCompare(b.value, undefined, { numeric: true })
          : Number.isNaN(a.value) - Number.isNaN(b.value) || next * (a.value - b.value) || 0);
        body.append(...order.map(({ row }) => row));
      }
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", next > 0 ? "ascending" : "descending");
    });
  });
  // Tables within closed boxes are made sortable when they are opened.
  const ready = new WeakSet();
  const make = (from) => all("table.sort", from).filter((table) => !ready.has(table) && !table.closest("details:not([open])"))
    .forEach((table) => { ready.add(table); sortable(table); });
  make(document);
  document.addEventListener("toggle", (event) => { if (event.target.open) make(event.target); }, true);

  // A link to a result opens the box that it stands in.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let at = target.parentElement; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.querySelectorAll("details").forEach((box) => { box.open = true; });
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  reveal();

  // A list of samples, when it is opened, gets a small chart of them.
  const drawn = new WeakSet();
  const chart = (box) => {
    const list = box.matches(".ev td details") && !drawn.has(box) && box.querySelector("p");
    const samples = list ? list.textContent.split("(")[0].trim().split(" ").map(Number) : [];
    if (samples.length < 4) return;
    drawn.add(box);
    const low = Math.min(...samples), range = Math.max(...samples) - low || 1;
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("class", "sp");
    svg.setAttribute("viewBox", "0 0 80 16");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", "M" + samples.map((sample, at) => (at * 80 / (samples.length - 1)).toFixed(1) + " " + (15 - (sample - low) / range * 14).toFixed(1)).join("L"));
    svg.append(path);
    list.before(svg);
  };
  document.addEventListener("toggle", (event) => { if (event.target.open) chart(event.target); }, true);

  // Tooltips: a point or a figure names its result by number, and the table of results has the words.
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "tooltip");
  document.body.append(tip);
  const words = (id) => {
    const row = document.getElementById("r" + id);
    if (!row) return "";
    const heads = all("thead th", row.closest("table")).map((head) => head.textContent.trim());
    const group = row.parentElement.rows[0].cells[0].firstChild.textContent.trim();
    const title = row.closest("details.box").querySelector("summary").textContent.split(" · ")[0].trim() + " " + group;
    const cells = [...row.cells].flatMap((cell, index) => cell.querySelector("details") ? [] : [heads[index] + ": " + cell.textContent.trim()]);
    return title + "\n" + cells.join("\n");
  };
  const show = (text, x, y) => {
    tip.textContent = text;
    tip.hidden = !text;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 4)) + "px";
    tip.style.top = (y + 18 + height > innerHeight ? Math.max(4, y - height - 10) : y + 18) + "px";
  };
  const points = new WeakMap();
  const pointsOf = (plot) => {
    if (!points.has(plot)) {
      points.set(plot, all("path[data-r]", plot).flatMap((path) => {
        const rows = path.dataset.r.split(" ");
        return [...path.getAttribute("d").matchAll(/M([\d.-]+) ([\d.-]+)/g)]
          .map((match, index) => ({ path, row: rows[index], x: Number(match[1]), y: Number(match[2]) }));
      }));
    }
    return points.get(plot);
  };
  const over = (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const plot = target && target.closest("svg.plot");
    if (plot) {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
      let near = null, least = 144;
      for (const point of pointsOf(plot)) {
        const distance = (point.x - place.x) ** 2 + (point.y - place.y) ** 2;
        if (distance < least && point.path.getClientRects().length) { least = distance; near = point; }
      }
      return near ? show(words(near.row), event.clientX, event.clientY) : show("", 0, 0);
    }
    const link = target && target.closest("td a[href^='#r']");
    show(link ? words(link.getAttribute("href").slice(2)) : "", event.clientX, event.clientY);
  };
  document.addEventListener("pointermove", over, { passive: true });
  document.addEventListener("pointerdown", over, { passive: true });
  document.addEventListener("scroll", () => show("", 0, 0), { passive: true, capture: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") show("", 0, 0); });
  document.addEventListener("focusin", (event) => {
    const link = event.target instanceof Element && event.target.closest("td a[href^='#r']");
    if (!link || !link.matches(":focus-visible")) return show("", 0, 0);
    const box = link.getBoundingClientRect();
    show(words(link.getAttribute("href").slice(2)), box.left, box.bottom);
  });

  // Paper has no clicks.
  let opened = [];
  addEventListener("beforeprint", () => { opened = all("details:not([open])"); opened.forEach((box) => { box.open = true; }); });
  addEventListener("afterprint", () => { opened.forEach((box) => { box.open = false; }); opened = []; });
  root.dataset.ready = "";
})();
