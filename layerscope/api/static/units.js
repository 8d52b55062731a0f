// A grid of an atlas's units, and the sheet of the one that was chosen. All that is shown comes in the model's traits;
// what is asked for is set there, and the answer is waited for. Names come from strangers: they are text, never markup.

const PATIENCE_MS = 10000;

function made(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Pictures hold their data themselves; whatever else an address may be is not asked for.
function picture(address, alt) {
  return made("img", { src: address.startsWith("data:image/") ? address : "", alt, draggable: false });
}

function button(words, act, properties) {
  return made("button", { type: "button", textContent: words, onclick: act, ...properties });
}

function named(unit, name) {
  return name ? `unit ${unit}, ${name}` : `unit ${unit}`;
}

class Units {
  constructor(model, root) {
    this.model = model;
    this.focus = null; // what gets the focus once it is drawn: a selector within the body
    this.status = made("p", { className: "ls-status", role: "status" });
    this.trouble = made("p", { className: "ls-trouble", role: "alert" });
    this.body = made("div", { className: "ls-body" });
    this.layers = made("select", { onchange: () => this.ask({ layer: this.layers.value, unit: null, first: 0 }) });
    const label = made("label", {}, "Layer ", this.layers);
    const head = made("div", { className: "ls-head" }, made("strong", { textContent: model.get("title") }), label);
    // JupyterLab leaves the keys of what is marked so to it.
    this.section = made("section", { className: "layerscope-units", "data-lm-suppress-shortcuts": "true",
      "aria-label": `Units of ${model.get("title")}` }, head, this.status, this.trouble, this.body);
    this.section.addEventListener("keydown", (event) => this.key(event));
    root.append(this.section);
    this.listeners = ["layers", "layer", "unit", "first", "grid", "sheet", "trouble"].map((name) => `change:${name}`);
    this.changed = () => this.draw();
    for (const name of this.listeners) model.on(name, this.changed);
    this.draw();
  }

  stop() {
    clearTimeout(this.timer);
    for (const name of this.listeners) this.model.off(name, this.changed);
    this.section.remove();
  }

  // Ask Python for what these traits mean. focus: what gets the focus when it is there.
  ask(traits, focus) {
    this.focus = focus || null;
    for (const [name, value] of Object.entries(traits)) this.model.set(name, value);
    this.model.save_changes();
    this.draw();
  }

  draw() {
    const get = (name) => this.model.get(name);
    const [layer, unit, first, grid, sheet] = ["layer", "unit", "first", "grid", "sheet"].map(get);
    this.trouble.textContent = get("trouble");
    this.drawLayers(get("layers"), layer);
    const shown = unit === null || unit === undefined ? grid : sheet;
    const there = shown.layer === layer && (shown === grid ? grid.first === first : sheet.unit === unit);
    const waits = !there && !get("trouble");
    this.section.setAttribute("aria-busy", String(waits));
    this.section.classList.toggle("ls-waits", waits);
    clearTimeout(this.timer);
    // A notebook that was only saved has no Python behind it, and says nothing of that itself.
    const missed = () => { this.trouble.textContent = "No answer yet: is Python running?"; };
    if (waits) this.timer = setTimeout(missed, PATIENCE_MS);
    if (!there || shown === this.drawn) return;
    this.drawn = shown;
    // What had the focus is about to go; keys pressed next would reach nobody.
    const kept = this.body.contains(this.section.getRootNode().activeElement);
    this.body.replaceChildren(...(shown === grid ? this.gridNodes(grid) : this.sheetNodes(sheet)));
    const next = this.focus || (kept && ".ls-sheet, .ls-grid button");
    const wanted = next && this.body.querySelector(next);
    // At the last unit the button that led there can be pressed no more.
    if (wanted) (wanted.disabled ? this.body.querySelector(".ls-sheet") : wanted).focus();
    this.focus = null;
  }

  drawLayers(layers, chosen) {
    const wanted = layers.map((one) => `${one.name}, ${one.units} units`);
    if ([...this.layers.options].map((one) => one.textContent).join("\n") !== wanted.join("\n")) {
      const options = layers.map((one, place) => made("option", { value: one.name, textContent: wanted[place] }));
      this.layers.replaceChildren(...options);
    }
    this.layers.value = chosen;
  }

  gridNodes(grid) {
    const perPage = this.model.get("per_page");
    const last = grid.first + grid.units.length - 1;
    const turn = (first) => this.ask({ first }, ".ls-grid button");
    const pages = made("nav", { "aria-label": "Pages of units" },
      button("Units before", () => turn(grid.first - perPage), { disabled: grid.first === 0 }),
      made("span", { textContent: `Units ${grid.first} to ${last} of ${grid.of}` }),
      button("Units after", () => turn(grid.first + perPage), { disabled: last + 1 >= grid.of }));
    this.status.textContent = `Units ${grid.first} to ${last} of ${grid.of} in ${grid.layer}.`;
    const tiles = grid.units.map((one, place) => {
      const pair = made("span", { className: "ls-pair" });
      for (const address of [one.projections, one.patches]) if (address) pair.append(picture(address, ""));
      if (!pair.childElementCount) pair.append(one.dead ? "never above zero" : "no tiles kept");
      const number = made("strong", { textContent: one.unit });
      const head = made("span", { className: "ls-name" }, number, one.name ? ` ${one.name}` : "");
      const tile = button("", () => this.open(grid.layer, one.unit), { tabIndex: place ? -1 : 0 });
      tile.dataset.unit = one.unit;
      tile.append(head, pair);
      return made("li", {}, tile);
    });
    const how = grid.method
      ? `Right of each pair stand the patches that excite the unit most, left their projections by ${grid.method}: ` +
        "gray means that nothing there counted."
      : "The patches that excite each unit most.";
    const list = made("ul", { className: "ls-grid" }, ...tiles);
    return [pages, made("p", { className: "ls-how", textContent: how }), list];
  }

  sheetNodes(sheet) {
    const { layer, unit } = sheet;
    const of = (this.model.get("layers").find((one) => one.name === layer) || { units: 0 }).units;
    const said = `${named(unit, sheet.name)}, of ${layer}`;
    this.status.textContent = `${said[0].toUpperCase()}${said.slice(1)}.`;
    const steps = made("nav", { "aria-label": "Other units" },
      button("All units", () => this.back()),
      button("Unit before", () => this.step(-1, ".ls-before"), { disabled: unit === 0, className: "ls-before" }),
      button("Unit after", () => this.step(1, ".ls-after"), { disabled: unit + 1 >= of, className: "ls-after" }));
    const head = made("strong", { className: "ls-title", textContent: `${layer}, ${named(unit, sheet.name)}` });
    const nodes = sheet.sentences.map((one) => made("p", { textContent: one }));
    const figures = sheet.pictures.map((one) => made("figure", {}, made("figcaption", { textContent: one.title }),
      picture(one.address, `${one.title} of ${named(unit, sheet.name)}`)));
    if (!figures.length) figures.push(made("p", { textContent: "This atlas keeps no tiles of it." }));
    // No list of terms: JupyterLab sets these its own way.
    const numbers = sheet.numbers.map(([name, value]) => made("span", { textContent: `${name}: ${value}` }));
    const all = made("div", { className: "ls-sheet", tabIndex: -1, role: "group", "aria-label": said }, head,
      made("div", { className: "ls-figures" }, ...figures), ...nodes,
      made("p", { className: "ls-numbers" }, ...numbers));
    if (sheet.parts.length) all.append(this.partNodes(sheet.parts));
    if (sheet.peaks.length) all.append(peakTable(sheet));
    return [steps, all];
  }

  partNodes(parts) {
    const list = made("p", { className: "ls-parts" }, `Made of these of ${parts[0].layer}, with their shares:`);
    for (const one of parts) {
      list.append(button(`${named(one.unit, one.name)}: ${one.share}`,
        () => this.open(one.layer, one.unit)));
    }
    return list;
  }

  open(layer, unit, focus) {
    this.ask({ layer, unit, first: this.firstOf(unit) }, focus || ".ls-sheet");
  }

  // The first unit of the page that a unit stands on.
  firstOf(unit) {
    return unit - (unit % this.model.get("per_page"));
  }

  back() {
    const unit = this.model.get("unit");
    this.ask({ unit: null, first: this.firstOf(unit) }, `.ls-grid button[data-unit="${unit}"]`);
  }

  step(by, focus) {
    const unit = this.model.get("unit") + by;
    const layer = this.model.get("layers").find((one) => one.name === this.model.get("layer"));
    if (layer && unit >= 0 && unit < layer.units) this.open(layer.name, unit, focus);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target === this.layers) return;
    if (!(this.drawn === this.model.get("grid") ? this.gridKey(event.key) : this.sheetKey(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
  }

  sheetKey(key) {
    if (key === "Escape") this.back();
    else if (key === "ArrowLeft") this.step(-1);
    else if (key === "ArrowRight") this.step(1);
    else return false;
    return true;
  }

  gridKey(key) {
    const tiles = [...this.body.querySelectorAll(".ls-grid button")];
    const at = tiles.indexOf(document.activeElement);
    if (at < 0) return false;
    const line = tiles.filter((one) => one.offsetTop === tiles[0].offsetTop).length;
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - line, ArrowDown: at + line, Home: 0,
      End: tiles.length - 1 };
    if (!(key in moves)) return false;
    const to = moves[key] in tiles ? moves[key] : at;
    tiles[at].tabIndex = -1;
    tiles[to].tabIndex = 0;
    tiles[to].focus();
    return true;
  }
}

function peakTable(sheet) {
  const cells = (tag, values) => made("tr", {}, ...values.map((value) => made(tag, { textContent: value })));
  const title = sheet.more ? `Its peaks; ${sheet.more} more are not shown` : "Its peaks";
  const caption = made("caption", { textContent: title });
  const table = made("table", {}, caption, made("thead", {}, cells("th", sheet.columns)),
    made("tbody", {}, ...sheet.peaks.map((row) => cells("td", row))));
  return made("div", { className: "ls-table", tabIndex: 0, role: "group", "aria-label": "Table of its peaks" }, table);
}

function render({ model, el }) {
  const units = new Units(model, el);
  return () => units.stop();
}

export default { render };
