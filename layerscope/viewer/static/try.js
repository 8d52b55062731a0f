// A picture of the reader's own, looked at by the network itself: ONNX Runtime Web runs it here, and nothing is sent.
// Runtime and network are loaded with the first picture, from scripts, since a page of file:// can read nothing else.
"use strict";
(() => {
  const root = document.getElementById("try"), facts = LS.get("try", "facts");
  if (!root || !facts) return;
  const $ = (id) => document.getElementById(id);
  const MOST_PX = 5e7, SVG = "http://www.w3.org/2000/svg";
  const CALLED = { runtime: "the runtime", glue: "the runtime", binary: "the runtime", network: "the network", pictures: "the pictures" };

  const say = (words, trouble = false) => {
    $("try-state").textContent = words;
    $("try-state").parentElement.classList.toggle("trouble", trouble);
  };
  const made = (tag, words = "", more = {}) => Object.assign(document.createElement(tag), words ? { textContent: words } : {}, more);
  const percent = (share) => (share < 0.0995 ? `${Number((100 * share).toPrecision(2))} %` : `${(100 * share).toFixed(0)} %`);
  const measured = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3));

  // --- what is loaded

  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  async function unpacked(name) {
    const packed = new Blob([bytesOf(LS.get("try", name))]).stream();
    return new Uint8Array(await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  }

  const loaded = (name) => new Promise((done, failed) => {
    const gone = () => failed(new Error(`${CALLED[name]} could not be loaded: ${root.dataset[name]} is not there, or the browser refuses it`));
    document.head.append(made("script", "", { src: root.dataset[name], onload: done, onerror: gone }));
  });

  async function started() {
    say(`Loading ${root.dataset.megabytes}`);
    await Promise.all(["runtime", "glue", "binary", "network"].map(loaded));
    say("Starting the network");
    const { wasm } = ort.env, glue = new Blob([await unpacked("glue")], { type: "text/javascript" });
    // One thread and no worker: more of them would need headers that no folder has.
    wasm.numThreads = 1;
    wasm.proxy = false;
    wasm.wasmBinary = await unpacked("binary");
    wasm.wasmPaths = { mjs: URL.createObjectURL(glue) };
    return ort.InferenceSession.create(await unpacked("network"), { executionProviders: ["wasm"], logSeverityLevel: 3 });
  }

  let session = null;
  const network = () => session ??= started().catch((error) => {
    session = null;
    throw error;
  });

  // --- from a picture to an answer

  async function answered(numbers) {
    const { channels, height, width } = facts.input;
    const ready = await network(), begun = performance.now();
    const found = await ready.run({ picture: new ort.Tensor("float32", numbers, [1, channels, height, width]) });
    const layers = facts.layers.map(({ id }) => ({ highest: found[`highest${id}`].data, places: found[`place${id}`].data }));
    return { layers, scores: found.scores?.data, milliseconds: performance.now() - begun };
  }

  // The last that was asked for is shown: an earlier one may take longer.
  let asked = 0;
  async function look(blob, words) {
    const number = ++asked;
    try {
      say(`Reading ${words}`);
      const picture = await LS.prepare.decoded(blob, MOST_PX).catch((error) => {
        throw error instanceof RangeError ? error : new Error("the browser cannot read it as a picture");
      });
      const { numbers, cut } = LS.prepare.prepared(picture.data, picture.rows, picture.cols, facts.input);
      const answer = await answered(numbers);
      if (number !== asked) return;
      LS.put("try", "answer", { ...answer, numbers, cut: cut.data });
      show(picture, cut, answer);
      const state = picture.blended ? " It is partly transparent, and this browser hides the colours under that: values may differ." : "";
      say(`${words}: looked at in ${answer.milliseconds.toFixed(0)} ms, here in your browser.${state}`);
    } catch (error) {
      if (number === asked) say(`${words} cannot be looked at: ${error.message}`, true);
    }
  }

  // --- what is shown

  /** The network's input as a canvas, px for px. */
  function seen({ data, rows, cols, bands }) {
    const canvas = made("canvas", "", { width: cols, height: rows }), image = new ImageData(cols, rows);
    for (let at = 0; at < rows * cols; at++) {
      const px = bands === 1 ? [data[at], data[at], data[at]] : data.subarray(3 * at, 3 * at + 3);
      image.data.set([...px, 255], 4 * at);
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  function drawn(canvas, source, [top, left, bottom, right]) {
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(source, left, top, right - left, bottom - top, 0, 0, canvas.width, canvas.height);
    return pen;
  }

  const sized = (width, height, most) => {
    const scale = most / Math.max(width, height);
    return { width: Math.round(width * scale), height: Math.round(height * scale) };
  };

  /** The units above zero with the largest part of their highest over the atlas; of equals the first. */
  function strongest(layer, { highest, places }) {
    const largest = Math.fround(Math.max(0, ...highest)) || 1, across = layer.cols.length;
    const found = Array.from(highest, (value, unit) => {
      const scale = layer.maxima[unit] > 0 ? layer.maxima[unit] : largest;
      const row = Math.trunc(places[unit] / across), col = places[unit] % across;
      const [top, bottom] = layer.rows[row], [left, right] = layer.cols[col];
      return { unit, value, part: Math.fround(value / scale), box: [top, left, bottom, right], dead: !(layer.maxima[unit] > 0) };
    });
    return found.filter((one) => one.value > 0).sort((one, other) => other.part - one.part || one.unit - other.unit)
      .slice(0, facts.strongest);
  }

  function show(picture, cut, answer) {
    const source = seen(cut), { width, height } = facts.input, whole = [0, 0, height, width];
    Object.assign($("try-seen"), sized(width, height, 512));
    drawn($("try-seen"), source, whole);
    $("try-prepared").textContent = `The network gets ${height} × ${width} px of the picture's ${picture.rows} × ${picture.cols} (rows × columns).`;
    if (answer.scores && $("try-classes")) $("try-classes").replaceChildren(...classes(answer.scores));
    $("try-layers").replaceChildren(...facts.layers.map((layer, at) => section(layer, strongest(layer, answer.layers[at]), source)));
    $("try-answer").hidden = false;
  }

  function classes(scores) {
    const highest = Math.max(...scores), powers = Array.from(scores, (score) => Math.exp(score - highest));
    const sum = powers.reduce((one, other) => one + other, 0);
    const shares = powers.map((power, place) => ({ share: power / sum, name: facts.classes[place] ?? String(place) }));
    return shares.sort((one, other) => other.share - one.share).slice(0, facts.first).map(({ share, name }) => {
      const item = made("li"), bar = document.createElementNS(SVG, "svg");
      for (const [name, value] of [["class", "try-bar"], ["viewBox", "0 0 100 4"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) bar.setAttribute(name, value);
      for (const [kind, wide] of [["all", 100], ["share", 100 * share]]) {
        const part = document.createElementNS(SVG, "rect");
        for (const [name, value] of [["class", kind], ["width", wide], ["height", 4]]) part.setAttribute(name, value);
        bar.append(part);
      }
      item.append(bar, made("span", `${name}: ${percent(share)}`));
      return item;
    });
  }

  function section(layer, units, source) {
    const part = made("section", "", { className: "try-layer" }), title = made("h2", `${layer.name} `);
    title.append(made("span", units.length ? `${units.length} of ${layer.units} units` : "no unit is above zero", { className: "quiet" }));
    part.append(title);
    if (!units.length) return part;
    const row = made("div", "", { className: "try-row" }), list = made("ol", "", { className: "try-units" });
    const { canvas, draw } = boxed(layer, units, source);
    units.forEach((one, at) => {
      const item = card(layer, one, at + 1, source);
      // Pointing at a unit, or going to it by keys, shows its box alone.
      for (const kind of ["pointerenter", "focusin"]) item.addEventListener(kind, () => draw(at));
      for (const kind of ["pointerleave", "focusout"]) item.addEventListener(kind, () => draw());
      list.append(item);
    });
    row.append(canvas, list);
    part.append(row);
    return part;
  }

  const STEPS = Array.from({ length: 13 }, (_, place) => place - 6);

  /** Where the boxes' numbers stand: along the upper edges, for deep units see the same px; beside what is too small to
   * hold one; and where another stands already, at the nearest place that is free. All in px of the canvas. */
  function numberPlaces(boxes, size, { width, height }) {
    const across = 0.8 * size, taken = [];
    const isFree = ([left, top]) => left >= 0 && top >= 0 && left + across <= width && top + size <= height &&
      taken.every(([other, above]) => Math.abs(left - other) >= across || Math.abs(top - above) >= size);
    return boxes.map(([top, left, bottom, right], at) => {
      const holds = Math.min(bottom - top, right - left) >= 2 * size;
      const [first, above] = holds ? [left + 8 + (right - left - 36) * at / facts.strongest, top + 7] : [right + 2, top];
      const near = STEPS.flatMap((row) => STEPS.map((col) => [first + col * across, above + row * size]))
        .sort((one, other) => Math.hypot(one[0] - first, one[1] - above) - Math.hypot(other[0] - first, other[1] - above));
      const found = near.find(isFree) ?? [first, above];
      taken.push(found);
      return found;
    });
  }

  /** The picture with the strongest units' fields; `draw` shows them all, or one alone. */
  function boxed(layer, units, source) {
    const { width, height } = facts.input, canvas = made("canvas", "", sized(width, height, 512)), scale = canvas.width / width;
    const size = Math.round(canvas.width / 15), boxes = units.map(({ box }) => box.map((side) => side * scale));
    const numbers = numberPlaces(boxes, size, canvas);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `What the strongest units of ${layer.name} see`);
    const draw = (alone = null) => {
      const pen = drawn(canvas, source, [0, 0, height, width]);
      pen.font = `700 ${size}px system-ui, sans-serif`;
      pen.textBaseline = "top";
      pen.lineJoin = "round";
      const which = [...boxes.keys()].filter((at) => alone === null || at === alone);
      for (const at of [...which].reverse()) {
        const [top, left, bottom, right] = boxes[at];
        for (const [colour, line] of [["#000000", 7], ["#ff7a1a", 3.5]]) {
          pen.strokeStyle = colour;
          pen.lineWidth = line;
          pen.strokeRect(left + 3, top + 3, right - left - 6, bottom - top - 6);
        }
      }
      // Numbers lie over all boxes.
      pen.strokeStyle = "#000000";
      pen.lineWidth = 6;
      pen.fillStyle = "#ffffff";
      for (const at of which) {
        pen.strokeText(String(at + 1), ...numbers[at]);
        pen.fillText(String(at + 1), ...numbers[at]);
      }
    };
    draw();
    return { canvas, draw };
  }

  const numbered = (address, unit) => address.replace("{n}", unit);

  function card(layer, one, rank, source) {
    const item = made("li"), head = made("p"), pair = made("div", "", { className: "try-pair" }), name = layer.names[one.unit];
    head.append(made("b", `${rank} `), made("a", `unit ${one.unit}`, { href: numbered(layer.page, one.unit) }));
    if (name) head.append(made("span", ` ${name}`, { className: "quiet" }));
    const [top, left, bottom, right] = one.box, patch = made("canvas", "", sized(right - left, bottom - top, 96));
    patch.setAttribute("role", "img");
    patch.setAttribute("aria-label", `What unit ${one.unit} sees here`);
    drawn(patch, source, one.box);
    const sheet = Object.keys(layer.sheets).find((address) => layer.sheets[address].includes(one.unit));
    pair.append(patch, sheet ?
      made("img", "", { src: numbered(sheet, one.unit), alt: `What unit ${one.unit} fired for most over the atlas`, width: 96, height: 96, loading: "lazy" }) :
      made("p", "no tiles are kept of it", { className: "none" }));
    const words = one.dead ? "never above zero over the atlas" : `${percent(one.part)} of its highest`;
    const value = made("p", `${measured(one.value)} `, { className: "value" });
    value.append(made("span", words, { className: "quiet" }));
    item.append(head, pair, value);
    return item;
  }

  // --- where pictures come from

  const buttons = [...root.querySelectorAll("[data-image]")];
  const pressed = (image) => buttons.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.image === image)));

  function own(file) {
    if (!file) return;
    pressed(null);
    history.replaceState(null, "", location.pathname + location.search);
    look(file, file.name || "The picture");
  }

  async function ofAtlas(image) {
    pressed(image);
    history.replaceState(null, "", `#image=${image}`);
    try {
      if (!LS.get("try", "pictures")) await loaded("pictures");
      await look(new Blob([bytesOf(LS.get("try", "pictures")[image])]), `Image ${image} of the atlas`);
    } catch (error) {
      say(error.message, true);
    }
  }

  for (const button of buttons) button.onclick = () => ofAtlas(button.dataset.image);
  const file = $("try-file");
  file.onchange = () => own(file.files[0]);
  document.addEventListener("paste", (event) => own([...event.clipboardData.files][0]));
  const dropping = (on) => document.body.classList.toggle("try-dropping", on);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    dropping(true);
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) dropping(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    dropping(false);
    own(event.dataTransfer.files[0]);
  });
  // A link to one of the atlas's pictures; and a file that was chosen before this script ran.
  const linked = new URLSearchParams(location.hash.slice(1)).get("image");
  if (buttons.some((one) => one.dataset.image === linked)) ofAtlas(linked);
  else if (file.files.length) own(file.files[0]);
})();
