// Handing a page on: its address, figure and citation into the clipboard; and the page as a projector shows it.
"use strict";
(() => {
  const one = (selector) => document.querySelector(selector), all = (selector) => [...document.querySelectorAll(selector)];
  const root = document.documentElement, folder = "folder" in root.dataset;

  // --- copying

  const block = one(".share"), own = block?.dataset ?? {};
  // Names that mean this machine, and its files: nobody else can open such an address.
  const local = location.protocol === "file:" || /^(.*\.)?localhost$|^127(\.\d+){3}$|^\[::1\]$/.test(location.hostname);
  // Where an export will stand is known where its maker has said so.
  const address = () => (own.address ? own.address + location.hash : location.href);
  const below = () => one("[data-copy=below]").previousElementSibling.textContent + (folder ? "" : location.search) + location.hash;
  const plain = (text) => text.replace(/[\\[\]`*_<>]/g, "\\$&");

  async function figure(button) {
    const answer = await fetch(button.dataset.from);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.blob();
  }

  const copied = {
    link: () => navigator.clipboard.writeText(address()),
    markdown: () => navigator.clipboard.writeText(`[${plain(own.title)}](${address()})`),
    below: () => navigator.clipboard.writeText(below()),
    bibtex: () => navigator.clipboard.writeText(one("#bibtex").textContent),
    // The clipboard takes a promise: a figure takes a second to draw, and by then the click would be over.
    figure: (button) => navigator.clipboard.write([new ClipboardItem({ "image/png": figure(button) })]),
  };
  const notes = {
    link: () => `Copied ${address()}${local && !own.address ? ": it opens on this machine only. To others send where it stands below the atlas:" : ""}`,
    figure: () => "The figure is in the clipboard, as a PNG.",
  };

  // Copying needs a secure context: localhost, https, or a file.
  for (const button of all("[data-copy]")) {
    const kind = button.dataset.copy;
    if (!navigator.clipboard || (kind === "figure" && !window.ClipboardItem)) continue;
    button.hidden = false;
    const words = button.textContent;
    button.onclick = async () => {
      const say = (text, note = "") => { button.textContent = text; one(".handed-on").textContent = note; };
      try {
        if (kind === "figure") say("Drawing");
        await copied[kind](button);
        say("Copied", notes[kind]?.() ?? "");
      } catch {
        say("That did not work");
      }
      setTimeout(() => { button.textContent = words; }, 2000);
    };
  }

  // --- on a projector

  const presenting = () => "present" in root.dataset;

  // The same address with the word, or without it: behind "#" in a folder, where no server reads a query.
  function worded(href, value) {
    const url = new URL(href, location.href);
    const words = folder ? new URLSearchParams(url.hash.includes("=") ? url.hash.slice(1) : "") : url.searchParams;
    if (value === null) words.delete("present");
    else words.set("present", value);
    if (folder) url.hash = words.toString();
    return url.href;
  }

  const slides = all("[data-slide]");
  let at = Math.max(0, slides.findIndex((slide) => slide.classList.contains("shown")));

  function show(place) {
    at = Math.min(Math.max(place, 0), slides.length - 1);
    slides.forEach((slide, number) => slide.classList.toggle("shown", number === at));
    if (slides.length) history.replaceState(null, "", worded(location.href, `${at + 1}`));
    scrollTo(0, 0);
  }

  const NEXT = ["main a[rel=next]", "a.layer-after"], BEFORE = ["main a[rel=prev]", "a.layer-before"];

  // To the next slide of this page, behind the last to the next page.
  function step(by) {
    if (slides[at + by]) return show(at + by);
    const link = (by > 0 ? NEXT : BEFORE).map(one).find(Boolean);
    if (link) location.href = worded(link.href, "");
  }

  function bar() {
    const made = document.createElement("nav");
    made.className = "slides";
    made.setAttribute("aria-label", "Presentation");
    const acts = [["←", "Before", () => step(-1)], ["→", "Next", () => step(1)], ["Leave", "Leave the presentation", () => present(false)]];
    for (const [words, label, act] of acts) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: words, onclick: act });
      button.setAttribute("aria-label", label);
      made.append(button);
    }
    return made;
  }

  function present(on) {
    history.replaceState(null, "", worded(location.href, on ? "" : null));
    if (on) root.dataset.present = "";
    else delete root.dataset.present;
    start();
  }

  function start() {
    if (!presenting()) return;
    if (!one(".slides")) document.body.append(bar());
    const asked = new URLSearchParams(folder ? location.hash.slice(1) : location.search).get("present");
    if (slides.length) show((Number(asked) || 1) - 1);
  }

  const button = one("#present");
  // A layer is shown large: at a glance its tiles are too small for a wall.
  if (button) button.onclick = () => {
    const zoom = one(".units:not(.large)") && one(".zoom[data-key=s]");
    if (zoom?.href) { location.href = worded(zoom.href, ""); return; }
    zoom?.click();
    present(true);
  };

  const KEYS = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 };
  // Before the page's own keys: what moves in a grid goes on here.
  addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, select, textarea, button, summary");
    if (!presenting() || one("dialog[open]") || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.key !== "Escape" && (field || !KEYS[event.key])) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.key === "Escape") present(false);
    else step(KEYS[event.key]);
  }, true);

  // Whoever follows a link goes on presenting.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("main a[href]");
    if (presenting() && link && !link.hasAttribute("download") && !link.getAttribute("href").startsWith("#")) link.href = worded(link.href, "");
  }, true);

  start();
})();
