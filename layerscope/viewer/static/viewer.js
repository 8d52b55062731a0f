// The viewer's keys, its theme and its help. It asks for nothing, so a folder will do.
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
    root: null, sections: [], at: null,

    start() {
      this.root = one(".units");
      if (!this.root) return;
      this.collect();
      const unit = /^#u(\d+)$/.exec(location.hash)?.[1];
      // Having come to the place in its address, a browser takes the focus from it.
      if (unit) addEventListener("load", () => setTimeout(() => this.arrive(unit)));
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

    // From a unit's page, up to its place among the others.
    arrive(unit) {
      const link = one(`#u${unit} > a`, this.root);
      if (!link) return;
      this.mark(link);
      link.focus({ preventScroll: true });
      link.scrollIntoView({ block: "center" });
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

  // --- keys

  const follow = (selector) => (event) => {
    const control = all(selector).find((found) => !found.hidden);
    if (!control) return;
    event.preventDefault();
    control.click();
  };
  const focus = (selector) => (event) => {
    const field = one(selector);
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select?.();
  };
  const move = (how, step, enters = false) => (event) => grid.move(event, () => grid[how](step), enters);

  // The field that narrows this page, where there is one.
  const SEARCHED = ".choose [type=search]";
  const KEYS = {
    ArrowLeft: move("horizontal", -1), ArrowRight: move("horizontal", 1),
    ArrowUp: move("vertical", -1), ArrowDown: move("vertical", 1),
    h: move("horizontal", -1, true), l: move("horizontal", 1, true),
    k: move("vertical", -1, true), j: move("vertical", 1, true),
    Home: move("horizontal", -Infinity), End: move("horizontal", Infinity),
    PageUp: move("page", -1), PageDown: move("page", 1),
    p: follow("main a[rel=prev]"), n: follow("main a[rel=next]"),
    u: follow("a.layer-before"), o: follow("a.layer-after"), i: follow("a.up"),
    s: follow("[data-key=s]"), v: follow("#present"),
    g: follow("[data-search]"), "/": (event) => (one(SEARCHED) ? focus(SEARCHED) : follow("[data-search]"))(event),
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
  window.LS.grid = grid;
  grid.start();
  startKeys();
})();
