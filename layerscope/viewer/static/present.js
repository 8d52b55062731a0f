// A page as a projector shows it: large, without forms; arrows lead from slide to slide and from page to page.
"use strict";
(() => {
  const one = (selector) => document.querySelector(selector);
  const root = document.documentElement, folder = "folder" in root.dataset;
  const presenting = () => "present" in root.dataset;

  // An address with the word, or with null without it: behind "#" in a folder, where no server reads a query.
  function worded(href, value) {
    const url = new URL(href, location.href);
    const words = folder ? new URLSearchParams(url.hash.includes("=") ? url.hash.slice(1) : "") : url.searchParams;
    if (value === null) words.delete("present");
    else words.set("present", value);
    if (folder) url.hash = words.toString();
    return url.href;
  }

  // A page may be made of slides, of which one is shown at a time.
  const slides = [...document.querySelectorAll("[data-slide]")];
  let at = 0;

  function show(place) {
    at = Math.min(Math.max(place, 0), slides.length - 1);
    slides.forEach((slide, number) => slide.classList.toggle("shown", number === at));
    history.replaceState(null, "", worded(location.href, `${at + 1}`));
    scrollTo(0, 0);
  }

  const NEXT = ["main a[rel=next]", "a.layer-after"], BEFORE = ["main a[rel=prev]", "a.layer-before"];

  function step(by) {
    if (slides[at + by]) return show(at + by);
    const link = (by > 0 ? NEXT : BEFORE).map(one).find(Boolean);
    if (link) location.href = worded(link.href, "");
  }

  function bar() {
    const made = Object.assign(document.createElement("nav"), { className: "slides", ariaLabel: "Presentation" });
    const acts = [["←", "Before", () => step(-1)], ["→", "Next", () => step(1)], ["Leave", "Leave the presentation", () => present(false)]];
    made.append(...acts.map(([textContent, ariaLabel, onclick]) =>
      Object.assign(document.createElement("button"), { type: "button", textContent, ariaLabel, onclick })));
    return made;
  }

  function start() {
    if (!presenting()) return;
    if (!one(".slides")) document.body.append(bar());
    const asked = new URLSearchParams(folder ? location.hash.slice(1) : location.search).get("present");
    if (slides.length) show((Number(asked) || 1) - 1);
  }

  function present(on) {
    history.replaceState(null, "", worded(location.href, on ? "" : null));
    if (on) root.dataset.present = "";
    else delete root.dataset.present;
    start();
  }

  // A layer is shown large: at a glance its tiles are too small for a wall.
  one("#present").onclick = () => {
    const zoom = one(".units:not(.large)") && one(".zoom[data-key=s]");
    if (zoom?.href) { location.href = worded(zoom.href, ""); return; }
    zoom?.click();
    present(true);
  };

  const KEYS = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1, Escape: 0 };
  // Before the page's own keys: what moves in a grid goes on here. What is enlarged on the page keeps its arrows.
  addEventListener("keydown", (event) => {
    const by = KEYS[event.key], modified = event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
    if (!presenting() || by === undefined || modified || one("dialog[open], .enlarged")) return;
    if (by && event.target.closest?.("input, select, textarea, button, summary")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (by) step(by);
    else present(false);
  }, true);

  // Whoever follows a link goes on presenting.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("main a[href]");
    const leads = link && !link.hasAttribute("download") && !link.getAttribute("href").startsWith("#");
    if (presenting() && leads) link.href = worded(link.href, "");
  }, true);

  start();
})();
