// Search over the whole atlas: a dialog that answers as one types. What it knows is loaded when it is first opened.
"use strict";

(() => {
  const opener = document.querySelector("a[data-search]");
  if (!opener) return;
  const [answers, style] = ["answers.js", "search.css"].map((name) => new URL(name, document.currentScript.src).href);
  // In an export no server reads a query.
  const files = opener.dataset.root !== undefined;

  function made(tag, properties = {}, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element && name !== "role") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...inside);
    return element;
  }

  const script = (src) => new Promise((done, failed) => {
    document.head.append(made("script", { src, onload: done, onerror: failed }));
  });

  // The names of the atlas, and what finds answers in them (answers.js).
  let loading = null;
  const loaded = () => (loading ??= Promise.all([window.LS.answers ?? script(answers), script(opener.dataset.src)])
    .then(() => window.LS.get("search", "")));

  const plain = (text) => text.trim().replace(/\s+/g, " ");
  const asked = (words) => `${opener.href}${files ? "#" : "?"}${new URLSearchParams({ q: words })}`;
  const FEW = { Layers: 6, Names: 6, Units: 12, Images: 6 };
  const HINT = "A layer, “layer 17”, a number, a concept, a class, “vertical”, a file’s name.";

  const dialog = {
    box: null, options: [], at: -1,

    make() {
      const box = { role: "combobox", "aria-expanded": "true", "aria-controls": "offered", "aria-autocomplete": "list" };
      const text = { type: "text", enterKeyHint: "search", autocomplete: "off", autocapitalize: "off", spellcheck: false };
      this.field = made("input", { id: "go", name: "q", maxLength: 200, ...text, ...box });
      this.field.oninput = () => this.update();
      this.field.onkeydown = (event) => this.key(event);
      const form = made("form", { action: opener.href, role: "search" },
        made("label", { htmlFor: "go" }, "Search"), this.field, made("button", {}, "All answers"));
      form.onsubmit = (event) => this.submit(event);
      this.said = made("p", { role: "status", className: "quiet" });
      this.offered = made("div", { id: "offered", role: "listbox", "aria-label": "Answers" });
      const close = made("button", { type: "button", onclick: () => this.box.close() }, "Close");
      this.box = made("dialog", { className: "search", "aria-label": "Search" }, form, this.said, this.offered, close);
      // A click beside the dialog closes it, too.
      this.box.onclick = (event) => { if (event.target === this.box) this.box.close(); };
      document.head.append(made("link", { rel: "stylesheet", href: style }));
      document.body.append(this.box);
    },

    open() {
      if (!this.box) this.make();
      if (!this.box.open) this.box.showModal();
      this.field.focus();
      this.field.select();
      this.update();
    },

    async update() {
      const text = plain(this.field.value);
      try {
        if (!window.LS.answers) this.said.textContent = "Loading the names …";
        await loaded();
      } catch {
        this.said.textContent = `The names cannot be loaded${files ? "." : ": “All answers” asks the server."}`;
        return;
      }
      // Something else may have been typed meanwhile.
      if (text !== plain(this.field.value)) return;
      const answers = window.LS.answers, groups = text ? answers.find(text) : answers.start();
      this.show(groups, text ? FEW : answers.MOST);
      this.said.replaceChildren(...(!text ? [HINT] : groups.length ? [answers.counts(groups)] : answers.nothing(text)));
    },

    show(groups, most) {
      this.options = [];
      this.offered.replaceChildren(...groups.map(({ title, found, told }) => {
        const tiles = found.slice(0, most[title]).map((one) => {
          const option = window.LS.answers.tile(told(one), { role: "option", "aria-selected": "false", tabIndex: -1, id: `option-${this.options.length}` });
          this.options.push(option);
          return option;
        });
        const head = made("div", { role: "presentation", className: "title" }, title);
        return made("div", { role: "group", "aria-label": title, className: "answers" }, head, ...tiles);
      }));
      this.at = -1;
      this.choose(-1);
    },

    choose(at) {
      this.options[this.at]?.setAttribute("aria-selected", "false");
      this.at = Math.min(Math.max(at, -1), this.options.length - 1);
      const option = this.options[this.at];
      option?.setAttribute("aria-selected", "true");
      option?.scrollIntoView({ block: "nearest" });
      if (option) this.field.setAttribute("aria-activedescendant", option.id);
      else this.field.removeAttribute("aria-activedescendant");
    },

    key(event) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        this.choose(this.at + step);
      } else if (event.key === "Enter" && this.options[this.at]) {
        event.preventDefault();
        this.box.close();
        this.options[this.at].click();
      }
    },

    // A server answers with a page, and leads on where one page is meant; files do so here.
    async submit(event) {
      const text = plain(this.field.value);
      if (!files && text) return;
      event.preventDefault();
      if (!text) return;
      await loaded();
      this.box.close();
      location.href = window.LS.answers.only(text) ?? asked(text);
    },
  };

  window.LS.search = { made, loaded, plain, asked, opener, files };

  opener.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    dialog.open();
  };
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    dialog.open();
  });
})();
