// A picture becomes the network's input, number for number as the package does it with Pillow (sources/prepare.py): sizes are
// rounded alike, and resizing computes with the same whole numbers, for a canvas would give others.
"use strict";
(() => {
  // How far each filter reaches, px of the smaller of both sizes, and its weight at a distance.
  const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  const FILTERS = {
    bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
    bicubic: [2, (x) => {
      const far = Math.abs(x), a = -0.5;
      if (far < 1) return ((a + 2) * far - (a + 3)) * far * far + 1;
      return far < 2 ? (((far - 5) * far + 8) * far - 4) * a : 0;
    }],
    lanczos: [3, (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
  };
  // Weights are whole numbers of this many bits behind the point.
  const BITS = 22;
  const LARGEST = 178956970, BEYOND = { center: 0, squash: 0, letterbox: 114 };

  /** Halves go to the even number, as Python rounds them. */
  const rounded = (value) => {
    const low = Math.floor(value), part = value - low;
    return part < 0.5 ? low : part > 0.5 ? low + 1 : low % 2 ? low + 1 : low;
  };

  /** For each of `to` px along an axis: the first of the `from` px that it is made of, and their weights. */
  function weights(from, to, filter) {
    const [reach, weigh] = FILTERS[filter], scale = from / to, wide = Math.max(scale, 1), support = reach * wide, narrow = 1 / wide;
    return Array.from({ length: to }, (_, place) => {
      const center = (place + 0.5) * scale;
      const first = Math.max(0, Math.trunc(center - support + 0.5)), end = Math.min(from, Math.trunc(center + support + 0.5));
      const parts = [];
      let sum = 0;
      for (let at = first; at < end; at++) {
        const part = weigh((at - center + 0.5) * narrow);
        parts.push(part);
        sum += part;
      }
      return [first, parts.map((part) => {
        const whole = (sum === 0 ? part : part / sum) * 2 ** BITS;
        return Math.trunc(whole < 0 ? whole - 0.5 : whole + 0.5);
      })];
    });
  }

  /** One axis of a picture, { data, rows, cols, bands } with the bands of a px beside each other, becomes `to` px long. */
  function along(picture, across, to, filter) {
    const { data, rows, cols, bands } = picture, from = across ? cols : rows, lines = across ? rows : cols;
    const made = new Uint8ClampedArray(lines * to * bands);
    const step = across ? bands : cols * bands, line = across ? cols * bands : bands;
    const stepMade = across ? bands : cols * bands, lineMade = across ? to * bands : bands;
    weights(from, to, filter).forEach(([first, parts], place) => {
      for (let at = 0; at < lines; at++) {
        for (let band = 0; band < bands; band++) {
          let sum = 2 ** (BITS - 1), source = at * line + first * step + band;
          for (let tap = 0; tap < parts.length; tap++, source += step) sum += data[source] * parts[tap];
          made[at * lineMade + place * stepMade + band] = sum >> BITS;
        }
      }
    });
    return across ? { data: made, rows, cols: to, bands } : { data: made, rows: to, cols, bands };
  }

  /** The nearest px: places are added up one by one, so that they are the same to the last bit. */
  function nearest({ data, rows, cols, bands }, toRows, toCols) {
    const places = (from, to) => {
      const found = [], step = from / to;
      for (let at = 0, place = step / 2; at < to; at++, place += step) found.push(Math.min(from - 1, Math.trunc(place)));
      return found;
    };
    const made = new Uint8ClampedArray(toRows * toCols * bands), across = places(cols, toCols);
    places(rows, toRows).forEach((row, down) => across.forEach((col, right) => {
      for (let band = 0; band < bands; band++) made[(down * toCols + right) * bands + band] = data[(row * cols + col) * bands + band];
    }));
    return { data: made, rows: toRows, cols: toCols, bands };
  }

  /** A picture in another size, as Pillow's resize gives it. rowsFirst: by one that, from version 13 on, begins with the rows
      where many of them go and few columns do; each pass rounds, so that the order tells. */
  function resized(picture, rows, cols, filter, rowsFirst) {
    if (picture.rows === rows && picture.cols === cols) return picture;
    if (filter === "nearest") return nearest(picture, rows, cols);
    const down = rowsFirst && rows < picture.rows && picture.rows - rows > 2 * (picture.cols - cols);
    const pass = (one, across) => {
      const to = across ? cols : rows;
      return (across ? one.cols : one.rows) === to ? one : along(one, across, to, filter);
    };
    return down ? pass(pass(picture, false), true) : pass(pass(picture, true), false);
  }

  /** Rows and columns of a picture before the crop. */
  function resizedSize(input, rows, cols) {
    if (input.crop === "squash") return [input.height, input.width];
    if (input.crop === "letterbox") {
      const scale = Math.min(input.height / rows, input.width / cols);
      return [Math.max(1, rounded(rows * scale)), Math.max(1, rounded(cols * scale))];
    }
    const short = Math.min(rows, cols), long = Math.max(rows, cols);
    const [alongShort, alongLong] = rows <= cols ? [input.height, input.width] : [input.width, input.height];
    const size = input.resize ?? Math.max(alongShort, Math.ceil(alongLong * short / long));
    const other = Math.trunc(size * long / short);
    return rows <= cols ? [size, other] : [other, size];
  }

  /** The first resized px inside the crop; below zero where the crop is the larger one. */
  const first = (have, wanted) => (have < wanted ? -Math.floor((wanted - have) / 2) : rounded((have - wanted) / 2));

  function cropped({ data, rows, cols, bands }, input) {
    const { height, width } = input, top = first(rows, height), left = first(cols, width);
    const made = new Uint8ClampedArray(height * width * bands).fill(BEYOND[input.crop]);
    for (let row = Math.max(0, -top); row < Math.min(height, rows - top); row++) {
      const begin = Math.max(0, -left), end = Math.min(width, cols - left);
      const source = ((row + top) * cols + begin + left) * bands;
      made.set(data.subarray(source, source + (end - begin) * bands), (row * width + begin) * bands);
    }
    return { data: made, rows: height, cols: width, bands };
  }

  /** Red, green and blue of px with an alpha, which is dropped; or the gray that Pillow makes of them. */
  function withoutAlpha(data, bands) {
    const count = data.length / 4, made = new Uint8ClampedArray(count * bands);
    for (let at = 0; at < count; at++) {
      const red = data[4 * at], green = data[4 * at + 1], blue = data[4 * at + 2];
      if (bands === 1) made[at] = (red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16;
      else made.set([red, green, blue], 3 * at);
    }
    return made;
  }

  /** What the network gets of a picture's px with alpha: its numbers, channel by channel, and the bytes they are made of. */
  function prepared(rgba, rows, cols, input) {
    const bands = input.channels, [toRows, toCols] = resizedSize(input, rows, cols);
    if (toRows * toCols > LARGEST) {
      throw new RangeError(`it is too narrow: ${rows} × ${cols} px would be resized to ${toRows} × ${toCols}`);
    }
    const whole = { data: withoutAlpha(rgba, bands), rows, cols, bands };
    const cut = cropped(resized(whole, toRows, toCols, input.interpolation, input.rowsFirst), input);
    const count = cut.rows * cut.cols, numbers = new Float32Array(count * bands);
    for (let band = 0; band < bands; band++) {
      const mean = Math.fround(input.mean[band]), std = Math.fround(input.std[band]);
      const from = input.order === "BGR" && bands === 3 ? 2 - band : band;
      for (let at = 0; at < count; at++) {
        const share = Math.fround(cut.data[at * bands + from] / 255);
        numbers[band * count + at] = Math.fround(share - mean) / std;
      }
    }
    return { numbers, cut };
  }

  /** The px of a bitmap without what a canvas does to transparent ones: it forgets the colours under them. */
  function unblended(bitmap) {
    const gl = document.createElement("canvas").getContext("webgl");
    if (!gl || Math.max(bitmap.width, bitmap.height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return null;
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, gl.getParameter(gl.TEXTURE_BINDING_2D), 0);
    if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) !== gl.FRAMEBUFFER_COMPLETE) return null;
    const data = new Uint8Array(bitmap.width * bitmap.height * 4);
    gl.readPixels(0, 0, bitmap.width, bitmap.height, gl.RGBA, gl.UNSIGNED_BYTE, data);
    return gl.getError() === gl.NO_ERROR ? data : null;
  }

  /** An encoded picture's px, upright, colours as they stand in the file: { data, rows, cols, blended }. */
  async function decoded(blob, mostPx) {
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none", imageOrientation: "from-image" });
    const { width: cols, height: rows } = bitmap;
    try {
      if (rows * cols > mostPx) throw new RangeError(`it has ${rows} × ${cols} px, and at most ${mostPx / 1e6} million are taken`);
      const canvas = Object.assign(document.createElement("canvas"), { width: cols, height: rows });
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      pen.drawImage(bitmap, 0, 0);
      const { data } = pen.getImageData(0, 0, cols, rows);
      let clear = false;
      for (let at = 3; at < data.length && !clear; at += 4) clear = data[at] < 255;
      const raw = clear ? unblended(bitmap) : null;
      return { data: raw ?? data, rows, cols, blended: clear && !raw };
    } finally {
      bitmap.close();
    }
  }

  LS.prepare = { decoded, prepared, resized, resizedSize };
})();
