/* All that the live page shows stands in its address: back, reload and a link bring it again.
   image or picture: of the atlas, or one's own by its key; layer, unit, method, contrast, and the pinned unit's layer. */
"use strict";
LS.liveAddress = (facts) => {
  const asked = new URLSearchParams(location.search);
  const layerOf = (name) => facts.layers.findIndex((one) => one.name === name);
  const whole = (word) => /^\d{1,9}$/.test(word || "") ? Number(word) : null;

  /** Put what the address says into `see`, as far as there is such a thing. gains: the contrasts that there are. */
  function read(see, gains) {
    see.layer = Math.max(0, layerOf(asked.get("layer")));
    const pinned = layerOf(asked.get("pinned")), unit = whole(asked.get("unit"));
    see.pinned = pinned < 0 ? null : pinned;
    const owner = facts.layers[see.pinned ?? see.layer];
    see.unit = unit !== null && unit < owner.units ? unit : null;
    if (see.unit === null) see.pinned = null;
    if (facts.methods.includes(asked.get("method"))) see.method = asked.get("method");
    see.gain = Math.max(0, gains.indexOf(whole(asked.get("contrast"))));
  }

  /** The picture that the address names: { image } or { picture }, or nothing. */
  function pictured() {
    const image = whole(asked.get("image")), picture = asked.get("picture");
    if (image !== null) return { image };
    return /^[0-9a-f]{64}$/.test(picture || "") ? { picture } : null;
  }

  let written = location.search;
  /** current: the source's picture, or null. */
  function write(see, current, gains) {
    const words = new URLSearchParams();
    if (current && Number.isInteger(current.image)) words.set("image", current.image);
    else if (current && current.key) words.set("picture", current.key);
    words.set("layer", facts.layers[see.layer].name);
    if (see.unit !== null) words.set("unit", see.unit);
    if (see.pinned !== null) words.set("pinned", facts.layers[see.pinned].name);
    words.set("method", see.method);
    if (see.gain) words.set("contrast", gains[see.gain]);
    const now = `?${words}`;
    if (now === written) return;
    written = now;
    history.replaceState(null, "", now);
  }

  return { read, pictured, write };
};
