// A picture that is dropped on any page, or pasted, goes to the network where there is one; no page is left for a file.
"use strict";
(() => {
  // look: where pictures are sent to; "" without a network, and then `said` tells how one is had.
  const { look, said } = document.currentScript.dataset;
  // What the server takes: see frames.py. All else a browser can read is sent as PNG, its longer side at most LONGEST px.
  const PICTURE_BYTES = 8 * 1024 * 1024, PICTURE_PIXELS = 16000000, LONGEST = 1024;
  const LS = (window.LS ??= {});

  async function resampled(bitmap) {
    const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height)), canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return { blob: await new Promise((done) => canvas.toBlob(done, "image/png")), bitmap: canvas };
  }

  /** A file as it can be sent: { blob, bitmap, words }. Throws a sentence, with the file's name, where it is no picture. */
  LS.sendable = async (file) => {
    const name = file.name || "the pasted picture";
    if (!/^image\//.test(file.type)) throw new Error(`${name} is no picture`);
    let bitmap;
    try { bitmap = await createImageBitmap(file); } catch { throw new Error(`${name}: the browser cannot read this picture`); }
    const asItIs = /^image\/(jpeg|png)$/.test(file.type) && file.size <= PICTURE_BYTES &&
      bitmap.width * bitmap.height <= PICTURE_PIXELS;
    if (asItIs) return { blob: file, bitmap, words: name };
    const sent = await resampled(bitmap);
    return { ...sent, words: `${name}, resampled by the browser to ${sent.bitmap.width} x ${sent.bitmap.height} px` };
  };

  /** Send a picture, to be looked at, or with `keep` only to be kept; gives its address and key. Throws a sentence. */
  LS.sendPicture = async (blob, keep = false) => {
    const reply = await fetch(keep ? `${look}?keep` : look, { method: "POST", body: blob }).catch(() => null);
    const answer = reply && await reply.json().catch(() => null);
    if (!answer || !answer.address) throw new Error((answer && answer.error) || "the server does not answer");
    return answer;
  };

  const box = document.createElement("dialog"), words = document.createElement("p"), close = document.createElement("button");
  function tell(sentence) {
    if (!box.isConnected) {
      words.setAttribute("role", "status");
      close.textContent = "Close";
      close.onclick = () => box.close();
      box.setAttribute("aria-label", "The dropped picture");
      box.append(words, close);
      document.body.append(box);
    }
    if (!box.open) box.showModal();
    words.textContent = sentence;
  }

  async function send(files) {
    if (!look) return tell(said);
    const file = files.find((one) => /^image\//.test(one.type)) ?? files[0];
    try {
      const { blob, words: name } = await LS.sendable(file);
      tell(`Looking at ${name} at every layer`);
      location.href = (await LS.sendPicture(blob)).address;
    } catch (error) {
      tell(`${error.message}.`);
    }
  }

  // The live page takes files its own way.
  const take = (files) => (LS.take ?? send)(files);
  // A picture that is dragged from this page itself is none that comes.
  let own = false;
  addEventListener("dragstart", () => { own = true; });
  addEventListener("dragend", () => { own = false; });
  const carries = (given) => !own && Boolean(given) && [...given.types].includes("Files");
  const over = (on) => document.body.classList.toggle("dropping", on);
  addEventListener("dragover", (event) => {
    if (!carries(event.dataTransfer)) return;
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  addEventListener("drop", (event) => {
    if (!carries(event.dataTransfer)) return;
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length) take([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    if (!carries(event.clipboardData) || !event.clipboardData.files.length) return;
    event.preventDefault();
    take([...event.clipboardData.files]);
  });
})();
