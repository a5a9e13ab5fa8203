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
      show.setAttribute("aria-label", `${show.dataset.label}: ${show.textContent}`);
      input.removeAttribute("aria-invalid");
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

// A callback address is of no use to an application that sends nobody anywhere.
const kinds = document.querySelectorAll("[data-kind]");
const returns = document.querySelector("[data-for=returns]");
if (returns) {
  const update = () => { returns.hidden = document.querySelector("[data-kind]:checked")?.dataset.kind === "machine";
    const address = returns.querySelector("input");
    if (address.value) address.dispatchEvent(new Event("input")); // other kinds have other rules
  };
  for (const one of kinds) one.addEventListener("change", update);
  update();
}

// What is wrong with an address is said while it is typed; the server knows the rules and the words.
for (const input of document.querySelectorAll("[data-check]")) {
  let waiting = 0;
  const note = document.createElement("span");
  note.id = `${input.id}-check`;
  note.className = "fault";
  const hints = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((one) => one && !one.endsWith("-fault"));
  const describe = (...ids) => {
    if (ids.length) input.setAttribute("aria-describedby", ids.join(" ")); else input.removeAttribute("aria-describedby");
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const value = input.value.trim();
      const fields = { field: input.dataset.check, value, application: input.dataset.application ?? "", kind: document.querySelector("[data-kind]:checked")?.dataset.kind ?? "" };
      const headers = { "X-Requested-With": "XMLHttpRequest", Accept: "application/json" };
      const told = value
        ? await fetch("/developers/check/", { method: "POST", headers, body: new URLSearchParams(fields) }).then((answer) => answer.json()).catch(() => ({ success: true }))
        : { success: true };
      if (value !== input.value.trim()) return;
      document.getElementById(`${input.id}-fault`)?.remove();
      note.textContent = told.success ? "" : told.message;
      input.after(note);
      if (told.success) {
        input.removeAttribute("aria-invalid");
        describe(...hints);
      } else {
        input.setAttribute("aria-invalid", "true");
        describe(note.id, ...hints);
        say(told.message);
      }
    }, 400);
  });
}

// A field at fault is no longer marked once it is changed: the server looks at it again.
for (const input of document.querySelectorAll('[aria-invalid="true"]:not([data-check])')) {
  input.addEventListener("input", () => {
    const fault = document.getElementById(`${input.id}-fault`);
    fault?.remove();
    input.removeAttribute("aria-invalid");
    const described = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== `${input.id}-fault`);
    if (described.length) input.setAttribute("aria-describedby", described.join(" ")); else input.removeAttribute("aria-describedby");
  }, { once: true });
}

// Boxes that belong to one choice of a list appear with it.
for (const box of document.querySelectorAll("[data-opened-by]")) {
  const choice = document.getElementById(box.dataset.openedBy);
  const update = () => { box.open = choice.value === box.dataset.when; };
  choice.addEventListener("change", update);
  box.addEventListener("change", () => { choice.value = box.dataset.when; });
}

// The preview of the consent page follows what is typed.
for (const input of document.querySelectorAll("[data-preview]")) {
  const shown = document.querySelector(`[data-shows="${input.dataset.preview}"]`);
  input.addEventListener("input", () => { shown.textContent = input.value.trim() || shown.dataset.or || "…"; });
}

for (const box of document.querySelectorAll("[data-submits]")) box.addEventListener("change", () => box.form.requestSubmit());

// A picture that cannot be made leaves the place to what stands behind it.
for (const picture of document.querySelectorAll("img[data-optional]")) {
  const leave = () => { picture.dataset.broken = ""; };
  if (picture.complete && !picture.naturalWidth) leave();
  picture.addEventListener("error", leave);
}
