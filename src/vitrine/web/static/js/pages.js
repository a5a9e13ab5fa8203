// The pages of a PDF, one at a time: keyboard, buttons, zoom, text that can be selected. Our own origin only. Without
// the viewer (it is fetched at set-up) or when a file cannot be read, the picture and the link of the page stay.

const player = document.querySelector(".document-player");
const stage = player.querySelector(".stage");
const said = document.getElementById("said");
const at = player.querySelector(".at");
const field = at.querySelector("input");
const button = (name) => player.querySelector(`[data-do="${name}"]`);
const { viewer } = JSON.parse(document.getElementById("env-configuration").textContent);
const STEP = 1.25;
const MOST = 6;
const LEAST = 0.25;
const LARGEST_CANVAS = 16_000_000; // pixels: beyond it browsers refuse or crawl

let pdf, library, number = 1, zoom = 0, shown = 1, drawing = null; // zoom 0 fits the whole page into the frame

async function open() {
  library = await import(`${viewer}build/pdf.min.mjs`);
  library.GlobalWorkerOptions.workerSrc = `${viewer}build/pdf.worker.min.mjs`;
  pdf = await library.getDocument({
    url: player.dataset.source,
    cMapUrl: `${viewer}cmaps/`,
    standardFontDataUrl: `${viewer}standard_fonts/`,
    wasmUrl: `${viewer}wasm/`,
    iccUrl: `${viewer}iccs/`,
    enableXfa: false,
  }).promise;
  const first = (await pdf.getPage(1)).getViewport({ scale: 96 / 72 });
  dispatchEvent(new CustomEvent("document-size", { detail: { width: Math.round(first.width), height: Math.round(first.height) } }));
  at.querySelector("output").value = String(pdf.numPages);
  await draw();
  player.classList.add("is-open");
  for (const one of player.querySelectorAll(".tools [hidden]")) one.hidden = false;
  wire();
  dispatchEvent(new CustomEvent("document-open"));
}

/** Draw the current page. A later call wins: one that was overtaken stops by itself. */
async function draw() {
  drawing?.cancel();
  stage.setAttribute("aria-busy", "true");
  const page = await pdf.getPage(number);
  const natural = page.getViewport({ scale: 1 });
  const room = { width: stage.clientWidth - 24, height: stage.clientHeight - 24 };
  const whole = Math.min(room.width / natural.width, room.height / natural.height);
  shown = zoom || Math.max(0.05, whole);
  const viewport = page.getViewport({ scale: shown });
  const density = Math.min(devicePixelRatio || 1, Math.sqrt(LARGEST_CANVAS / (viewport.width * viewport.height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(viewport.width * density));
  canvas.height = Math.max(1, Math.floor(viewport.height * density));
  const task = page.render({ canvas, viewport, transform: density === 1 ? null : [density, 0, 0, density, 0, 0] });
  drawing = task;
  try {
    await task.promise;
  } catch (failure) {
    if (failure?.name === "RenderingCancelledException") return;
    throw failure;
  }
  if (drawing !== task) return;
  const sheet = document.createElement("div");
  sheet.className = "sheet";
  sheet.style.width = `${Math.floor(viewport.width)}px`;
  sheet.style.height = `${Math.floor(viewport.height)}px`;
  sheet.style.setProperty("--total-scale-factor", String(shown));
  const words = document.createElement("div");
  words.className = "textLayer";
  sheet.append(canvas, words);
  stage.replaceChildren(sheet);
  stage.scrollTop = 0;
  stage.removeAttribute("aria-busy");
  tell();
  new library.TextLayer({ textContentSource: page.streamTextContent(), container: words, viewport }).render().catch(() => {});
}

function tell() {
  field.value = String(number);
  button("previous").disabled = number <= 1;
  button("next").disabled = number >= pdf.numPages;
  button("smaller").disabled = shown <= LEAST;
  button("larger").disabled = shown >= MOST;
  button("fit").disabled = zoom === 0;
  const place = said.dataset.page.replace("%s", number).replace("%s", pdf.numPages);
  said.textContent = place;
  stage.setAttribute("aria-label", place);
}

function turn(to) {
  const wanted = Math.min(pdf.numPages, Math.max(1, to));
  if (!Number.isInteger(wanted) || wanted === number) {
    field.value = String(number);
    return;
  }
  number = wanted;
  draw().catch(broken);
}

function scale(to) {
  zoom = to === 0 ? 0 : Math.min(MOST, Math.max(LEAST, to));
  draw().catch(broken);
}

const ACTIONS = {
  previous: () => turn(number - 1), next: () => turn(number + 1), first: () => turn(1), last: () => turn(pdf.numPages),
  smaller: () => scale(shown / STEP), larger: () => scale(shown * STEP), fit: () => scale(0),
};
const KEYS = {
  ArrowLeft: "previous", PageUp: "previous", ArrowRight: "next", PageDown: "next", " ": "next", Home: "first", End: "last",
  "+": "larger", "=": "larger", "-": "smaller", 0: "fit",
};

function wire() {
  player.querySelector(".tools").addEventListener("click", (event) => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (!name) return;
    ACTIONS[name]();
    // A button that has just become useless must not swallow the keyboard.
    requestAnimationFrame(() => { if (document.activeElement === document.body) stage.focus(); });
  });
  field.addEventListener("change", () => turn(Number.parseInt(field.value, 10)));
  field.addEventListener("focus", () => field.select());
  addEventListener("keydown", (event) => {
    const typing = event.target === field;
    const pressing = event.key === " " && event.target.closest?.("button, a");
    const sideways = event.key.startsWith("Arrow") && stage.scrollWidth > stage.clientWidth + 1;
    const name = KEYS[event.key];
    if (!name || typing || pressing || sideways || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    ACTIONS[name]();
  });
  let pause;
  addEventListener("resize", () => {
    clearTimeout(pause);
    pause = setTimeout(() => { if (zoom === 0) draw().catch(broken); }, 150);
  });
}

function broken(failure) {
  console.warn("The document could not be shown.", failure?.name ?? failure);
  stage.removeAttribute("aria-busy");
  said.textContent = said.dataset.broken;
  if (!player.classList.contains("is-open")) {
    const note = document.createElement("p");
    note.textContent = said.dataset.broken;
    if (!stage.firstElementChild) stage.append(note);
  }
}

if (viewer) open().catch(broken);
