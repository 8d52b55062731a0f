// A unit's columns: the switch of methods and views, and one column enlarged. Both stand behind "#" in the address.
"use strict";
(() => {
  const list = document.getElementById("peaks");
  if (!list) return;
  const columns = [...list.children];
  const radios = [...document.querySelectorAll(".choice input")], ways = [...list.querySelectorAll(".way")];

  const figures = ["href", "data-from"].flatMap((name) =>
    [...document.querySelectorAll(`.share [${name}*="/figure."]`)].map((one) => [one, name, one.getAttribute(name)]));

  // What else stands behind "#" is others' and stays.
  const state = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  const write = (name, value) => {
    const next = state();
    if (value) next.set(name, value);
    else next.delete(name);
    history.replaceState(null, "", next.size ? `#${next}` : location.pathname + location.search);
    show();
  };
  const enlarged = () => columns.findIndex((column) => column.classList.contains("enlarged"));

  function show() {
    const asked = state(), number = Number(asked.get("peak"));
    columns.forEach((column, at) => column.classList.toggle("enlarged", at + 1 === number));
    for (const radio of radios) {
      const known = radios.some((one) => one.name === radio.name && one.value === asked.get(radio.name));
      radio.checked = known ? radio.value === asked.get(radio.name) : radio.defaultChecked;
    }
    const now = Object.fromEntries(radios.filter((radio) => radio.checked).map((radio) => [radio.name, radio.value]));
    for (const way of ways) way.classList.toggle("chosen", way.dataset.method === now.method && way.dataset.view === now.view);
    // A server draws the figure of what is on screen.
    const words = new URLSearchParams({ ...now, ...(columns[number - 1] ? { peak: number } : {}) });
    for (const [one, name, address] of figures) one.setAttribute(name, words.size ? `${address}?${words}` : address);
  }

  // The column at this place, from 0; with -1 all are small again.
  function enlarge(at) {
    const before = enlarged();
    write("peak", at < 0 ? "" : String(at + 1));
    const column = columns[at < 0 ? before : at];
    column.querySelector(".cells")?.focus({ preventScroll: true });
    column.scrollIntoView({ block: "nearest" });
  }

  for (const radio of radios) radio.onchange = () => write(radio.name, radio.defaultChecked ? "" : radio.value);

  list.onclick = (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const at = columns.findIndex((column) => `#${column.id}` === link.hash);
    enlarge(link.matches(".cells") && at === enlarged() ? -1 : at);
  };

  addEventListener("keydown", (event) => {
    const at = enlarged(), to = { ArrowLeft: at - 1, ArrowRight: at + 1, Escape: -1 }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, select, textarea") || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (to < columns.length && (to >= 0 || event.key === "Escape")) enlarge(to);
  });

  // "#peak-3" is what links without a script lead to: as "#peak=3" it goes together with the switch.
  function arrive() {
    const place = /^#peak-(\d+)$/.exec(location.hash);
    if (place) location.replace(`#peak=${place[1]}`);
    show();
  }
  addEventListener("hashchange", arrive);
  arrive();
})();
