// What pages around an embedded document rely on: the best size by postMessage, or the child half of pym.js.

const configuration = JSON.parse(document.getElementById("env-configuration").textContent);
globalThis.envConfiguration = configuration; // the old page had this global; scripts of hosts read it
const resource = configuration.resource;
const media = document.querySelector(".embed-resource");
const isSound = media instanceof HTMLAudioElement;
const pages = document.querySelector(".document-player");
const query = new URLSearchParams(location.search);
const hasPym = Boolean(query.get("parentUrl"));
const childId = query.get("childId") || "phraseanet-embed-frame";
const DEBOUNCE_MS = 300;
const PYM_DEBOUNCE_MS = 200;
const SOUND_SIDE = 240; // of a sound in a pym parent (contract 04 section 6)
let measured = null; // the first page of a document, once it is known

/** Width and height in pixels, from the server or, when it does not know them, from the loaded document. */
function size() {
  const width = resource.width || measured?.width || media?.naturalWidth || media?.videoWidth || 0;
  const height = resource.height || measured?.height || media?.naturalHeight || media?.videoHeight || 0;
  return width && height ? { width, height } : null;
}

/** Each value depends only on the other side of the frame, so that a host that follows it comes to rest at once. */
function post() {
  const known = size();
  if (!known || hasPym || window.parent === window) return;
  const ratio = known.height / known.width;
  window.parent.postMessage({
    id: "Phraseanet",
    url: location.href,
    optimizedWidth: Math.max(1, Math.min(Math.round(known.width), Math.floor(innerHeight / ratio))),
    optimizedHeight: Math.max(1, Math.min(Math.round(known.height), Math.floor(innerWidth * ratio))),
  }, "*");
}

function pym(type, value) {
  window.parent.postMessage(`pymxPYMx${childId}xPYMx${type}xPYMx${value}`, "*");
}

function height() {
  const known = size();
  if (isSound) return pym("height", SOUND_SIDE);
  if (!known && !pages) return undefined; // sent once the document is loaded
  const tools = pages?.querySelector(".tools")?.offsetHeight ?? 0;
  const wanted = known ? Math.min(known.height, Math.floor(innerWidth * known.height / known.width)) + tools : document.body.scrollHeight;
  return pym("height", Math.max(1, Math.round(wanted)));
}

let pause;
function later(call, wait) {
  clearTimeout(pause);
  pause = setTimeout(call, wait);
}

const start = () => (hasPym ? height() : post());
if (document.readyState === "complete") start(); else addEventListener("load", start);
media?.addEventListener("loadedmetadata", () => { if (!resource.width) start(); });
addEventListener("resize", () => later(start, hasPym ? PYM_DEBOUNCE_MS : DEBOUNCE_MS));
addEventListener("document-size", (event) => { measured = event.detail; start(); });

// An address ends with #t=…, which some browsers forget for a source that they resume: the element is told as well.
if (resource.currentTime && media && "currentTime" in media) {
  media.addEventListener("loadedmetadata", () => {
    if (media.currentTime < resource.currentTime) media.currentTime = resource.currentTime;
  }, { once: true });
}

if (hasPym) {
  addEventListener("message", (event) => {
    const [mark, id, type, value] = String(event.data).split("xPYMx");
    if (mark !== "pym" || id !== childId) return;
    if (type === "width" || type === "shouldResize") height();
    if (type === "play" && value) media?.play?.().catch(() => {}); // browsers may refuse sound without a gesture
    if ((type === "pause" || type === "dispose") && value) media?.pause?.();
  });
  if (media instanceof HTMLVideoElement) pym("childReady", "[object Object]");
}
