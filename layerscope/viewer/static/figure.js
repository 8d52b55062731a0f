// A unit's figure, drawn in the reader's browser from what is on screen: an export has no server that draws one.
"use strict";
(() => {
  const list = document.getElementById("peaks"), plate = document.querySelector(".plate");
  const buttons = [...document.querySelectorAll("[data-draw]")];
  if (!list || !buttons.length) return;
  // Of a folder's files browsers show pictures, and let no script have their px.
  if (location.protocol === "file:") {
    document.querySelector("[data-folder-note]").hidden = false;
    return;
  }
  // Twice as many px as on screen; room around, and the heights of a line and of a title.
  const TIMES = 2, ROOM = 20, LINE = 18, TITLE = 30, LEAST = 560;

  const loaded = (href) => new Promise((done, failed) => {
    const picture = new Image();
    picture.onload = () => done(picture);
    picture.onerror = () => failed(new Error(`${href} is not there`));
    picture.src = href;
  });
  const seen = (node) => getComputedStyle(node).display !== "none";

  // Where on the canvas the px of a tile lie: as an SVG fits its viewBox.
  function fitted(svg, rect) {
    const { x, y, width, height } = svg.viewBox.baseVal, free = svg.getAttribute("preserveAspectRatio") === "none";
    const across = rect.width / width, down = rect.height / height, least = Math.min(across, down);
    const [a, d] = free ? [across, down] : [least, least];
    return new DOMMatrix([a, 0, 0, d, rect.x + (rect.width - a * width) / 2 - a * x, rect.y + (rect.height - d * height) / 2 - d * y]);
  }

  async function drawTile(context, svg, rect) {
    const place = fitted(svg, rect), source = document.querySelector(svg.querySelector("use").getAttribute("href"));
    const picture = await loaded(source.href.baseVal);
    const across = source.width.baseVal.value, down = source.height.baseVal.value;
    context.save();
    context.beginPath();
    context.rect(rect.x, rect.y, rect.width, rect.height);
    context.clip();
    context.imageSmoothingEnabled = getComputedStyle(svg).imageRendering !== "pixelated";
    context.drawImage(picture, place.e, place.f, place.a * across, place.d * down);
    for (const box of svg.querySelectorAll(".box")) {
      const style = getComputedStyle(box), own = new Path2D(box.getAttribute("d") ?? undefined), path = new Path2D();
      if (box.tagName === "rect") own.rect(...["x", "y", "width", "height"].map((name) => box[name].baseVal.value));
      path.addPath(own, place);
      context.strokeStyle = style.stroke;
      context.lineWidth = parseFloat(style.strokeWidth);
      context.setLineDash(style.strokeDasharray === "none" ? [] : style.strokeDasharray.split(",").map(parseFloat));
      context.stroke(path);
    }
    context.restore();
    // White pictures end somewhere.
    context.lineWidth = 1;
    context.setLineDash([]);
    context.strokeStyle = "rgb(0 0 0 / 0.13)";
    context.strokeRect(rect.x + 0.5, rect.y + 0.5, rect.width - 1, rect.height - 1);
  }

  function wrapped(context, text, width) {
    const lines = [""];
    for (const word of text.split(/\s+/)) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  // What the projections are, and how far they can be trusted: as the page says it of the method that is seen.
  function caption(enlarged) {
    const rank = [...list.children].indexOf(enlarged) + 1, of = plate.dataset.caption;
    const said = rank ? `Peak ${rank} of the ${of}.` : `The ${of}, best first.`;
    const way = [...list.querySelectorAll("svg[data-method]")].find(seen)?.dataset;
    if (!way) return said;
    const term = [...plate.querySelectorAll(".facts dt")].find((one) => one.textContent === way.method);
    const trust = term?.nextElementSibling.textContent ?? "";
    return `${said} Projections: ${way.method}, ${way.view} view; gray means nothing, each tile has a scale of its own. ${trust}`;
  }

  async function drawn() {
    const enlarged = list.querySelector(".enlarged"), within = enlarged ?? list;
    const tiles = [...within.querySelectorAll(".tile")].filter(seen), words = [...within.querySelectorAll("li > p:first-of-type, .enlarged > p:first-of-type")];
    const rects = new Map([...tiles, ...words].map((node) => [node, node.getBoundingClientRect()]));
    const all = [...rects.values()], left = Math.min(...all.map((one) => one.left)), top = Math.min(...all.map((one) => one.top));
    const right = Math.max(...all.map((one) => one.right)), bottom = Math.max(...all.map((one) => one.bottom));
    const width = Math.max(right - left, LEAST), canvas = document.createElement("canvas"), context = canvas.getContext("2d");
    const fonts = getComputedStyle(document.body).fontFamily;
    context.font = `13px ${fonts}`;
    const lines = wrapped(context, caption(enlarged), width);
    canvas.width = TIMES * (width + 2 * ROOM);
    canvas.height = TIMES * (TITLE + bottom - top + LINE * (lines.length + 1) + 2 * ROOM);
    context.scale(TIMES, TIMES);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.translate(ROOM, ROOM);
    context.textBaseline = "top";
    context.fillStyle = "#111";
    context.font = `600 18px ${fonts}`;
    context.fillText(document.querySelector("h1").innerText.trim(), 0, 0);
    context.font = `13px ${fonts}`;
    const moved = (rect) => new DOMRect(rect.x - left, rect.y - top + TITLE, rect.width, rect.height);
    for (const node of tiles) {
      const rect = moved(rects.get(node));
      if (node.tagName === "svg") await drawTile(context, node, rect);
      else context.fillText(node.textContent.trim(), rect.x + 4, rect.y + rect.height / 2 - 7, rect.width - 8);
    }
    context.fillStyle = "#111";
    for (const node of words) {
      const rect = moved(rects.get(node));
      node.innerText.trim().split("\n").forEach((line, at) => context.fillText(line, rect.x, rect.y + at * LINE, rect.width));
    }
    lines.forEach((line, at) => context.fillText(line, 0, TITLE + bottom - top + LINE * (at + 1)));
    return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("too large"))), "image/png"));
  }

  const act = {
    copy: () => navigator.clipboard.write([new ClipboardItem({ "image/png": drawn() })]),
    save: async (button) => {
      const address = URL.createObjectURL(await drawn());
      Object.assign(document.createElement("a"), { href: address, download: button.dataset.name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    },
  };
  for (const button of buttons) {
    const words = button.textContent, does = button.dataset.draw;
    if (does === "copy" && !(navigator.clipboard && window.ClipboardItem)) continue;
    button.hidden = false;
    button.onclick = async () => {
      try {
        await act[does](button);
        button.textContent = does === "copy" ? "Copied" : "Saved";
      } catch {
        button.textContent = "That did not work";
      }
      setTimeout(() => { button.textContent = words; }, 2000);
    };
  }
})();
