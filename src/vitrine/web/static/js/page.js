// Small helps for every page. Without this file everything still works: forms post, links lead, values can be selected.

const live = document.getElementById("live");

/** Tell screen readers what just happened. */
export function say(text) {
  if (live) {
    live.textContent = "";
    requestAnimationFrame(() => { live.textContent = text; });
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const label = button.firstChild;
    const before = label.textContent;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    label.textContent = button.dataset.said;
    say(button.dataset.said);
    setTimeout(() => { label.textContent = before; }, 1600);
  });
}

document.querySelector("[data-focus]")?.focus();

// The menu closes when one leaves it, and by Escape.
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
  });
}

// A value that is edited where it stands: Enter saves, Escape leaves.
for (const holder of document.querySelectorAll("[data-edit]")) {
  const show = holder.querySelector("[data-show]");
  const form = holder.querySelector("form");
  const input = form.querySelector("input[name=callback]");
  const note = holder.querySelector("[data-note]");
  const openers = [show, ...document.querySelectorAll(`[data-opens="${holder.id}"]`)];
  const open = (yes) => {
    form.hidden = !yes;
    show.hidden = yes;
    if (yes) { input.value = show.textContent.trim(); input.focus(); input.select(); } else { show.focus(); }
  };
  for (const one of openers) one.addEventListener("click", (event) => { event.preventDefault(); open(true); });
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); open(false); note.textContent = ""; } });
  form.querySelector("[data-cancel]").addEventListener("click", (event) => { event.preventDefault(); open(false); note.textContent = ""; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    note.textContent = holder.dataset.saving;
    const answer = await fetch(holder.dataset.edit, {
      method: "POST",
      headers: { "X-Requested-With": "XMLHttpRequest", Accept: "application/json" },
      body: new URLSearchParams({ callback: input.value }),
    }).then((response) => response.json()).catch(() => ({ success: false, message: holder.dataset.lost }));
    if (answer.success) {
      show.textContent = input.value.trim();
      note.textContent = holder.dataset.saved;
      open(false);
    } else {
      note.textContent = answer.message || holder.dataset.lost;
      input.setAttribute("aria-invalid", "true");
      input.focus();
    }
  });
}

// A frame follows the best height that the document inside it tells, as on other people's pages (contract 04 section 6).
const frames = document.querySelectorAll('iframe[data-optimize-area="height"]');
if (frames.length) {
  addEventListener("message", (event) => {
    if (event.data?.id !== "Phraseanet") return;
    for (const frame of frames) if (frame.src === event.data.url) frame.style.height = `${event.data.optimizedHeight}px`;
  });
  // What it told before this script ran is told again: it speaks after every change of its size.
  for (const frame of frames) frame.style.height = `${frame.clientHeight + 1}px`;
}

// The callback field is of no use to a desktop application.
const kinds = document.querySelectorAll("[data-kind]");
if (kinds.length) {
  const callback = document.querySelector("[data-for=web]");
  const update = () => { callback.hidden = document.querySelector("[data-kind=desktop]").checked; };
  for (const one of kinds) one.addEventListener("change", update);
  update();
}

for (const box of document.querySelectorAll("[data-submits]")) box.addEventListener("change", () => box.form.requestSubmit());

// A picture that cannot be made leaves the place to what stands behind it.
for (const picture of document.querySelectorAll("img[data-optional]")) {
  const leave = () => { picture.dataset.broken = ""; };
  if (picture.complete && !picture.naturalWidth) leave();
  picture.addEventListener("error", leave);
}
