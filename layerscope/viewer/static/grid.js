// The grid of a layer's units, which keys walk: arrows inside it, letters into it.
"use strict";

(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

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

  const move = (how, step, enters = false) => (event) => grid.move(event, () => grid[how](step), enters);
  const KEYS = {
    ArrowLeft: move("horizontal", -1), ArrowRight: move("horizontal", 1),
    ArrowUp: move("vertical", -1), ArrowDown: move("vertical", 1),
    h: move("horizontal", -1, true), l: move("horizontal", 1, true),
    k: move("vertical", -1, true), j: move("vertical", 1, true),
    Home: move("horizontal", -Infinity), End: move("horizontal", Infinity),
    PageUp: move("page", -1), PageDown: move("page", 1),
  };

  window.LS.grid = grid;
  grid.start();
  if (grid.root) window.LS.bind(KEYS);
})();
