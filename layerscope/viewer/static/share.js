// Handing a page on: its address, its figure and its citation into the clipboard.
"use strict";
(() => {
  const one = (selector) => document.querySelector(selector);
  const own = one(".share")?.dataset ?? {}, folder = "folder" in document.documentElement.dataset;
  // Names that mean this machine, and its files: nobody else can open such an address.
  const local = location.protocol === "file:" || /^(.*\.)?localhost$|^127(\.\d+){3}$|^\[::1\]$/.test(location.hostname);
  // Where an export will stand is known where its maker has said so.
  const address = () => (own.address ? own.address + location.hash : location.href);
  const below = () => one(".share code").textContent + (folder ? "" : location.search) + location.hash;
  const plain = (text) => text.replace(/[\\[\]`*_<>]/g, "\\$&");

  async function figure(button) {
    if (LS.figure) return LS.figure();
    const answer = await fetch(button.dataset.from);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.blob();
  }

  const copy = {
    link: () => navigator.clipboard.writeText(address()),
    markdown: () => navigator.clipboard.writeText(`[${plain(own.title)}](${address()})`),
    below: () => navigator.clipboard.writeText(below()),
    bibtex: () => navigator.clipboard.writeText(one("#bibtex").textContent),
    // A promise, for a figure takes a second to draw, and by then the click would be over.
    figure: (button) => navigator.clipboard.write([new ClipboardItem({ "image/png": figure(button) })]),
  };
  const note = {
    link: () => (local && !own.address ? "This address opens on this machine only. To others send where the page stands below the atlas:" : ""),
    figure: () => "The figure is in the clipboard, as a PNG.",
  };

  // Copying needs a secure context: localhost, https, or a file.
  for (const button of document.querySelectorAll("[data-copy]")) {
    const kind = button.dataset.copy;
    if (!navigator.clipboard || (kind === "figure" && !window.ClipboardItem)) continue;
    button.hidden = false;
    const words = button.textContent;
    button.onclick = async () => {
      const say = (text, more = "") => { button.textContent = text; one(".handed-on").textContent = more; };
      try {
        if (kind === "figure") say("Drawing");
        await copy[kind](button);
        say("Copied", note[kind]?.());
      } catch {
        say("That did not work");
      }
      setTimeout(() => { button.textContent = words; }, 2000);
    };
  }
})();
