/* The live page: what is chosen, and what each button and key does. Where pictures come from, how they travel, how they
   are painted and how the address says it all stand in live-sources.js, live-link.js, live-paint.js, live-address.js. */
"use strict";
(async () => {
  const root = document.getElementById("live");
  if (!root) return;
  // A file that comes before the page is ready is not lost.
  let early = null;
  LS.take = (files) => { early = files; };
  const facts = await (await fetch(root.dataset.facts)).json();
  const $ = (id) => document.getElementById(id);
  const GAINS = [1, 2, 4, 8], MOST_MOSAIC_PX = 1e6;

  // auto: the strongest unit of the next answer is chosen. byHand: the reader chose the unit, or the address did. first: the first of the maps on the screen, null by the unit.
  const see = { layer: 0, unit: null, pinned: null, method: facts.methods[0], gain: 0, first: null, auto: true, byHand: false };
  const address = LS.liveAddress(facts);
  address.read(see, GAINS);
  see.byHand = see.unit !== null;
  see.auto = !see.byHand;
  const unitLayer = () => facts.layers[see.pinned === null ? see.layer : see.pinned];

  // --- words

  const say = (words, trouble = false) => {
    if ($("state").textContent !== words) $("state").textContent = words;
    $("state").classList.toggle("trouble", trouble);
  };
  // Why there is no picture stays said until something else is.
  let cleared = false;
  /** clear: nothing of the last picture stays either. */
  function stop(words, clear = false) {
    cleared = clear;
    root.classList.toggle("stopped", !clear);
    if (clear) {
      source.kind = source.current = null;
      paint.clear();
      if (!see.byHand) [see.unit, see.auto] = [null, true];
      show();
    }
    say(`Stopped: ${words}`, true);
  }

  // Said of what came instead of a picture, it stays until the next picture.
  let refused = null;
  const refuse = (words) => { refused = source.current; say(words, true); };

  /** Of an image of the atlas: which picture of it this is, and what of the scan comes back. */
  function origin({ original, scan, layerOf }) {
    if (original === null) return "";
    const file = original ? ", the original" : ", the small copy that the atlas keeps: the original was not found";
    if (!scan || !scan[0]) return file;
    const [kept, back, ratio] = scan, layer = facts.layers[layerOf].name;
    const lost = back < kept ? `, the median is ${paint.percent(ratio)} of the scan's` : "";
    return `${file}; in ${layer} ${back} of ${kept} activations of the scan come back to within 1 %${lost}`;
  }

  const source = LS.liveSources(facts, { say, stop, refuse, ready: () => link.pump(), changed: () => show() });
  const paint = LS.livePaint(facts, see, GAINS, unitLayer, (unit, layer) => choose(unit, layer));
  const link = LS.liveLink(facts, source, {
    say, stop, request, answered,
    idle: () => { if (!cleared) say("Ready: start the camera, or choose a picture"); },
  });

  function request(prepared) {
    // A unit that nobody chose makes room for the strongest of the next picture.
    if (prepared && !see.byHand && see.pinned === null) see.auto = true;
    const layer = facts.layers[see.layer], size = Math.max(1, layer.rows * layer.cols);
    const page = Math.max(1, Math.floor(MOST_MOSAIC_PX / size)), by = see.pinned === null && see.unit !== null ? see.unit : 0;
    const first = see.first ?? Math.floor(by / page) * page;
    return JSON.stringify({
      layer: layer.name, unit: see.unit, pinned: see.pinned === null ? null : facts.layers[see.pinned].name,
      method: see.method, mosaic: true, project: see.unit !== null, prepared,
      visible: page < layer.units ? [first, Math.min(first + page, layer.units)] : null,
    });
  }

  let painted = [];
  function answered(found, latency) {
    // An answer to a picture that has gone meanwhile.
    if (found.of !== source.current) return;
    root.classList.remove("stopped");
    paint.all(found);
    const now = performance.now();
    painted = painted.filter((moment) => now - moment < 2000).concat(now);
    const rate = painted.length > 1 ? (painted.length - 1) * 1000 / (now - painted[0]) : 0;
    $("rate").textContent = source.moving() ? rate.toFixed(1) : "–";
    $("latency").textContent = latency.toFixed(0);
    $("model").textContent = found.milliseconds.forward.toFixed(0);
    root.dispatchEvent(new CustomEvent("live-answer", { detail: { latency, rate, milliseconds: found.milliseconds } }));
    if (!source.frozen && source.kind && refused !== source.current) say(source.saying() + origin(found));
    // The strongest is shown at once, and then held: a stream has another one in every frame.
    if (see.auto && found.layerOf === see.layer && found.strongest.length) choose(found.strongest[0], null, false);
  }

  // --- what changes with a choice, and not with every frame

  function show() {
    const layer = facts.layers[see.layer], owner = unitLayer(), unit = see.unit;
    $("layer").value = see.layer;
    $("layer-words").textContent = `${layer.units} units, ${layer.rows === 1 && layer.cols === 1 ? "one value each" : `maps of ${layer.rows} x ${layer.cols}`}`;
    $("gain").textContent = `x ${GAINS[see.gain]}`;
    $("method").value = see.method;
    $("chosen").hidden = unit === null;
    $("unchosen").hidden = unit !== null;
    $("unit-none").hidden = unit !== null;
    $("unit-link").hidden = unit === null;
    for (const [id, on] of [["freeze", source.frozen], ["pin", see.pinned !== null], ["camera", source.kind === "camera"], ["play", source.playing]]) {
      $(id).setAttribute("aria-pressed", String(on));
    }
    $("play").hidden = !source.calm.matches;
    for (const one of root.querySelectorAll("[data-image]")) {
      one.setAttribute("aria-current", String(Boolean(source.current) && source.current.image === Number(one.dataset.image)));
    }
    address.write(see, source.kind === "camera" || source.kind === "video" ? null : source.current, GAINS);
    if (unit !== null) showUnit(owner, unit);
  }

  const filled = (pattern, n) => pattern.replace("{n}", n);
  function showUnit(owner, unit) {
    $("unit-link").textContent = `Unit ${unit} of ${owner.name}`;
    $("unit-link").href = filled(owner.page, unit);
    $("closest").textContent = owner.dead.includes(unit) ? "Never above zero over the atlas" : owner.said[unit] || "Nothing is known of it";
    const bare = owner.bare.includes(unit), stored = owner.projections[see.method] ? see.method : owner.method;
    $("before").hidden = bare;
    $("bare").hidden = !bare;
    $("made").href = filled(owner.tiles, unit);
    for (const [id, wanted, words] of [
      ["patches", owner.patches, `what unit ${unit} fired for most over the atlas`],
      ["projections", stored && owner.projections[stored], `the same nine, carried back by ${stored}`],
    ]) {
      const shown = $(id), there = Boolean(wanted) && !bare;
      shown.closest("figure").hidden = !there;
      if (there && shown.getAttribute("src") !== filled(wanted, unit)) shown.src = filled(wanted, unit);
      shown.alt = words;
    }
    $("stored-method").textContent = stored || "";
    $("shot-method").textContent = see.method;
  }

  for (const id of ["patches", "projections"]) $(id).onerror = () => { $(id).closest("figure").hidden = true; };

  // --- choices

  /** layer: of the unit where it is not the pinned one's; then nothing is pinned any more. */
  function choose(unit, layer = null, byHand = true) {
    if (layer !== null) see.pinned = null;
    see.auto = false;
    see.byHand = byHand;
    see.first = null;
    see.unit = unit === null ? null : Math.max(0, Math.min(unitLayer().units - 1, unit));
    show();
    paint.maps();
    paint.unit();
    link.look();
  }

  function changeLayer(to) {
    const next = Math.max(0, Math.min(facts.layers.length - 1, to));
    if (next === see.layer) return;
    see.layer = next;
    see.first = null;
    // A unit's number means nothing in another layer: the strongest there is chosen anew.
    if (see.pinned === null) [see.unit, see.auto, see.byHand] = [null, true, false];
    show();
    link.look();
  }

  function brighten(by) {
    see.gain = Math.max(0, Math.min(GAINS.length - 1, see.gain + by));
    show();
    paint.maps();
    paint.unit();
  }

  /** Further maps of a layer that has too many for one screen. */
  function turn(by) {
    const answer = paint.answer();
    if (!answer || !answer.mosaic || $("some").hidden) return;
    const layer = facts.layers[see.layer], page = Math.max(1, Math.floor(MOST_MOSAIC_PX / Math.max(1, layer.rows * layer.cols)));
    const first = answer.mosaic[4] + by * page;
    if (first < 0 || first >= layer.units) return;
    see.first = first;
    link.look();
  }

  const across = () => paint.answer() && paint.answer().mosaic ? paint.answer().mosaic[1] : 8;
  const move = (by) => {
    if (see.pinned !== null) return;
    const answer = paint.answer();
    choose(see.unit === null ? (answer && answer.strongest[0]) || 0 : see.unit + by);
  };

  const actions = {
    camera: source.camera, freeze: source.freeze,
    play() { source.playing = !source.playing; show(); },
    next: () => source.step(1), previous: () => source.step(-1),
    "layer-down": () => changeLayer(see.layer - 1), "layer-up": () => changeLayer(see.layer + 1),
    earlier: () => turn(-1), further: () => turn(1),
    pin() {
      if (see.unit === null) return;
      see.pinned = see.pinned === null ? see.layer : null;
      choose(see.unit);
    },
    mode() { see.method = facts.methods[(facts.methods.indexOf(see.method) + 1) % facts.methods.length]; show(); link.look(); },
    zoom: () => root.classList.toggle("zoomed"),
    best: () => { root.classList.toggle("best"); $("unit").scrollIntoView({ block: "nearest" }); },
    brighter: () => brighten(1), darker: () => brighten(-1),
    classes: () => { $("top").hidden = !$("top").hidden; },
    reset() { see.pinned = null; see.gain = 0; root.classList.remove("zoomed", "best"); choose(null); },
    left: () => move(-1), right: () => move(1), up: () => move(-across()), down: () => move(across()),
    "left-fast": () => move(-8), "right-fast": () => move(8),
    "up-fast": () => move(-4 * across()), "down-fast": () => move(4 * across()),
    async portrait() {
      const of = source.current;
      if (!of) return say("There is no picture yet", true);
      const key = Number.isInteger(of.image) ? `image-${of.image}` : of.key;
      if (key) { location.href = filled(facts.looked, key); return; }
      say("Looking at this picture at every layer");
      try { location.href = (await LS.sendPicture(of.blob)).address; } catch (error) { say(error.message, true); }
    },
  };

  for (const button of root.querySelectorAll("[data-do]")) button.onclick = () => actions[button.dataset.do]();
  const MOVES = { ArrowLeft: "left", ArrowDown: "down", ArrowUp: "up", ArrowRight: "right" };
  addEventListener("keydown", (event) => {
    const field = event.target.closest("input, select, textarea"), off = !$("single-keys").checked;
    if (event.ctrlKey || event.metaKey || event.altKey || field || document.querySelector("dialog[open]")) return;
    if (off && event.key.length === 1) return;
    const arrow = MOVES[event.key];
    const button = arrow ? null : root.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!arrow && !button) return;
    event.preventDefault();
    if (arrow) actions[event.shiftKey ? `${arrow}-fast` : arrow]();
    else button.click();
  });
  $("layer").onchange = () => changeLayer(Number($("layer").value));
  $("method").onchange = () => { see.method = $("method").value; show(); link.look(); };
  $("opacity").oninput = paint.unit;
  $("file").onchange = () => source.take($("file").files);
  for (const one of root.querySelectorAll("[data-image]")) {
    one.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      source.image(Number(one.dataset.image));
    };
  }
  $("mosaic").onclick = (event) => {
    const answer = paint.answer();
    if (!answer || !answer.mosaic) return;
    const [gridRows, gridCols, , , first] = answer.mosaic, place = $("mosaic").getBoundingClientRect();
    const col = Math.floor((event.clientX - place.left) / place.width * gridCols);
    const unit = first + Math.floor((event.clientY - place.top) / place.height * gridRows) * gridCols + col;
    if (unit < facts.layers[see.layer].units) choose(unit, see.layer);
  };
  source.calm.onchange = show;
  LS.live = actions;
  LS.figure = paint.figure;
  LS.take = source.take;

  const shape = facts.width / facts.height;
  for (const id of ["stage", "overlay"]) {
    $(id).width = shape >= 1 ? 512 : Math.round(512 * shape);
    $(id).height = shape >= 1 ? Math.round(512 / shape) : 512;
  }
  show();
  link.connect();
  // What the reader did meanwhile comes before what the address says.
  const asked = address.pictured();
  if (early) source.take(early);
  else if ($("file").files.length) source.take($("file").files);
  else if (asked && "image" in asked) source.image(asked.image);
  else if (asked) source.kept(asked.picture);
})();
