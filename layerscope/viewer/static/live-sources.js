/* Where the live page's pictures come from: a camera, files, images of the atlas.
   LS.liveSources gives one source at a time; its newest picture stands in `current`, to be sent whole once. */
"use strict";
/** facts: the page's. tell: say(words), stop(words, clear) where nothing goes on, and with `clear` nothing of the last
    picture stays; refuse(words): what came is nothing, the last picture stays; ready() when there is something to send;
    changed(). */
LS.liveSources = (facts, tell) => {
  const PICTURE = 1, CALM_MS = 500, FRAME_PX = [224, 448, 1024], WHY = {
    NotAllowedError: "the camera was not allowed. Allow it in the address bar and press Camera again; pictures work without it",
    NotFoundError: "no camera was found. Connect one and press Camera again; pictures work without it",
    OverconstrainedError: "no camera was found that gives such pictures; pictures work without it",
    NotReadableError: "another program uses the camera. Close it and press Camera again; pictures work meanwhile",
    AbortError: "another program uses the camera, or it was disconnected; pictures work meanwhile",
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const video = document.createElement("video");
  // Two, so that a frozen picture is not painted over by one that was taken and not sent.
  const canvases = [document.createElement("canvas"), document.createElement("canvas")];
  video.muted = video.playsInline = true;
  let turn = 0, files = [], at = -1, image = null, lastGrab = 0;
  // current: { blob, flags, bitmap, fresh, clock, words }, of an image of the atlas { image } in place of a blob; key: under
  // which the server keeps it, if it does; fresh: not sent yet. lastFrame: when the video gave one.
  const source = { calm, kind: null, frozen: false, playing: false, current: null, waiting: false, grabbing: false, lastFrame: 0 };

  source.moving = () => !source.frozen && (source.kind === "camera" || source.kind === "video");
  source.saying = () => ({ camera: "Live from the camera", video: "Playing the video" })[source.kind] || source.current.words;
  const rests = () => calm.matches && !source.playing && performance.now() - lastGrab < CALM_MS;

  function frame(of) {
    if (of !== turn) return;
    source.waiting = true;
    source.lastFrame = performance.now();
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(() => frame(of));
    else requestAnimationFrame(() => frame(of));
    if (source.moving() && !rests()) tell.ready();
  }

  /** The video's picture of now becomes current, as a small JPEG whose short side is what the network needs. */
  source.grab = async () => {
    if (rests() || source.grabbing || !video.videoWidth) return false;
    source.grabbing = true;
    source.waiting = false;
    lastGrab = performance.now();
    const [least, most, longest] = FRAME_PX, { videoWidth: width, videoHeight: height } = video, of = turn;
    const wanted = Math.max(least, Math.min(most, Math.max(facts.height, facts.width) * 1.15));
    const grabbed = canvases.find((canvas) => canvas !== source.current?.bitmap);
    const scale = Math.min(wanted / Math.min(width, height), longest / Math.max(width, height));
    grabbed.width = Math.max(1, Math.round(width * scale));
    grabbed.height = Math.max(1, Math.round(height * scale));
    grabbed.getContext("2d").drawImage(video, 0, 0, grabbed.width, grabbed.height);
    const blob = await new Promise((done) => grabbed.toBlob(done, "image/jpeg", 0.8));
    source.grabbing = false;
    if (!blob || of !== turn || !source.moving()) return false;
    source.current = { blob, flags: 0, bitmap: grabbed, fresh: true, clock: lastGrab, words: "" };
    return true;
  };

  function leave() {
    turn += 1;
    for (const track of video.srcObject ? video.srcObject.getTracks() : []) track.stop();
    video.srcObject = null;
    if (video.src) URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    source.frozen = source.grabbing = false;
    source.kind = null;
    tell.changed();
  }

  function begin(kind) {
    const of = turn;
    source.kind = kind;
    video.loop = kind === "video";
    video.play().then(() => frame(of), () => { if (of === turn && !video.error) tell.stop("this video cannot be played", true); });
    tell.changed();
  }

  source.camera = () => {
    if (source.kind === "camera") { leave(); return tell.say("The camera is off"); }
    leave();
    const port = location.port || 80, of = turn;
    if (!window.isSecureContext || !navigator.mediaDevices) {
      return tell.stop("browsers give a page the camera only at a secure address, and this one is not. On the computer " +
        `with the camera run: ssh -L ${port}:127.0.0.1:${port} ${location.hostname} and open ` +
        `http://127.0.0.1:${port}${location.pathname} there. Pictures work here too`);
    }
    tell.say("Asking for the camera");
    const wanted = { video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } }, audio: false };
    navigator.mediaDevices.getUserMedia(wanted).then((stream) => {
      if (of !== turn) return stream.getTracks().forEach((track) => track.stop());
      for (const track of stream.getTracks()) track.onended = () => tell.stop("the camera gives no more pictures");
      video.srcObject = stream;
      begin("camera");
    }, (error) => { if (of === turn) tell.stop(WHY[error.name] || `the camera cannot be used (${error.name})`); });
  };

  source.freeze = () => {
    if (!source.kind) return tell.say("There is nothing to freeze yet");
    source.frozen = !source.frozen;
    if (source.kind === "video") source.frozen ? video.pause() : video.play();
    source.waiting = !source.frozen;
    tell.say(source.frozen ? "Frozen: this picture stays; choose layers and units" : source.saying());
    tell.changed();
    tell.ready();
  };

  function film(file) {
    leave();
    const of = turn;
    video.src = URL.createObjectURL(file);
    video.onerror = () => { if (of === turn) tell.stop(`${file.name}: the browser cannot read this video`, true); };
    begin("video");
  }

  function show(current, kind) {
    source.kind = kind;
    source.current = { flags: 0, bitmap: null, fresh: true, clock: performance.now(), ...current };
    tell.changed();
    tell.say(source.current.words);
    tell.ready();
  }

  /** A JPEG or PNG within the limits goes up as it is; whatever else the browser can read, it reads (drop.js). */
  async function picture(file, place = "") {
    leave();
    const of = turn;
    let sent;
    try { sent = await LS.sendable(file); } catch (error) { return of === turn && tell.stop(error.message, true); }
    if (of !== turn) return;
    show({ blob: sent.blob, flags: PICTURE, bitmap: sent.bitmap, words: `${sent.words}${place}` }, "picture");
    // Kept on the server, so that the address can say which picture it is.
    const mine = source.current, kept = await LS.sendPicture(sent.blob, true).catch(() => null);
    if (!kept) return;
    mine.key = kept.key;
    if (of === turn) tell.changed();
  }

  /** A picture that the server keeps, by its key. */
  source.kept = async (key) => {
    leave();
    const of = turn, reply = await fetch(`${facts.looked.replace("{n}", key)}/sent`).catch(() => null);
    if (of !== turn) return;
    if (!reply || !reply.ok) return tell.stop("the picture of this address is kept no longer: choose it again", true);
    const blob = await reply.blob(), bitmap = await createImageBitmap(blob).catch(() => null);
    if (of === turn) show({ blob, flags: PICTURE, bitmap, key, words: "Your picture" }, "picture");
  };

  source.take = (given) => {
    files = [...given].filter((file) => /^(image|video)\//.test(file.type));
    at = -1;
    if (files.length) source.step(1);
    else tell.refuse(`${given[0] ? given[0].name : "this"} is neither a picture nor a video`);
  };

  /** An image of the atlas: the server takes its own file where that is still there. */
  source.image = (id) => {
    leave();
    files = [];
    image = id;
    show({ image: id, words: `Image ${id} of the atlas` }, "image");
  };

  /** The next or previous picture: of the files that were chosen, else of the atlas. */
  source.step = (by) => {
    if (files.length) {
      at = (at + by + files.length) % files.length;
      const file = files[at], place = files.length > 1 ? ` (${at + 1} of ${files.length})` : "";
      return file.type.startsWith("video/") ? film(file) : picture(file, place);
    }
    const known = facts.pictured, place = known.indexOf(image);
    if (known.length) source.image(known[place < 0 ? 0 : (place + by + known.length) % known.length]);
  };

  return source;
};
