// One request a file, with its progress; two at a time. Without this file the form sends everything at once.
import { say } from "./page.js";

const form = document.querySelector("[data-upload]");
const queue = document.querySelector("[data-queue]");
const AT_ONCE = 2;

if (form && queue) {
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector("[data-drop]");
  const words = form.dataset;
  const waiting = [];
  let running = 0;

  const line = (file) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = file.name;
    const note = document.createElement("span");
    note.className = "small muted";
    name.append(document.createElement("br"), note);
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    const end = document.createElement("span");
    item.append(name, end, bar);
    queue.append(item);
    note.textContent = words.waiting;
    return { item, note, bar, end };
  };

  const button = (text, label) => {
    const made = document.createElement("button");
    made.className = "small";
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", `${text} ${label}`);
    return made;
  };

  const finish = (job, outcome) => {
    job.row.bar.remove();
    job.row.note.textContent = outcome.detail;
    job.row.end.replaceChildren();
    if (outcome.address) {
      const link = document.createElement("a");
      link.className = "button small";
      link.href = outcome.address;
      link.textContent = words.open;
      job.row.end.append(link);
    } else {
      const tag = document.createElement("span");
      tag.className = "tag bad";
      tag.textContent = "✕";
      job.row.end.append(tag);
    }
    if (outcome.state === "there") {
      const again = button(words.again, job.file.name);
      again.addEventListener("click", () => { job.row.item.remove(); add([job.file], true); });
      job.row.end.append(again);
    }
  };

  const send = (job) => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("csrf", form.elements.csrf.value);
    body.append("base_id", form.elements.base_id.value);
    if (job.again) body.append("again", "1");
    body.append("file", job.file);
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    job.row.note.textContent = words.sending;
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) job.row.bar.value = event.loaded / event.total; });
    const lost = () => { finish(job, { state: "refused", detail: words.lost }); resolve(); };
    request.addEventListener("load", () => {
      const outcome = request.response && request.response.outcomes ? request.response.outcomes[0] : null;
      if (outcome) { finish(job, outcome); resolve(); } else lost();
    });
    request.addEventListener("error", lost);
    request.send(body);
  });

  const pump = async () => {
    while (waiting.length && running < AT_ONCE) {
      const job = waiting.shift();
      running += 1;
      send(job).then(() => { running -= 1; pump(); if (!running && !waiting.length) say(words.finished); });
    }
  };

  const add = (files, again = false) => {
    for (const file of files) waiting.push({ file, again, row: line(file) });
    pump();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.files.length) { add([...input.files]); input.value = ""; }
  });
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  drop.addEventListener("drop", (event) => add([...event.dataTransfer.files]));
}
