// Solves the puzzle of a form, so that nobody has to wait. Without this file the form says how long to wait.
const zeros = (hash, bits) => {
  const bytes = new Uint8Array(hash);
  const whole = bits >> 3;
  if (bytes.subarray(0, whole).some(Boolean)) return false;
  return bits % 8 === 0 || bytes[whole] >> (8 - (bits % 8)) === 0;
};

async function solve(puzzle, bits) {
  const encoder = new TextEncoder();
  for (let first = 0; ; first += 256) {
    const numbers = Array.from({ length: 256 }, (_, place) => first + place);
    const hashes = await Promise.all(
      numbers.map((number) => crypto.subtle.digest("SHA-256", encoder.encode(`${puzzle}:${number}`))),
    );
    const place = hashes.findIndex((hash) => zeros(hash, bits));
    if (place >= 0) return numbers[place];
  }
}

// Browsers offer hashes on secure pages only; elsewhere the person waits.
const input = document.querySelector("[data-puzzle]");
if (input && window.crypto && crypto.subtle) {
  const form = input.form;
  const notice = document.querySelector("[data-puzzle-notice]");
  const solved = solve(input.value, Number(input.dataset.bits)).then((number) => {
    form.elements.puzzle_number.value = number;
    notice.hidden = true;
  });
  form.addEventListener("submit", async (event) => {
    if (form.elements.puzzle_number.value) return;
    event.preventDefault();
    await solved;
    form.requestSubmit(event.submitter);
  });
}
