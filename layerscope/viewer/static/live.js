/* The live page: pictures go to the network one at a time, its answers are painted. Classic script, no build.
   One frame is in flight: the next is taken only when the answer to the last is painted, so no delay builds up. */
"use strict";
(async () => {
  const root = document.getElementById("live");
  if (!root) return;
  const facts = await (await fetch(root.dataset.facts)).json();
  const $ = (id) => document.getElementById(id);
  const FRAME = 1, AGAIN = 2, RESULT = 3, VERSION = 1, HEADER = 16;
  const STOPPED_MS = 5000, GAINS = [1, 2, 4, 8], MOST_MOSAIC_PX = 1e6;
  // Why a connection was closed: see live_socket.py.
  const FULL = 1013, IDLE = 4000;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const see = { layer: 0, unit: null, pinned: null, method: facts.methods[0], gain: 0, mosaic: null };
  let flying = null; // { number, sent, of }: the question not yet answered
  let answer = null, socket = null, requested = "", dirty = false, number = 0, backoff = 500, resting = false;
  let painted = [];

  // --- colours: 256 entries between the page's own 17

  const ANCHORS = facts.colours.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const COLOURS = Array.from({ length: 256 }, (_, level) => {
    const place = level / 255 * 16, low = Math.min(Math.floor(place), 15), part = place - low;
    return ANCHORS[low].map((value, channel) => Math.round(value + part * (ANCHORS[low + 1][channel] - value)));
  });
  const boosted = (level) => Math.min(255, level * GAINS[see.gain]);
  const coloursNow = () => Uint32Array.from({ length: 256 }, (_, level) => {
    const [red, green, blue] = COLOURS[boosted(level)];
    return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
  });

  // --- words

  const say = (words, trouble = false) => {
    if ($("state").textContent !== words) $("state").textContent = words;
    $("state").classList.toggle("trouble", trouble);
  };
  const stop = (words) => { root.classList.add("stopped"); say(`Stopped: ${words}`, true); };
  const short = (value) => Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
  const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const unitLayer = () => facts.layers[see.pinned === null ? see.layer : see.pinned];
  const address = (pattern, n) => pattern.replace("{n}", n);

  const source = LS.liveSources(facts, { say, stop, ready: () => pump(), changed: () => show() });

  // --- the connection

  function connect() {
    const secure = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${secure}//${location.host}${facts.socket}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      requested = "";
      if (source.current) source.current.fresh = true;
      if (!source.kind) say("Ready: start the camera, or choose a picture");
      pump();
    };
    socket.onmessage = ({ data }) => typeof data === "string" ? failed(JSON.parse(data)) : result(data);
    socket.onclose = closed;
  }

  function closed(event) {
    socket = flying = null;
    if (event.code === IDLE) return say("Paused: nothing was asked for a while. Anything you do goes on");
    if (event.code === FULL) return stop(event.reason || "others are watching already");
    stop(event.reason || "the server does not answer; trying again");
    resting = true;
    setTimeout(() => { resting = false; connect(); }, backoff);
    backoff = Math.min(4000, backoff * 2);
  }

  const open = () => socket !== null && socket.readyState === WebSocket.OPEN;

  function failed({ error: words, number: of }) {
    if (flying && of === flying.number) flying = null;
    say(words, true);
    pump();
  }

  function request() {
    const layer = facts.layers[see.layer], size = Math.max(1, layer.rows * layer.cols);
    const page = Math.max(1, Math.floor(MOST_MOSAIC_PX / size));
    const first = see.pinned === null && see.unit !== null ? Math.floor(see.unit / page) * page : 0;
    return JSON.stringify({
      layer: layer.name, unit: see.unit, pinned: see.pinned === null ? null : facts.layers[see.pinned].name,
      method: see.method, mosaic: true, project: see.unit !== null,
      visible: page < layer.units ? [first, Math.min(first + page, layer.units)] : null,
    });
  }

  function message(type, flags, body) {
    const data = new Uint8Array(HEADER + (body ? body.byteLength : 0)), view = new DataView(data.buffer);
    view.setUint8(0, VERSION);
    view.setUint8(1, type);
    view.setUint16(2, flags, true);
    view.setUint32(4, number, true);
    view.setFloat64(8, source.current.clock, true);
    if (body) data.set(new Uint8Array(body), HEADER);
    return data;
  }

  /** Send what is to be seen, if nothing is under way. */
  async function pump() {
    if (socket === null && source.kind && !resting) return connect();
    if (!open() || flying || source.grabbing) return;
    if (source.moving() && source.waiting && !(await source.grab())) return;
    if (!open() || flying || !source.current || !(source.current.fresh || dirty)) return;
    const of = source.current, whole = of.fresh, words = request();
    number = (number + 1) >>> 0;
    flying = { number, sent: performance.now(), of };
    of.fresh = dirty = false;
    if (!source.moving()) of.clock = flying.sent;
    const body = whole ? await of.blob.arrayBuffer() : null;
    if (!open()) return;
    if (words !== requested) socket.send(requested = words);
    socket.send(message(whole ? FRAME : AGAIN, whole ? of.flags : 0, body));
  }

  const look = () => { dirty = true; pump(); };

  async function result(data) {
    const view = new DataView(data);
    if (view.getUint8(1) !== RESULT || !flying || view.getUint32(4, true) !== flying.number) return;
    const length = view.getUint32(HEADER, true), bytes = new Uint8Array(data, HEADER + 4 + length);
    const found = JSON.parse(new TextDecoder().decode(new Uint8Array(data, HEADER + 4, length)));
    let at = 0;
    const parts = found.pictures.map((size) => bytes.subarray(at, at += size));
    const bitmap = (part, type) => part && createImageBitmap(new Blob([part], { type }));
    const mosaic = found.mosaic && parts.shift(), map = found.map && parts.shift();
    const [maps, projection] = await Promise.all([
      bitmap(mosaic, "image/jpeg"), bitmap(found.projection && parts.shift(), "image/png"),
    ]);
    if (!flying) return;
    const { layer, unit, pinned } = JSON.parse(requested), layerOf = facts.layers.findIndex((one) => one.name === layer);
    answer = { ...found, maps, levels: map, shot: projection, of: flying.of, layerOf, unit, unitLayer: pinned || layer };
    flying = null;
    backoff = 500;
    root.classList.remove("stopped");
    paint();
    count(performance.now() - view.getFloat64(8, true));
    // Behind the paint of this answer.
    requestAnimationFrame(() => pump());
  }

  function count(latency) {
    const now = performance.now();
    painted = painted.filter((moment) => now - moment < 2000).concat(now);
    const rate = painted.length > 1 ? (painted.length - 1) * 1000 / (now - painted[0]) : 0;
    $("rate").textContent = source.moving() ? rate.toFixed(1) : "–";
    $("latency").textContent = latency.toFixed(0);
    $("model").textContent = answer.milliseconds.forward.toFixed(0);
    const sample = { latency, rate, milliseconds: answer.milliseconds };
    root.dispatchEvent(new CustomEvent("live-answer", { detail: sample }));
    if (!source.frozen && source.kind) say(source.saying());
  }

  // --- painting

  function paint() {
    const stage = $("stage"), pen = stage.getContext("2d"), [top, left, bottom, right] = answer.seen;
    pen.fillStyle = "#808080";
    pen.fillRect(0, 0, stage.width, stage.height);
    const from = answer.of.bitmap, scale = from.width / answer.size[1];
    pen.drawImage(from, left * scale, top * scale, (right - left) * scale, (bottom - top) * scale, 0, 0, stage.width, stage.height);
    $("empty").hidden = true;
    paintMaps();
    paintUnit();
    $("classes").replaceChildren(...answer.top.map(([name, share]) => {
      const row = document.createElement("li"), bar = document.createElement("meter"), words = document.createElement("span");
      words.textContent = `${name} ${percent(share)}`;
      bar.value = share;
      bar.setAttribute("aria-hidden", "true");
      row.append(bar, words);
      return row;
    }));
  }

  const sheet = document.createElement("canvas");

  /** The layer's maps in colours, the strongest framed thinly, the chosen one boldly. */
  function paintMaps() {
    if (!answer || !answer.maps) return;
    const [gridRows, gridCols, rows, cols, first] = answer.mosaic, layer = facts.layers[answer.layerOf];
    const width = gridCols * cols, height = gridRows * rows, canvas = $("mosaic"), pen = canvas.getContext("2d");
    sheet.width = width;
    sheet.height = height;
    const ink = sheet.getContext("2d", { willReadFrequently: true });
    ink.drawImage(answer.maps, 0, 0);
    const pixels = ink.getImageData(0, 0, width, height), gray = pixels.data, table = coloursNow();
    const inked = new Uint32Array(gray.buffer);
    for (let at = 0; at < inked.length; at += 1) inked[at] = table[gray[4 * at]];
    ink.putImageData(pixels, 0, 0);
    const zoom = Math.max(1, Math.round(720 / width)), across = cols * zoom, down = rows * zoom;
    if (canvas.width !== width * zoom || canvas.height !== height * zoom) {
      canvas.width = width * zoom;
      canvas.height = height * zoom;
    }
    pen.imageSmoothingEnabled = false;
    pen.drawImage(sheet, 0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#808080";
    const shown = Math.min(layer.units - first, gridRows * gridCols);
    for (let cell = shown; cell < gridRows * gridCols; cell += 1) {
      pen.fillRect(cell % gridCols * across, Math.floor(cell / gridCols) * down, across, down);
    }
    for (let col = 1; col < gridCols; col += 1) pen.fillRect(col * across - 0.5, 0, 1, canvas.height);
    for (let row = 1; row < gridRows; row += 1) pen.fillRect(0, row * down - 0.5, canvas.width, 1);
    if (shown < layer.units) $("layer-words").textContent = `${layer.units} units; shown are ${first} to ${first + shown - 1}: move on to see others`;
    const outlined = (unit, colour, line) => {
      const cell = unit - first;
      if (cell < 0 || cell >= shown) return;
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.strokeRect(cell % gridCols * across + line / 2, Math.floor(cell / gridCols) * down + line / 2, across - line, down - line);
    };
    for (const unit of answer.strongest) outlined(unit, "#ffffff", 2);
    if (see.unit !== null && (see.pinned ?? see.layer) === answer.layerOf) {
      outlined(see.unit, "#000000", 6);
      outlined(see.unit, "#ff7a1a", 4);
    }
    nameStrongest(layer);
  }

  /** Buttons stay from answer to answer and only their words change: a click takes longer than a frame, and focus stays. */
  function nameStrongest(layer) {
    const list = $("strongest");
    while (list.children.length > answer.strongest.length) list.lastChild.remove();
    answer.strongest.forEach((unit, at) => {
      const button = list.children[at] || list.appendChild(document.createElement("button"));
      const words = layer.names[unit] ? `unit ${unit}, guess: ${layer.names[unit]}` : `unit ${unit}`;
      if (button.textContent !== String(unit)) button.textContent = unit;
      if (button.title !== words) button.title = words;
      button.type = "button";
      button.onclick = () => { see.pinned = null; choose(unit); };
    });
  }

  /** The chosen unit's map over the frame, its strongest position boxed; that patch and its projection. */
  function paintUnit() {
    const over = $("overlay"), pen = over.getContext("2d");
    pen.clearRect(0, 0, over.width, over.height);
    const about = answer && answer.map;
    if (!about || answer.unit !== see.unit || answer.unitLayer !== unitLayer().name) return;
    const image = new ImageData(about.cols, about.rows), opacity = Number($("opacity").value);
    answer.levels.forEach((level, at) => {
      const lit = boosted(level);
      image.data.set([...COLOURS[lit], 255 * opacity * Math.min(1, lit / 96)], 4 * at);
    });
    sheet.width = about.cols;
    sheet.height = about.rows;
    sheet.getContext("2d").putImageData(image, 0, 0);
    pen.drawImage(sheet, 0, 0, over.width, over.height);
    const [top, left, bottom, right] = about.box, across = over.width / facts.width, down = over.height / facts.height;
    for (const [colour, line] of [["#000000", 5], ["#ff7a1a", 2.5]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.strokeRect(left * across + 2, top * down + 2, (right - left) * across - 4, (bottom - top) * down - 4);
    }
    const dead = about.value <= 0;
    $("value").textContent = dead ? "not above zero in this picture" :
      `${short(about.value)} at row ${about.row}, column ${about.col}: ${percent(about.value / about.scale)} of its highest over the atlas`;
    paintTiles();
  }

  function paintTiles() {
    const patch = $("patch"), shot = $("shot"), box = answer.projection;
    for (const canvas of [patch, shot]) {
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#808080";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingEnabled = false;
    }
    if (!answer.shot || !box) return;
    shot.getContext("2d").drawImage(answer.shot, 0, 0, shot.width, shot.height);
    const [top, left, bottom, right] = box, stage = $("stage"), across = stage.width / facts.width, down = stage.height / facts.height;
    patch.getContext("2d").drawImage(stage, left * across, top * down, (right - left) * across, (bottom - top) * down,
      0, 0, patch.width, patch.height);
  }

  /** What changes with a choice, and not with every frame. */
  function show() {
    const layer = facts.layers[see.layer], owner = unitLayer(), unit = see.unit;
    $("layer").value = see.layer;
    $("layer-words").textContent = `${layer.units} units, ${layer.rows === 1 && layer.cols === 1 ? "one value each" : `maps of ${layer.rows} x ${layer.cols}`}`;
    $("gain").textContent = `x ${GAINS[see.gain]}`;
    $("method").value = see.method;
    $("chosen").hidden = unit === null;
    $("unchosen").hidden = unit !== null;
    for (const [id, on] of [["freeze", source.frozen], ["pin", see.pinned !== null], ["camera", source.kind === "camera"], ["play", source.playing]]) {
      $(id).setAttribute("aria-pressed", String(on));
    }
    $("play").hidden = !calm.matches;
    if (unit === null) return;
    $("unit-link").textContent = `Unit ${unit} of ${owner.name}`;
    $("unit-link").href = address(owner.page, unit);
    const guess = owner.names[unit];
    $("guess").textContent = owner.dead.includes(unit) ? "Never above zero over the atlas" : guess ? `Guess: ${guess}` : "No name";
    const stored = owner.projections[see.method] ? see.method : owner.method;
    for (const [id, wanted, words] of [
      ["patches", owner.patches, `what unit ${unit} fired for most over the atlas`],
      ["projections", stored && owner.projections[stored], `the same nine, carried back by ${stored}`],
    ]) {
      const shown = $(id), there = Boolean(wanted) && !owner.bare.includes(unit);
      shown.closest("figure").hidden = !there;
      if (there && shown.getAttribute("src") !== address(wanted, unit)) shown.src = address(wanted, unit);
      shown.alt = words;
    }
    $("stored-method").textContent = stored || "";
    $("shot-method").textContent = see.method;
  }

  for (const id of ["patches", "projections"]) $(id).onerror = () => { $(id).closest("figure").hidden = true; };

  // --- choices

  function choose(unit) {
    see.unit = unit === null ? null : Math.max(0, Math.min(unitLayer().units - 1, unit));
    show();
    paintMaps();
    if (answer) paintUnit();
    look();
  }

  function changeLayer(to) {
    const next = Math.max(0, Math.min(facts.layers.length - 1, to));
    if (next === see.layer) return;
    see.layer = next;
    if (see.pinned === null && see.unit !== null) see.unit = Math.min(see.unit, facts.layers[next].units - 1);
    show();
    look();
  }

  function brighten(by) {
    see.gain = Math.max(0, Math.min(GAINS.length - 1, see.gain + by));
    show();
    paintMaps();
    if (answer) paintUnit();
  }

  const across = () => answer && answer.mosaic ? answer.mosaic[1] : 8;
  const move = (by) => { if (see.pinned === null) choose(see.unit === null ? (answer && answer.strongest[0]) || 0 : see.unit + by); };

  const actions = {
    camera: source.camera, freeze: source.freeze,
    play() { source.playing = !source.playing; show(); },
    next: () => source.step(1), previous: () => source.step(-1),
    "layer-down": () => changeLayer(see.layer - 1), "layer-up": () => changeLayer(see.layer + 1),
    pin() {
      if (see.unit === null) return;
      see.pinned = see.pinned === null ? see.layer : null;
      choose(see.unit);
    },
    mode() { see.method = facts.methods[(facts.methods.indexOf(see.method) + 1) % facts.methods.length]; show(); look(); },
    zoom: () => root.classList.toggle("zoomed"),
    best: () => { root.classList.toggle("best"); $("unit").scrollIntoView({ block: "nearest" }); },
    brighter: () => brighten(1), darker: () => brighten(-1),
    classes: () => { $("top").hidden = !$("top").hidden; },
    reset() { see.pinned = null; see.gain = 0; root.classList.remove("zoomed", "best"); choose(null); },
    left: () => move(-1), right: () => move(1), up: () => move(-across()), down: () => move(across()),
    "left-fast": () => move(-8), "right-fast": () => move(8),
    "up-fast": () => move(-4 * across()), "down-fast": () => move(4 * across()),
    async portrait() {
      if (!source.current) return say("There is no picture yet", true);
      say("Looking at this picture at every layer");
      const reply = await fetch(facts.look, { method: "POST", body: source.current.blob }).catch(() => null);
      const said = reply && await reply.json().catch(() => null);
      if (said && said.address) location.href = said.address;
      else say(said && said.error ? said.error : "The server does not answer", true);
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
  $("method").onchange = () => { see.method = $("method").value; show(); look(); };
  $("opacity").oninput = () => { if (answer) paintUnit(); };
  if ($("image")) $("image").onchange = () => source.image($("image").value);
  $("file").onchange = () => source.take($("file").files);
  $("mosaic").onclick = (event) => {
    if (!answer || !answer.mosaic) return;
    const [gridRows, gridCols, , , first] = answer.mosaic, place = $("mosaic").getBoundingClientRect();
    const col = Math.floor((event.clientX - place.left) / place.width * gridCols);
    const unit = first + Math.floor((event.clientY - place.top) / place.height * gridRows) * gridCols + col;
    if (unit >= facts.layers[see.layer].units) return;
    see.pinned = null;
    choose(unit);
  };
  root.ondragover = (event) => event.preventDefault();
  root.ondrop = (event) => { event.preventDefault(); source.take(event.dataTransfer.files); };
  calm.onchange = show;
  LS.live = actions;

  setInterval(() => {
    const now = performance.now();
    if (flying && now - flying.sent > STOPPED_MS) {
      stop("no answer for 5 seconds; connecting again");
      flying = null;
      if (socket) socket.close();
    } else if (source.moving() && !document.hidden && now - source.lastFrame > STOPPED_MS) {
      stop("no new picture for 5 seconds");
    }
  }, 500);

  const shape = facts.width / facts.height;
  for (const id of ["stage", "overlay"]) {
    $(id).width = shape >= 1 ? 512 : Math.round(512 * shape);
    $(id).height = shape >= 1 ? Math.round(512 / shape) : 512;
  }
  show();
  connect();
})();
