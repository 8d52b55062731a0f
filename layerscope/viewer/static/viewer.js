// The viewer's keys, and what pages without a server do: go to, sort, search. It asks for nothing, so a folder will do.
"use strict";

(() => {
  // Data of other scripts: LS.put(kind, key, value); they may stand before or after whoever asks.
  const stored = new Map();
  window.LS = {
    put: (kind, key, value) => stored.set(`${kind} ${key}`, value),
    get: (kind, key) => stored.get(`${kind} ${key}`),
  };

  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Settings outlive a page where the browser lets them.
  const setting = {
    get: (name) => { try { return localStorage.getItem(`layerscope-${name}`) ?? ""; } catch { return ""; } },
    set: (name, value) => { try { localStorage.setItem(`layerscope-${name}`, value); } catch { /* kept for this page */ } },
  };

  const hash = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

  // --- theme and help

  function startTheme() {
    const select = one("#theme");
    if (!select) return;
    const page = document.documentElement.dataset;
    select.value = page.theme ?? "";
    select.onchange = () => {
      setting.set("theme", select.value);
      if (select.value) page.theme = select.value;
      else delete page.theme;
    };
  }

  let singleKeys = setting.get("single-keys") !== "off";

  function startHelp() {
    const help = one("#help"), box = one("#single-keys"), button = one("#keys");
    if (!help) return;
    box.checked = singleKeys;
    box.onchange = () => {
      singleKeys = box.checked;
      setting.set("single-keys", singleKeys ? "on" : "off");
    };
    button?.addEventListener("click", () => help.showModal());
    // A click beside the dialog closes it, too.
    help.onclick = (event) => { if (event.target === help) help.close(); };
  }

  // --- the grid of units

  // One stop for Tab, arrows inside. No item's layout is read: that would lay out what the browser skips.
  const grid = {
    root: one(".units"), sections: [], at: null,

    start() {
      if (!this.root) return;
      this.collect();
      this.root.addEventListener("focusin", (event) => {
        const link = event.target.closest(".grid a");
        if (link) this.mark(link);
      });
    },

    collect() {
      this.sections = all("ul.grid", this.root).map((list) => all("a", list)).filter((links) => links.length);
      this.at = null;
      if (this.sections.length) this.mark(this.sections[0][0]);
      this.leave([...this.sections]);
    },

    // A section at a time: thousands of links at once would hold up a frame.
    leave(sections) {
      for (const link of sections.shift() ?? []) if (link !== this.at) link.tabIndex = -1;
      if (sections.length) (window.requestIdleCallback ?? setTimeout)(() => this.leave(sections));
    },

    mark(link) {
      if (this.at) this.at.tabIndex = -1;
      this.at = link;
      link.tabIndex = 0;
    },

    columns(section) {
      return getComputedStyle(this.sections[section][0].closest("ul")).gridTemplateColumns.split(" ").length;
    },

    here() {
      const section = this.sections.findIndex((links) => links.includes(this.at));
      return [section, this.sections[section].indexOf(this.at)];
    },

    // Up and down stay in their column, also from one section to the next.
    vertical(step) {
      const [section, place] = this.here(), across = this.columns(section), links = this.sections[section];
      const column = place % across, row = Math.floor(place / across) + step;
      const last = Math.floor((links.length - 1) / across);
      if (row >= 0 && row <= last) return links[Math.min(row * across + column, links.length - 1)];
      const other = this.sections[section + step];
      if (!other) return this.at;
      const first = step > 0 ? 0 : Math.floor((other.length - 1) / across) * across;
      return other[Math.min(first + column, other.length - 1)];
    },

    horizontal(step) {
      const links = this.sections.flat();
      return links[Math.min(Math.max(links.indexOf(this.at) + step, 0), links.length - 1)];
    },

    page(step) {
      const [section] = this.here();
      return this.sections[Math.min(Math.max(section + step, 0), this.sections.length - 1)][0];
    },

    // Letters lead into the grid; arrows move inside it.
    move(event, target, enters) {
      const inside = this.root?.contains(document.activeElement);
      if (!this.at || !(inside || enters)) return;
      event.preventDefault();
      const link = inside ? target() : this.at;
      link.focus({ preventScroll: true });
      link.scrollIntoView({ block: "nearest" });
    },
  };

  // --- a page without a server

  // The same orders as the server's (pages/layer.py); rows are what scripts.py writes.
  const [UNIT, MAX, MEAN, SHARE, SPARSITY, DEAD, SHOWN, NAME, SCORE, LABEL, AT] = Array(11).keys();
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const down = (column) => (a, b) => (a[column] === null) - (b[column] === null) || b[column] - a[column];
  const ORDERS = {
    unit: () => 0,
    max: down(MAX), mean: down(MEAN), share: down(SHARE), score: down(SCORE),
    sparsity: (a, b) => a[DEAD] - b[DEAD] || (a[SPARSITY] === null) - (b[SPARSITY] === null) || a[SPARSITY] - b[SPARSITY],
    name: (a, b) => !a[NAME] - !b[NAME] || compare(a[NAME], b[NAME]),
  };
  const SHOWS = { all: () => true, live: (row) => !row[DEAD], tiles: (row) => row[SHOWN] };

  function holds(row, word) {
    if (/^\d+$/.test(word)) return Number(word) === row[UNIT];
    return [row[NAME], row[AT], row[LABEL]].some((said) => said.toLowerCase().includes(word));
  }

  function chosen(rows, query) {
    const words = (query.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const kept = rows.filter((row) => SHOWS[query.show ?? "all"](row) && words.every((word) => holds(row, word)));
    const sorted = kept.sort((a, b) => ORDERS[query.sort ?? "unit"](a, b) || a[UNIT] - b[UNIT]);
    return query.reverse ? sorted.reverse() : sorted;
  }

  const SECTION = 64;

  // Items are moved, not made anew: each carries the classes of its place in the sprites.
  function arrange(items, rows, total) {
    const plain = rows.length === total && rows.every((row, place) => row[UNIT] === place);
    const sections = [];
    for (let first = 0; first < rows.length; first += SECTION) {
      const part = rows.slice(first, first + SECTION), last = first + part.length;
      const [section, title, list] = ["section", "h2", "ul"].map((name) => document.createElement(name));
      title.textContent = plain ? `Units ${first}–${last - 1}` : `${first + 1}–${last} of ${rows.length}`;
      list.className = "grid";
      list.append(...part.map((row) => items[row[UNIT]]));
      section.append(title, list);
      sections.push(section);
    }
    grid.root.replaceChildren(...sections);
    grid.collect();
    one(".found").textContent = rows.length < total ? `${rows.length} of ${total} units` : "";
  }

  function startChoice() {
    const form = one(".choose[data-layer]:not([hidden])"), rows = form && LS.get("units", form.dataset.layer);
    if (!rows) return;
    let items = null;
    const again = () => {
      items ??= Object.fromEntries(all(".grid > li").map((item) => [one("b", item).textContent, item]));
      const there = rows.filter((row) => items[row[UNIT]]);
      arrange(items, chosen(there, Object.fromEntries(new FormData(form))), rows.length);
      enlarge();
    };
    const show = (query) => {
      for (const field of form.elements) {
        if (field.type === "checkbox") field.checked = Boolean(query[field.name]);
        else if (field.name) field.value = query[field.name] ?? field.options?.[0].value ?? "";
      }
      again();
    };
    const ask = () => {
      const says = ([name, value]) => value && value !== form.elements[name].options?.[0].value;
      history.replaceState(null, "", `#${new URLSearchParams([...new FormData(form)].filter(says))}`);
      again();
    };
    form.onsubmit = (event) => { event.preventDefault(); ask(); };
    form.oninput = ask;
    addEventListener("hashchange", () => show(Object.fromEntries(hash())));
    if (hash().size) show(Object.fromEntries(hash()));
  }

  // Sheets stand beside their units. Large or not is a field of the form: so it is in the address, too.
  let enlarge = () => {};

  function startZoom() {
    const button = one("button.zoom"), field = one(".choose input[name=zoom]");
    const endings = (grid.root?.dataset.endings ?? "").split(" ").filter(Boolean);
    if (!button) return;
    button.hidden = !endings.length;
    const picture = (src) => Object.assign(new Image(288, 288), { loading: "lazy", decoding: "async", alt: "", src });
    enlarge = () => {
      const large = grid.root.classList.toggle("large", field.value === "large");
      button.firstChild.textContent = large ? "At a glance " : "Large ";
      for (const link of large ? all(".grid > li:not(.bare) > a:not(:has(.pair))", grid.root) : []) {
        const pair = document.createElement("span");
        pair.className = "pair";
        pair.append(...endings.map((ending) => picture(link.getAttribute("href").replace(/\.html$/, ending))));
        link.prepend(pair);
      }
    };
    button.onclick = () => {
      field.value = field.value ? "" : "large";
      field.form.dispatchEvent(new Event("input"));
      enlarge();
    };
  }

  // "#unit=17" leads from a layer's page to its unit, whose address others need not know.
  function forward() {
    const unit = hash().get("unit");
    const item = unit && all(".grid > li").find((each) => one("b", each).textContent === unit);
    if (item) location.replace(one("a", item).href);
  }

  function startGoTo() {
    const form = one(".go"), options = all("#go-layers option[data-href]");
    if (!form || !options.length) return;
    const field = form.elements.go;
    form.onsubmit = (event) => {
      event.preventDefault();
      const [, name, unit] = /^\s*(.*?)(?:[\s:/]+u?(\d+))?\s*$/.exec(field.value);
      const named = (test) => options.find((option) => test(option.value.toLowerCase(), name.toLowerCase()));
      const found = named((value, text) => value === text) ?? (name && named((value, text) => value.startsWith(text)));
      const concepts = one("a[data-place=concepts]");
      if (found) location.href = found.dataset.href + (unit ? `#unit=${unit}` : "");
      else if (concepts && name) location.href = `${concepts.getAttribute("href")}#q=${encodeURIComponent(name)}`;
      else field.setCustomValidity(`No layer is called ${name}`), form.reportValidity();
    };
    field.oninput = () => field.setCustomValidity("");
  }

  // The index narrows as one types.
  function startIndex() {
    const form = one("form[data-index]:not([hidden])");
    if (!form || !one("form.go[data-script]")) return;
    const show = (text) => {
      for (const item of all(".index dl > div")) item.hidden = !item.dataset.words.includes(text.toLowerCase());
    };
    form.onsubmit = (event) => event.preventDefault();
    form.oninput = () => show(form.elements.q.value);
    if (hash().get("q")) show((form.elements.q.value = hash().get("q")));
  }

  // --- keys

  const follow = (selector) => (event) => {
    const control = all(selector).find((found) => !found.hidden);
    if (!control) return;
    event.preventDefault();
    control.click();
  };
  const focus = (...selectors) => (event) => {
    const field = selectors.map((selector) => one(selector)).find(Boolean);
    if (!field) return;
    event.preventDefault();
    // In a narrow head it stands in a menu.
    if (field.checkVisibility?.() === false) field.closest("[popover]")?.showPopover();
    field.focus();
    field.select?.();
  };
  const move = (how, step, enters = false) => (event) => grid.move(event, () => grid[how](step), enters);

  const KEYS = {
    ArrowLeft: move("horizontal", -1), ArrowRight: move("horizontal", 1),
    ArrowUp: move("vertical", -1), ArrowDown: move("vertical", 1),
    h: move("horizontal", -1, true), l: move("horizontal", 1, true),
    k: move("vertical", -1, true), j: move("vertical", 1, true),
    Home: move("horizontal", -Infinity), End: move("horizontal", Infinity),
    PageUp: move("page", -1), PageDown: move("page", 1),
    p: follow("main a[rel=prev]"), n: follow("main a[rel=next]"),
    u: follow("a.layer-before"), o: follow("a.layer-after"),
    s: follow("[data-key=s]"), v: follow("#present"),
    g: focus("#go"), "/": focus(".choose [type=search]", "#go"),
    "?": follow("#keys"), "Shift+?": follow("#keys"),
  };

  function ignored(event) {
    const field = event.target.closest?.("input, select, textarea, [contenteditable]");
    return event.isComposing || Boolean(field) || Boolean(one("dialog[open]")) || (!singleKeys && event.key.length === 1);
  }

  function startKeys() {
    if (!window.tinykeys) return;
    // A live page has its own meanings for these letters, and lists them.
    const own = (document.body.dataset.ownKeys ?? "").split(" ");
    const bindings = Object.fromEntries(Object.entries(KEYS).filter(([key]) => !own.includes(key)));
    window.tinykeys.tinykeys(window, bindings, { ignore: ignored });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target.matches?.("input, select")) event.target.blur();
    });
  }

  for (const control of all("[data-script]")) control.hidden = false;
  startTheme();
  startHelp();
  grid.start();
  startGoTo();
  startIndex();
  startZoom();
  startKeys();
  // Data scripts come after this one.
  addEventListener("DOMContentLoaded", () => { startChoice(); forward(); });
  // Also from a layer's page to a unit of the same layer.
  addEventListener("hashchange", forward);
})();
