/* What the live page paints of an answer: the picture, the layer's maps, the chosen unit's map and tiles, the classes. */
"use strict";
/** see: what is chosen. unitLayer: () -> the layer of the chosen unit. choose(unit): called by the strongest's buttons. */
LS.livePaint = (facts, see, gains, unitLayer, choose) => {
  const $ = (id) => document.getElementById(id);
  const ZERO = "#808080";
  const short = (value) => Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
  const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const sheet = document.createElement("canvas");
  let answer = null;

  // 256 colours between the page's own 17.
  const ANCHORS = facts.colours.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const COLOURS = Array.from({ length: 256 }, (_, level) => {
    const place = level / 255 * 16, low = Math.min(Math.floor(place), 15), part = place - low;
    return ANCHORS[low].map((value, channel) => Math.round(value + part * (ANCHORS[low + 1][channel] - value)));
  });
  const boosted = (level) => Math.min(255, level * gains[see.gain]);
  const coloursNow = () => Uint32Array.from({ length: 256 }, (_, level) => {
    const [red, green, blue] = COLOURS[boosted(level)];
    return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
  });
  const blank = (canvas) => {
    const pen = canvas.getContext("2d");
    pen.fillStyle = ZERO;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    return pen;
  };

  /** The picture as the network got it: of a stream the frame, cut as the network cuts it, else its own input. */
  function paintPicture() {
    const stage = $("stage"), pen = blank(stage), { prepared, bitmap: from } = answer.of;
    $("empty").hidden = true;
    if (prepared) {
      pen.imageSmoothingEnabled = prepared.width >= stage.width;
      return pen.drawImage(prepared, 0, 0, stage.width, stage.height);
    }
    if (!from) return;
    const [top, left, bottom, right] = answer.seen, scale = from.width / answer.size[1];
    pen.drawImage(from, left * scale, top * scale, (right - left) * scale, (bottom - top) * scale, 0, 0, stage.width, stage.height);
  }

  function paintClasses() {
    $("classes").replaceChildren(...answer.top.map(([name, share]) => {
      const row = document.createElement("li"), bar = document.createElement("meter"), words = document.createElement("span");
      words.textContent = `${name}: ${percent(share)}`;
      bar.value = share;
      bar.setAttribute("aria-hidden", "true");
      row.append(bar, words);
      return row;
    }));
  }

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
    const shown = Math.min(layer.units - first, gridRows * gridCols);
    pen.fillStyle = ZERO;
    for (let col = 1; col < gridCols; col += 1) pen.fillRect(col * across - 0.5, 0, 1, canvas.height);
    for (let row = 1; row < gridRows; row += 1) pen.fillRect(0, row * down - 0.5, canvas.width, 1);
    // Cells without a unit are the page's own ground: gray would say zero.
    for (let cell = shown; cell < gridRows * gridCols; cell += 1) {
      pen.clearRect(cell % gridCols * across, Math.floor(cell / gridCols) * down, across, down);
    }
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
    saySome(layer, first, shown);
    showStrongest(layer);
  }

  /** Which units' maps are on the screen, and the buttons that lead to the others. */
  function saySome(layer, first, shown) {
    const some = shown < layer.units;
    $("some").hidden = !some;
    $("some-words").textContent = some ? `maps of units ${first} to ${first + shown - 1} of ${layer.units}` : "";
    $("earlier").disabled = first === 0;
    $("further").disabled = first + shown >= layer.units;
  }

  /** Buttons stay from answer to answer and only what is in them changes: a click takes longer than a frame, and focus stays. */
  function showStrongest(layer) {
    const list = $("strongest");
    while (list.children.length > answer.strongest.length) list.lastChild.remove();
    answer.strongest.forEach((unit, at) => {
      const button = list.children[at] || list.appendChild(strongButton()), [picture, number, name] = button.children;
      const told = `${answer.layerOf} ${unit}`, here = see.unit === unit && (see.pinned ?? see.layer) === answer.layerOf;
      button.setAttribute("aria-pressed", String(here));
      button.onclick = () => choose(unit, answer.layerOf);
      if (button.dataset.told === told) return;
      button.dataset.told = told;
      button.dataset.unit = unit;
      number.textContent = unit;
      name.textContent = layer.names[unit] || "";
      const bare = !layer.patches || layer.bare.includes(unit);
      button.classList.toggle("bare", bare);
      if (bare) picture.removeAttribute("src");
      else picture.src = layer.patches.replace("{n}", unit);
      button.title = `unit ${unit}${layer.names[unit] ? `, ${layer.names[unit]}` : ""}${bare ? "; the atlas keeps no tiles of it" : ""}`;
    });
  }

  function strongButton() {
    const button = document.createElement("button");
    button.type = "button";
    button.append(Object.assign(new Image(56, 56), { alt: "", decoding: "async" }),
      document.createElement("b"), document.createElement("span"));
    return button;
  }

  /** The chosen unit's map over the frame, its strongest position boxed; that patch and its projection. */
  function paintUnit() {
    const over = $("overlay"), pen = over.getContext("2d");
    pen.clearRect(0, 0, over.width, over.height);
    const about = answer && answer.map;
    if (!about || answer.unit !== see.unit || answer.unitLayer !== unitLayer().name) {
      // Until the answer comes, no other unit's number stands under this one's name.
      $("value").textContent = "";
      return;
    }
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
    $("value").textContent = about.value <= 0 ? "not above zero in this picture" :
      `${short(about.value)} at row ${about.row}, column ${about.col}: ${percent(about.value / about.scale)} of its highest over the atlas`;
    paintTiles();
  }

  function paintTiles() {
    const [patch, shot] = [$("patch"), $("shot")].map((canvas) => {
      const pen = blank(canvas);
      pen.imageSmoothingEnabled = false;
      return pen;
    });
    if (!answer.shot || !answer.projection) return;
    shot.drawImage(answer.shot, 0, 0, shot.canvas.width, shot.canvas.height);
    const [top, left, bottom, right] = answer.projection, stage = $("stage");
    const across = stage.width / facts.width, down = stage.height / facts.height;
    patch.drawImage(stage, left * across, top * down, (right - left) * across, (bottom - top) * down,
      0, 0, patch.canvas.width, patch.canvas.height);
  }

  /** What is on the screen, as a PNG: the picture with the map over it, what of it the unit sees, and which unit it is. */
  function figure() {
    const stage = $("stage"), side = stage.height / 2, unit = see.unit !== null;
    const canvas = Object.assign(document.createElement("canvas"), { width: stage.width + side, height: stage.height + 48 });
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    for (const id of ["stage", "overlay"]) pen.drawImage($(id), 0, 0);
    if (unit) ["shot", "patch"].forEach((id, at) => pen.drawImage($(id), stage.width, at * side, side, side));
    pen.fillStyle = "#000000";
    pen.font = "15px sans-serif";
    const lines = unit ? [`Unit ${see.unit} of ${unitLayer().name}, ${see.method}; ${$("closest").textContent}`, $("value").textContent] : [$("state").textContent];
    lines.forEach((line, at) => pen.fillText(line, 6, stage.height + 19 + 20 * at, canvas.width - 12));
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  /** Nothing of the last picture stays. */
  function clear() {
    answer = null;
    $("copy-figure").disabled = true;
    for (const id of ["stage", "patch", "shot"]) blank($(id));
    for (const id of ["overlay", "mosaic"]) $(id).getContext("2d").clearRect(0, 0, $(id).width, $(id).height);
    for (const id of ["classes", "strongest"]) $(id).replaceChildren();
    for (const id of ["rate", "latency", "model"]) $(id).textContent = "–";
    $("value").textContent = "";
    $("empty").hidden = false;
  }

  return {
    answer: () => answer, clear, figure, percent, maps: paintMaps, unit: () => { if (answer) paintUnit(); },
    all(found) {
      answer = found;
      $("copy-figure").disabled = false;
      paintPicture();
      paintMaps();
      paintUnit();
      paintClasses();
    },
  };
};
