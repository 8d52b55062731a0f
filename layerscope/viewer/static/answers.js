// What a text finds in the names of an atlas (viewer/search_index.py), as pages/goto.py and pages/search.py have it.
"use strict";

(() => {
  const { made, loaded, plain, asked, opener, files } = window.LS.search, { closest } = document.documentElement.dataset;
  // In an export addresses are those of its top; a server's are whole.
  const root = opener.dataset.root ?? "", index = () => window.LS.get("search", "");

  const of = (spelling, number) => spelling && `${root}${spelling[0]}${String(number).padStart(spelling[1], "0")}${spelling[2]}`;
  const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

  // --- layers, units and images that a text names by themselves

  const UNIT = "(?:unit |u ?)?(\\d{1,9})", DIGITS = /^\d+$/;
  const NUMBER = new RegExp(`^${UNIT}$`, "i"), PLACE = new RegExp(`^(.+?)(?: |:|/)${UNIT}$`, "i");

  // The surest way first.
  function ways(text) {
    const folded = text.toLowerCase();
    if (!text) return [];
    if (DIGITS.test(text)) return [(name) => name === text, (name) => new RegExp(`(?<!\\d)${text}(?!\\d)`).test(name)];
    const starts = (name) => name.toLowerCase().startsWith(folded), holds = (name) => name.toLowerCase().includes(folded);
    return [(name) => name === text, starts, holds];
  }

  function layersCalled(text) {
    for (const meant of ways(text)) {
      const found = index().layers.filter((layer) => [layer.name, ...layer.also].some((name) => meant(name)));
      if (found.length) return found;
    }
    return [];
  }

  function hasImage(number) {
    const { every, count, rows } = index().images;
    return every ? number < count : rows.some(([id]) => id === number);
  }

  const held = (layers, unit) => layers.filter((layer) => unit < layer.units).map((layer) => [layer, unit]);

  // whole: the text means nothing else.
  function targets(text) {
    const image = /^i(?:mage)? ?(\d{1,12})$/i.exec(text), number = NUMBER.exec(text), place = PLACE.exec(text);
    if (image) return { layers: [], units: [], images: [Number(image[1])].filter(hasImage), whole: true };
    const layers = layersCalled(text), found = { layers, units: [], images: [], whole: false };
    if (number) {
      found.units = held(index().layers, Number(number[1]));
      if (DIGITS.test(text)) found.images = [Number(text)].filter(hasImage);
    } else if (place) {
      const called = layersCalled(place[1]), byPlace = DIGITS.test(place[1]) && !called.length;
      found.units = held(byPlace ? index().layers.slice(place[1] - 1, Number(place[1])) : called, Number(place[2]));
    }
    found.whole = layers.length === 1 && !found.units.length && [layers[0].name, ...layers[0].also].includes(text);
    return found;
  }

  // --- names, and all that a text finds

  const KINDS = ["concept", "label", "word", "class", "peaks", "note"];
  const [CONCEPT, , , CLASS, PEAKS, NOTE] = KINDS;
  // Notes are no names, and classes of peaks are classes, which are names already.
  const isName = ([kind]) => kind !== NOTE && kind !== PEAKS;
  const namesOf = ([, name, words]) => (words ? [name, words] : [name]).map((one) => one.toLowerCase());
  const holds = (one, folded) => namesOf(one).some((name) => name.includes(folded));
  const grouped = ([kind, , , group], folded) => kind === CONCEPT && !/^level \d/.test(group) && group.toLowerCase() === folded;

  function find(text) {
    const folded = text.toLowerCase(), named = targets(text);
    const known = named.whole ? [] : index().names.filter((one) => holds(one, folded) || grouped(one, folded));
    const names = known.filter((one) => isName(one) && holds(one, folded) && !namesOf(one).includes(folded));
    return [
      { title: "Layers", found: named.layers, told: layerAnswer },
      { title: "Names", found: names, told: nameAnswer },
      { title: "Units", found: units(named.units, known, folded), told: unitAnswer },
      { title: "Images", found: images(named, folded), told: imageAnswer },
    ].filter(({ found }) => found.length);
  }

  // The units of a name with their scores: of the index they are one list.
  const placesOf = ([, , , , , flat]) => Array.from({ length: flat.length / 3 }, (_, at) => flat.slice(3 * at, 3 * at + 3));

  // Units by number, then by name: names that are the text first, then by kind and score; each once.
  function units(numbered, known, folded) {
    const { layers } = index(), found = new Map(numbered.map(([layer, unit]) => [`${layers.indexOf(layer)} ${unit}`, [layer, unit]]));
    const order = (one) => [namesOf(one).includes(folded) ? 0 : 1, KINDS.indexOf(one[0])];
    const named = known.flatMap((one) => placesOf(one).map(([layer, unit, score]) => [...order(one), -score, layer, unit, one]));
    named.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3] || a[4] - b[4]);
    for (const [, , score, layer, unit, one] of named) {
      const key = `${layer} ${unit}`;
      if (!found.has(key)) found.set(key, [layers[layer], unit, why(layers[layer], unit, one, -score)]);
    }
    return [...found.values()];
  }

  function why(layer, unit, [kind, name, words], score) {
    if (kind === CONCEPT && layer.doubtful[unit]) return `at its peaks: ${layer.doubtful[unit]}`;
    if (kind === CONCEPT) return `${closest}: ${words || name}, score ${score.toFixed(2)}`;
    if (kind === CLASS) return `class ${name}, ${score.toFixed(1)} times the mean`;
    if (kind === PEAKS) return `${counted(score, "peak")} of class ${name}`;
    return kind === NOTE ? name : `${kind} ${name}, AUC ${score.toFixed(2)}`;
  }

  function images(named, folded) {
    const { rows, labels } = index().images, first = new Set(named.images);
    const numbered = named.images.map((id) => rows.find((row) => row[0] === id) ?? [id, -1, 0, ""]);
    const says = ([, label, , file]) => `${labels[label] ?? ""}\n${file}`.toLowerCase().includes(folded);
    return [...numbered, ...(named.whole ? [] : rows.filter((row) => !first.has(row[0]) && says(row)))];
  }

  // --- answers: where they lead, a picture, words, and by what they were found

  const tileOf = (layer, unit) => (layer.of === true || layer.of.includes(unit) ? of(layer.tiles, unit) : null);
  // A unit's patches; where there are none, the image that excites it most.
  function shownBy(places) {
    const tiles = places.map(([layer, unit]) => tileOf(layer, unit)), photos = places.map(([layer, unit]) => layer.photos[unit]);
    const picture = tiles.find(Boolean), image = photos.find((one) => one !== undefined);
    return picture || image === undefined ? { picture } : { picture: of(index().images.picture, image), photo: true };
  }

  // An image of a class.
  function ofClass(name) {
    const { rows, labels, picture } = index().images, row = rows.find(([, label, kept]) => kept && labels[label] === name);
    return row && { picture: of(picture, row[0]), photo: true };
  }

  function layerAnswer({ name, page, cover, units }) {
    return { href: root + page, picture: cover && root + cover, words: name, why: counted(units, "unit") };
  }

  function nameAnswer(one) {
    const [kind, name, words, group, count] = one, places = placesOf(one);
    const many = count === null ? counted(places.length, "unit") : counted(count, "image");
    const said = words || name;
    const own = kind === CLASS && ofClass(name), seen = shownBy(places.map(([layer, unit]) => [index().layers[layer], unit]));
    return { href: asked(said), ...(own && (seen.photo || !seen.picture) ? own : seen), words: said, why: `${group ? `${kind}, ${group}` : kind} · ${many}` };
  }

  function unitAnswer([layer, unit, why]) {
    const words = `${layer.name} ${unit}`;
    return { href: of(layer.unit, unit), ...shownBy([[layer, unit]]), words, why: why ?? called(layer, unit) };
  }

  // What a unit is called that was found by its number.
  function called(layer, unit) {
    const at = index().layers.indexOf(layer), here = ([place, one]) => place === at && one === unit;
    const name = index().names.find((one) => one[0] === CONCEPT && placesOf(one).some(here));
    if (layer.doubtful[unit]) return `at its peaks: ${layer.doubtful[unit]}`;
    return name ? `${closest}: ${name[2] || name[1]}` : "";
  }

  function imageAnswer([id, label, kept, file]) {
    const { page, picture, labels } = index().images, why = [labels[label], file].filter(Boolean).join(" · ");
    return { href: of(page, id), picture: kept ? of(picture, id) : null, photo: true, words: `image ${id}`, why };
  }

  function tile({ href, picture, photo, words, why }, properties = {}) {
    const shown = picture
      ? made("img", { loading: "lazy", alt: "", className: photo ? "photo" : "", src: picture })
      : made("i", {}, "no picture");
    return made("a", { href, ...properties }, shown, made("b", {}, words), ...(why ? [" ", made("span", {}, why)] : []));
  }

  const MOST = { Layers: 24, Names: 24, Units: 60, Images: 24 };
  const start = () => [{ title: "Layers", found: index().layers, told: layerAnswer }];
  const counts = (groups) => groups.map(({ title, found }) => `${title} ${found.length.toLocaleString("en")}`).join(" · ");

  // What is said where nothing is found, with names that begin alike.
  function nothing(text) {
    const begins = text.toLowerCase().slice(0, 3);
    const near = index().names.filter((one) => isName(one) && namesOf(one).some((name) => name.startsWith(begins)));
    const links = near.slice(0, 3).flatMap((one) => [" ", made("a", { href: asked(one[2] || one[1]) }, one[2] || one[1])]);
    return [`Nothing here is called “${text}”.`, ...(links.length ? [" There is", ...links, "."] : [])];
  }

  // The one page that a text means, where it means one.
  function only(text) {
    const pages = find(text).filter(({ title }) => title !== "Names").flatMap(({ found, told }) => found.slice(0, 2).map(told));
    return pages.length === 1 ? pages[0].href : null;
  }

  window.LS.answers = { find, start, tile, counts, nothing, only, MOST };

  // --- the page of answers, where no server makes it

  function startPage() {
    const place = document.getElementById("answers"), form = document.querySelector("form.choose[role=search]");
    if (!files || !place || !form) return;
    const field = form.elements.q, status = document.querySelector(".found");
    const section = ({ title, found, told }) => {
      const more = found.length > MOST[title] ? `, the first ${MOST[title]}` : "";
      const count = made("span", { className: "quiet" }, `${found.length.toLocaleString("en")}${more}`);
      const items = found.slice(0, MOST[title]).map((one) => made("li", {}, tile(told(one))));
      return made("section", { className: "group" }, made("h2", {}, `${title} `, count), made("ul", { className: "answers" }, ...items));
    };
    const show = async () => {
      const text = plain(field.value);
      await loaded();
      if (text !== plain(field.value)) return;
      const groups = text ? find(text) : [];
      place.replaceChildren(...groups.map(section));
      if (text && !groups.length) place.append(made("p", { className: "notice" }, ...nothing(text)));
      status.textContent = counts(groups);
    };
    const heed = () => {
      field.value = new URLSearchParams(location.hash.slice(1)).get("q") ?? "";
      show();
    };
    form.oninput = () => {
      history.replaceState(null, "", `#${new URLSearchParams({ q: field.value })}`);
      show();
    };
    form.onsubmit = async (event) => {
      event.preventDefault();
      await loaded();
      const text = plain(field.value), address = text && only(text);
      if (address) location.href = address;
    };
    addEventListener("hashchange", heed);
    heed();
  }

  startPage();
})();
