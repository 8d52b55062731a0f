// A picture at every layer: climb from one layer to the next, by a button or by keys.
"use strict";
(() => {
  const layers = [...document.querySelectorAll(".look-layer[data-layer]")];
  const button = document.querySelector("[data-climb]"), words = document.querySelector("[data-at]");
  const look = document.querySelector(".look");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const STAY_MS = 2600;

  if (!button || !layers.length) return;

  let at = layers.findIndex((layer) => `#${layer.id}` === location.hash), timer = null;

  function show(place) {
    at = Math.max(0, Math.min(layers.length - 1, place));
    for (const layer of layers) layer.classList.toggle("at", layer === layers[at]);
    layers[at].scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
    words.textContent = `${layers[at].dataset.layer}, ${at + 1} of ${layers.length}`;
    history.replaceState(null, "", `#${layers[at].id}`);
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    look.classList.remove("climbing");
    button.setAttribute("aria-pressed", "false");
  }

  /** The layer that is shown, then the next; after the last one it stops there. */
  function go(place) {
    if (place >= layers.length) return stop();
    show(place);
    timer = setTimeout(() => go(at + 1), STAY_MS);
  }

  button.onclick = () => {
    if (timer !== null) return stop();
    const next = at < 0 || at === layers.length - 1 ? 0 : at + 1;
    // Whoever wishes less motion goes a layer at a time, at each press.
    if (calm.matches) return show(next);
    look.classList.add("climbing");
    button.setAttribute("aria-pressed", "true");
    go(next);
  };
  for (const one of document.querySelectorAll("[data-step]")) {
    one.onclick = () => { stop(); show(at < 0 ? 0 : at + Number(one.dataset.step)); };
  }
  // The reader takes over: what he scrolls to is not scrolled away from.
  for (const kind of ["wheel", "touchmove"]) addEventListener(kind, () => timer !== null && stop(), { passive: true });

  addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, select, textarea"), single = document.getElementById("single-keys");
    if (event.ctrlKey || event.metaKey || event.altKey || field || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return stop();
    if (single && !single.checked) return;
    const pressed = document.querySelector(`.climb [data-key="${CSS.escape(event.key)}"]`);
    if (!pressed) return;
    event.preventDefault();
    pressed.click();
  });
})();
