/* The live page's connection: pictures go to the network one at a time, its answers come back.
   One frame is in flight: the next is taken only when the answer to the last is painted, so no delay builds up. */
"use strict";
/** source: LS.liveSources. tell: say(words, trouble), stop(words), request(whole) -> text of what is to be seen,
    answered(answer, latency), idle(): there is nothing to send yet. */
LS.liveLink = (facts, source, tell) => {
  const FRAME = 1, AGAIN = 2, RESULT = 3, IMAGE = 4, VERSION = 1, HEADER = 16, STOPPED_MS = 5000;
  // Why a connection was closed: see live_socket.py.
  const FULL = 1013, IDLE = 4000;
  let flying = null; // { number, sent, of }: the question not yet answered
  let socket = null, requested = "", dirty = false, number = 0, backoff = 500, resting = false;

  function connect() {
    const secure = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${secure}//${location.host}${facts.socket}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      requested = "";
      if (source.current) source.current.fresh = true;
      if (!source.kind) tell.idle();
      pump();
    };
    socket.onmessage = ({ data }) => typeof data === "string" ? failed(JSON.parse(data)) : result(data);
    socket.onclose = closed;
  }

  function closed(event) {
    socket = flying = null;
    if (event.code === IDLE) return tell.say("Paused: nothing was asked for a while. Anything you do goes on");
    if (event.code === FULL) return tell.stop(event.reason || "others are watching already");
    tell.stop(event.reason || "the server does not answer; trying again");
    resting = true;
    setTimeout(() => { resting = false; connect(); }, backoff);
    backoff = Math.min(4000, backoff * 2);
  }

  const open = () => socket !== null && socket.readyState === WebSocket.OPEN;

  function failed({ error: words, number: of }) {
    const mine = flying && of === flying.number ? flying.of : null;
    if (mine) flying = null;
    // Of a picture of the reader's own: its name, and nothing of the last one stays.
    if (mine && mine.words && mine === source.current) tell.stop(`${mine.words}: ${words}`, true);
    else tell.say(words, true);
    pump();
  }

  function message(type, of, body) {
    const data = new Uint8Array(HEADER + (body ? body.byteLength : 0)), view = new DataView(data.buffer);
    view.setUint8(0, VERSION);
    view.setUint8(1, type);
    view.setUint16(2, type === FRAME ? of.flags : 0, true);
    view.setUint32(4, number, true);
    view.setFloat64(8, of.clock, true);
    if (body) data.set(new Uint8Array(body), HEADER);
    return data;
  }

  const bodyOf = (of) => of.blob ? of.blob.arrayBuffer() : Uint32Array.of(of.image).buffer;

  /** Send what is to be seen, if nothing is under way. */
  async function pump() {
    if (socket === null && source.kind && !resting) return connect();
    if (!open() || flying || source.grabbing) return;
    if (source.moving() && source.waiting && !(await source.grab())) return;
    if (!open() || flying || !source.current || !(source.current.fresh || dirty)) return;
    const of = source.current, whole = of.fresh, words = tell.request(whole && !source.moving());
    number = (number + 1) >>> 0;
    flying = { number, sent: performance.now(), of };
    of.fresh = dirty = false;
    if (!source.moving()) of.clock = flying.sent;
    const body = whole ? await bodyOf(of) : null;
    if (!open()) return;
    if (words !== requested) socket.send(requested = words);
    socket.send(message(!whole ? AGAIN : of.blob ? FRAME : IMAGE, of, body));
  }

  async function result(data) {
    const view = new DataView(data);
    if (view.getUint8(1) !== RESULT || !flying || view.getUint32(4, true) !== flying.number) return;
    const length = view.getUint32(HEADER, true), bytes = new Uint8Array(data, HEADER + 4 + length);
    const found = JSON.parse(new TextDecoder().decode(new Uint8Array(data, HEADER + 4, length)));
    let at = 0;
    const parts = found.pictures.map((size) => bytes.subarray(at, at += size));
    const bitmap = (part, type) => part && createImageBitmap(new Blob([part], { type }));
    const mosaic = found.mosaic && parts.shift(), levels = found.map && parts.shift();
    const shot = found.projection && parts.shift(), got = found.prepared && parts.shift();
    const [maps, projection, prepared] = await Promise.all([
      bitmap(mosaic, "image/jpeg"), bitmap(shot, "image/png"), bitmap(got, "image/png"),
    ]);
    if (!flying) return;
    const { layer, unit, pinned } = JSON.parse(requested), of = flying.of;
    if (prepared) of.prepared = prepared;
    flying = null;
    backoff = 500;
    const layerOf = facts.layers.findIndex((one) => one.name === layer);
    tell.answered({ ...found, maps, levels, shot: projection, of, layerOf, unit, unitLayer: pinned || layer },
      performance.now() - view.getFloat64(8, true));
    // Behind the paint of this answer.
    requestAnimationFrame(() => pump());
  }

  /** Whether the server still answers and the source still gives pictures. */
  function watch() {
    const now = performance.now();
    if (flying && now - flying.sent > STOPPED_MS) {
      tell.stop("no answer for 5 seconds; connecting again");
      flying = null;
      if (socket) socket.close();
    } else if (source.moving() && !document.hidden && now - source.lastFrame > STOPPED_MS) {
      tell.stop("no new picture for 5 seconds");
    }
  }
  setInterval(watch, 500);

  return { connect, pump, look: () => { dirty = true; pump(); } };
};
