// Passkeys: signing in with one, and adding one. Without this file codes and passwords do the same.
import { say } from "./page.js";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function ask(address, fields) {
  const headers = { "X-Requested-With": "XMLHttpRequest", Accept: "application/json" };
  const answer = await fetch(address, { method: "POST", headers, body: new URLSearchParams(fields) });
  const told = await answer.json();
  if (told.success === false) throw new Error(told.message);
  return told;
}

function plain(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
}

const note = document.querySelector("[data-passkey-note]");
function failed(button, failure) {
  const words = failure.name === "Error" && failure.message ? failure.message : button.dataset.failed;
  note.textContent = words;
  say(words);
}

// A passkey belongs to a host name: where the address is a number, the browser refuses every one.
const named = !/^[\d.]+$|:/.test(location.hostname);
if (window.PublicKeyCredential && named) {
  for (const button of document.querySelectorAll("[data-passkey]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        const { options } = await ask("/login/passkey/options/", {});
        options.challenge = bytes(options.challenge);
        const credential = await navigator.credentials.get({ publicKey: options });
        const done = await ask("/login/passkey/", { answer: plain(credential), redirect: button.dataset.back });
        location.assign(done.location);
      } catch (failure) { failed(button, failure); }
    });
  }
  for (const form of document.querySelectorAll("[data-add-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.answer.value) return;
      event.preventDefault();
      try {
        const { options } = await ask("/account/security/passkeys/options/", {});
        options.challenge = bytes(options.challenge);
        options.user.id = bytes(options.user.id);
        for (const one of options.excludeCredentials ?? []) one.id = bytes(one.id);
        const credential = await navigator.credentials.create({ publicKey: options });
        form.elements.answer.value = plain(credential);
        form.submit();
      } catch (failure) { failed(form, failure); }
    });
  }
}
