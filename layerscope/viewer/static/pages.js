// What the pages of a unit, an image and a comparison do besides being read: marking partners, zooming.
"use strict";
(() => {
  // A tile, its projection, its picture and its triangle bear one mark: pointing at or focusing one shows all.
  const all = (selector) => [...document.querySelectorAll(selector)];
  const marked = (mark) => {
    for (const one of all("[data-mark]")) one.classList.toggle("marked", one.dataset.mark === mark);
  };
  const markOf = (event) => event.target.closest?.("[data-mark]")?.dataset.mark ?? null;
  for (const kind of ["pointerover", "focusin"]) {
    document.addEventListener(kind, (event) => marked(markOf(event)));
  }
  document.addEventListener("pointerleave", () => marked(null));

  // A picture that can be brought closer; without this script it is simply there.
  const zoomed = document.querySelector(".zoomed");
  if (zoomed && window.Panzoom) {
    const zoom = Panzoom(zoomed, { maxScale: 12, contain: "outside", animate: !matchMedia("(prefers-reduced-motion: reduce)").matches });
    zoomed.parentElement.addEventListener("wheel", (event) => {
      if (event.ctrlKey || event.metaKey) zoom.zoomWithWheel(event);
    }, { passive: false });
    const buttons = document.querySelector(".closer");
    buttons.hidden = false;
    const acts = { in: () => zoom.zoomIn(), out: () => zoom.zoomOut(), reset: () => zoom.reset() };
    buttons.onclick = (event) => acts[event.target.dataset.zoom]?.();
  }

  // In an export, where no server reads a query: the units behind "#", as u=l3:17&u=l3:4, side by side.
  const place = document.getElementById("compared");
  const made = (tag, words, more = {}) => Object.assign(document.createElement(tag), { textContent: words, ...more });
  const known = all("[data-names]").map((item) => item.dataset);
  const placed = (spec) => {
    const [, name, unit] = /^(.*):(\d+)$/.exec(spec.trim()) ?? [];
    const layer = known.find((one) => [one.layer, one.key, one.name].includes(name));
    return layer && Number(unit) < Number(layer.units) ? { layer, unit: Number(unit) } : null;
  };
  const loaded = (layer) => LS.get("units", layer.key) ? Promise.resolve() : new Promise((done) => {
    document.head.append(Object.assign(document.createElement("script"), { src: layer.names, onload: done, onerror: done }));
  });
  // Files of a unit differ from those of another by its number alone.
  const file = (address, unit) => address.replace(/\d+(?=[^/]*$)/, unit);
  const column = ({ layer, unit }) => {
    const section = document.createElement("section"), title = document.createElement("h2");
    const row = (LS.get("units", layer.key) ?? []).find((one) => one[0] === unit);
    title.append(made("a", `Unit ${unit} of ${layer.name}`, { href: file(layer.page, unit) }));
    section.append(title);
    if (!row) return section;
    const [, maximum, , images, , dead, shown, name, score, , atPeaks] = row, { closest } = document.documentElement.dataset;
    section.append(made("p", atPeaks ? `at its peaks: ${atPeaks} (by overlap ${name}, ${score.toFixed(2)})` : name ? `${closest}: ${name}, score ${score.toFixed(2)}` : `no ${closest}`, { className: "quiet" }));
    for (const kind of shown ? ["patches", "projections"] : []) {
      if (layer[kind]) section.append(made("img", "", { src: file(layer[kind], unit), alt: `Its ${kind}, best first`, className: "sheet sharp" }));
    }
    section.append(made("p", dead ? "A dead unit: never above zero." : `maximum ${maximum.toPrecision(3)}, above zero in ${(100 * images).toFixed(0)} % of the images`));
    return section;
  };
  const compare = async () => {
    const said = location.hash.slice(1), words = new URLSearchParams(said.includes("u=") ? said : `u=${said}`).getAll("u");
    const specs = words.flatMap((one) => one.split(",")).filter(Boolean).slice(0, 4);
    const units = specs.map(placed);
    await Promise.all(units.filter(Boolean).map((one) => loaded(one.layer)));
    place.replaceChildren(...units.map((one, at) => one ? column(one) : made("p", `There is no unit "${specs[at]}" here.`)));
  };
  if (place) {
    const form = document.getElementById("compared-by");
    form.hidden = false;
    form.onsubmit = (event) => {
      event.preventDefault();
      location.hash = [...form.elements].filter((one) => one.value).map((one) => `u=${encodeURIComponent(one.value)}`).join("&");
    };
    addEventListener("hashchange", compare);
    compare();
  }
})();
