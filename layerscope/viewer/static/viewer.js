// The viewer's keys, its theme and its help. It asks for nothing, so a folder will do.
"use strict";

(() => {
  // Data of other scripts: LS.put(kind, key, value); they may stand before or after whoever asks.
  const stored = new Map();
  window.LS = {
    put: (kind, key, value) => stored.set(`${kind} ${key}`, value),
    get: (kind, key) => stored.get(`${kind} ${key}`),
  };

  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Settings outlive a page where the browser lets them.
  const setting = {
    get: (name) => { try { return localStorage.getItem(`layerscope-${name}`) ?? ""; } catch { return ""; } },
    set: (name, value) => { try { localStorage.setItem(`layerscope-${name}`, value); } catch { /* kept for this page */ } },
  };

  // --- theme and help

  function startTheme() {
    const select = one("#theme");
    if (!select) return;
    const page = document.documentElement.dataset;
    select.value = page.theme ?? "";
    select.onchange = () => {
      setting.set("theme", select.value);
      if (select.value) page.theme = select.value;
      else delete page.theme;
    };
  }

  let singleKeys = setting.get("single-keys") !== "off";

  function startHelp() {
    const help = one("#help"), box = one("#single-keys"), button = one("#keys");
    if (!help) return;
    box.checked = singleKeys;
    box.onchange = () => {
      singleKeys = box.checked;
      setting.set("single-keys", singleKeys ? "on" : "off");
    };
    button?.addEventListener("click", () => help.showModal());
    // A click beside the dialog closes it, too.
    help.onclick = (event) => { if (event.target === help) help.close(); };
  }

  // --- keys

  const follow = (selector) => (event) => {
    const control = all(selector).find((found) => !found.hidden);
    if (!control) return;
    event.preventDefault();
    control.click();
  };
  const focus = (selector) => (event) => {
    const field = one(selector);
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select?.();
  };

  // The field that narrows this page, where there is one.
  const SEARCHED = ".choose [type=search]";
  const KEYS = {
    p: follow("main a[rel=prev]"), n: follow("main a[rel=next]"),
    u: follow("a.layer-before"), o: follow("a.layer-after"), i: follow("a.up"),
    s: follow("[data-key=s]"), v: follow("#present"),
    g: follow("[data-search]"), "/": (event) => (one(SEARCHED) ? focus(SEARCHED) : follow("[data-search]"))(event),
    "?": follow("#keys"), "Shift+?": follow("#keys"),
  };

  function ignored(event) {
    const field = event.target.closest?.("input, select, textarea, [contenteditable]");
    return event.isComposing || Boolean(field) || Boolean(one("dialog[open]")) || (!singleKeys && event.key.length === 1);
  }

  /** What keys do, outside of fields and dialogs. */
  window.LS.bind = (keys) => window.tinykeys?.tinykeys(window, keys, { ignore: ignored });

  function startKeys() {
    // A live page has its own meanings for these letters, and lists them.
    const own = (document.body.dataset.ownKeys ?? "").split(" ");
    window.LS.bind(Object.fromEntries(Object.entries(KEYS).filter(([key]) => !own.includes(key))));
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target.matches?.("input, select")) event.target.blur();
    });
  }

  for (const control of all("[data-script]")) control.hidden = false;
  startTheme();
  startHelp();
  startKeys();
})();
