// Which units of a layer, and which names of the index, are shown: forms act at once, and a choice goes on to units.
"use strict";

(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  // The search has a form alone.
  const grid = window.LS.grid ?? {};
  const hash = () => Object.fromEntries(new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : ""));

  // --- with a server: what is chosen is asked for and put in place of what was there

  const SOON_MS = 150;

  // Words of a form that say something.
  function said(form) {
    const plain = ([name, value]) => !value || (name === "sort" && value === "unit");
    return new URLSearchParams([...new FormData(form)].filter((word) => !plain(word)));
  }

  function renew(made) {
    const [old, now] = [document, made].map((page) => all("[data-renewed]", page));
    if (old.length !== now.length) return false;
    old.forEach((place, at) => {
      place.replaceChildren(...now[at].childNodes);
      // Options that are taken from one list to another forget which of them was chosen.
      for (const option of place.options ?? []) option.selected = option.defaultSelected;
      for (const name of ["class", "href"]) if (now[at].hasAttribute(name)) place.setAttribute(name, now[at].getAttribute(name));
    });
    return true;
  }

  function startRenewing() {
    const form = one("form[data-renews]");
    if (!form) return;
    let waiting = 0, under = new AbortController();
    const ask = async () => {
      const words = said(form), address = `${location.pathname}?${words}`;
      under.abort();
      under = new AbortController();
      history.replaceState(null, "", words.size ? address : location.pathname);
      // Told that it is for a page, the server leads nowhere else, though only one thing may be meant.
      words.set("format", "html");
      try {
        const answer = await fetch(`${location.pathname}?${words}`, { signal: under.signal });
        const made = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (!answer.ok || !renew(made)) location.reload();
        else if (grid.root) grid.collect();
      } catch (error) {
        if (error.name !== "AbortError") form.submit();
      }
    };
    const soon = (wait) => { clearTimeout(waiting); waiting = setTimeout(ask, wait); };
    form.oninput = (event) => soon(event.target.type === "search" ? SOON_MS : 0);
    // One thing may be meant, and leads there: then Enter is the browser's.
    if (grid.root) form.onsubmit = (event) => { event.preventDefault(); soon(0); };
  }

  // --- without one: the units' numbers are in a script

  // The same orders as the server's (pages/choosing.py); rows are what scripts.py writes.
  const [UNIT, MAX, MEAN, SHARE, SPARSITY, DEAD, SHOWN, NAME, SCORE, LABEL, AT, OTHERS, KEY] = Array(13).keys();
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const down = (column) => (a, b) => (a[column] === null) - (b[column] === null) || b[column] - a[column];
  const ORDERS = {
    unit: () => 0,
    max: down(MAX), mean: down(MEAN), share: down(SHARE), score: down(SCORE),
    sparsity: (a, b) => a[DEAD] - b[DEAD] || (a[SPARSITY] === null) - (b[SPARSITY] === null) || a[SPARSITY] - b[SPARSITY],
    name: (a, b) => !a[NAME] - !b[NAME] || compare(a[NAME], b[NAME]),
  };
  const SHOWS = { all: () => true, live: (row) => !row[DEAD], tiles: (row) => row[SHOWN] };

  const wordsOf = (query) => (query.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);

  const NUMBER = /^\d+$/;
  const named = (row, text) => [NAME, AT, LABEL, OTHERS, KEY].some((column) => row[column].toLowerCase().includes(text));
  const holds = (row, word) => (NUMBER.test(word) ? Number(word) === row[UNIT] : named(row, word));

  function chosen(rows, query) {
    const words = wordsOf(query);
    const shows = SHOWS[query.show] ?? SHOWS.all, order = ORDERS[query.sort] ?? ORDERS.unit;
    // A number alone is a unit; behind a word it is a part of a name, where any name has it so ("edge 90").
    const there = rows.filter(shows), numbers = words.filter((word) => NUMBER.test(word)).length;
    const whole = numbers && numbers < words.length ? there.filter((row) => named(row, words.join(" "))) : [];
    const kept = whole.length ? whole : there.filter((row) => words.every((word) => holds(row, word)));
    const sorted = kept.sort((a, b) => order(a, b) || a[UNIT] - b[UNIT]);
    return query.reverse ? sorted.reverse() : sorted;
  }

  // By what a unit was found beside its name.
  function why(row, query) {
    const words = wordsOf(query).filter((word) => !NUMBER.test(word));
    const names = new Set([row[LABEL], ...row[OTHERS].split("\n")].filter((name) => name && name !== row[NAME]));
    return [...names].filter((name) => words.some((word) => name.toLowerCase().includes(word)));
  }

  // What goes on to units, and what an address of a layer's page says besides.
  const CHOICE = ["q", "sort", "reverse", "show"], WHOLE = [...CHOICE, "zoom"];
  const spelled = (query, names = CHOICE) => String(new URLSearchParams(names.filter((name) => query[name]).map((name) => [name, query[name]])));

  let enlarge = () => {};

  const SECTION = 64;

  // Items are moved, not made anew: each carries the classes of its place in the sprites.
  function arrange(items, rows, total, query) {
    const plain = rows.length === total && rows.every((row, place) => row[UNIT] === place);
    const sections = [], choice = spelled(query);
    for (let first = 0; first < rows.length; first += SECTION) {
      const part = rows.slice(first, first + SECTION), last = first + part.length;
      const [section, title, list] = ["section", "h2", "ul"].map((name) => document.createElement(name));
      title.textContent = plain ? `Units ${first}–${last - 1}` : `${first + 1}–${last} of ${rows.length}`;
      list.className = "grid";
      list.append(...part.map((row) => dressed(items[row[UNIT]], row, query, choice)));
      section.append(title, list);
      sections.push(section);
    }
    grid.root.replaceChildren(...sections);
    grid.collect();
    const bare = query.q ? rows.filter((row) => !row[SHOWN]).length : 0;
    const without = bare ? `; ${bare} of these ${bare === 1 ? "has no picture" : "have no pictures"} here` : "";
    one(".found").textContent = rows.length < total ? `${rows.length} of ${total} units${without}` : "";
  }

  // A unit of the grid says why it was found, and its link takes the choice along.
  function dressed(item, row, query, choice) {
    const link = one("a", item);
    link.hash = choice;
    for (const old of all(".why", link)) old.remove();
    for (const name of why(row, query)) {
      link.append(Object.assign(document.createElement("small"), { className: "why", textContent: name }));
    }
    return item;
  }

  function startChoice() {
    const form = one(".choose[data-layer]:not([hidden], [data-renews])"), rows = form && LS.get("units", form.dataset.layer);
    if (!rows) return;
    let items = null;
    const again = () => {
      items ??= Object.fromEntries(all(".grid > li").map((item) => [one("b", item).textContent, item]));
      const there = rows.filter((row) => items[row[UNIT]]), query = Object.fromEntries(said(form));
      if (query.show === "all") delete query.show;
      arrange(items, chosen(there, query), rows.length, query);
      enlarge();
      return query;
    };
    const show = (query) => {
      for (const field of form.elements) {
        if (field.type === "checkbox") field.checked = Boolean(query[field.name]);
        else if (field.name) field.value = query[field.name] ?? field.options?.[0].value ?? "";
      }
      again();
      if (query.at) grid.arrive(query.at);
    };
    const ask = () => history.replaceState(null, "", `#${spelled(again(), WHOLE)}`);
    form.onsubmit = (event) => { event.preventDefault(); ask(); };
    form.oninput = ask;
    addEventListener("hashchange", () => {
      const unit = /^#u(\d+)$/.exec(location.hash)?.[1];
      if (unit) grid.arrive(unit);
      else show(hash());
    });
    if (location.hash.includes("=")) show(hash());
  }

  // Sheets stand beside their units. Large or not is a field of the form: so it is in the address, too.
  function startZoom() {
    const button = one("button.zoom"), field = one(".choose input[name=zoom]");
    const endings = (grid.root?.dataset.endings ?? "").split(" ").filter(Boolean);
    if (!button) return;
    button.hidden = !endings.length;
    const picture = (src) => Object.assign(new Image(288, 288), { loading: "lazy", decoding: "async", alt: "", src });
    enlarge = () => {
      const large = grid.root.classList.toggle("large", field.value === "large");
      button.firstChild.textContent = large ? "At a glance " : "Large ";
      for (const link of large ? all(".grid > li:not(.bare) > a:not(:has(.pair))", grid.root) : []) {
        const pair = document.createElement("span"), page = link.getAttribute("href").replace(/#.*$/, "");
        pair.className = "pair";
        pair.append(...endings.map((ending) => picture(page.replace(/\.html$/, ending))));
        link.prepend(pair);
      }
    };
    button.onclick = () => {
      field.value = field.value ? "" : "large";
      field.form.dispatchEvent(new Event("input"));
      enlarge();
    };
  }

  // A unit's page: the units before and behind it are those of the choice that its address holds.
  function startAround() {
    const steps = one("[data-around]"), query = hash();
    if (!steps || !spelled(query)) return;
    const { around, names, unit } = steps.dataset, [before, digits, after] = JSON.parse(steps.dataset.pages);
    const script = Object.assign(document.createElement("script"), { src: names });
    script.onload = () => {
      const rows = chosen([...LS.get("units", around)], query), place = rows.findIndex((row) => row[UNIT] === Number(unit));
      if (place < 0) return;
      for (const [rel, step, key] of [["prev", -1, "p"], ["next", 1, "n"]]) {
        one(`a[rel=${rel}]`, steps)?.remove();
        const row = rows[place + step];
        if (!row) continue;
        const link = document.createElement("a"), sign = document.createElement("kbd");
        Object.assign(link, { rel, href: `${before}${String(row[UNIT]).padStart(digits, "0")}${after}#${spelled(query)}` });
        sign.textContent = key;
        link.append(...(step < 0 ? [sign, ` unit ${row[UNIT]}`] : [`unit ${row[UNIT]} `, sign]));
        one(".among", steps).before(link, " ");
      }
      one(".among", steps).textContent = `${place + 1} of ${rows.length}${query.q ? ` that hold “${query.q}”` : ""}`;
    };
    document.head.append(script);
    const up = one("a.up", steps);
    up.hash = `${spelled(query)}&at=${unit}`;
  }

  // --- the index narrows as one types

  function startIndex() {
    const form = one("form[data-index]:not([hidden])");
    // A server that was asked for some of the names has left out the others.
    if (!form || form.elements.q.defaultValue) return;
    const show = (text) => {
      const folded = text.toLowerCase();
      for (const item of all(".index .answers > li")) {
        item.hidden = !all("b", item).some((name) => `${name.textContent}\n${name.dataset.key ?? ""}`.toLowerCase().includes(folded));
      }
      for (const group of all(".index .group")) group.hidden = !one(".answers > li:not([hidden])", group);
    };
    form.onsubmit = (event) => event.preventDefault();
    form.oninput = () => {
      const text = form.elements.q.value;
      history.replaceState(null, "", `#${text ? new URLSearchParams({ q: text }) : ""}`);
      show(text);
    };
    if (hash().q) show((form.elements.q.value = hash().q));
  }

  // Data scripts come after the common one, and before this.
  startRenewing();
  startZoom();
  startChoice();
  startAround();
  startIndex();
})();
