// What the forms of all sites have in common: notices, faults beside fields, busy buttons.

import { BeakError, copy, make } from '/shared/beak.js';

/** Says something in a live region; an empty headline clears it. */
export function notice(box, kind, headline, text = '') {
  box.className = `note ${kind}`.trim();
  box.replaceChildren();
  if (headline) box.append(make('strong', {}, headline), text ? ` ${text}` : '');
}

/** Says beside a field what is wrong with it. */
export function fault(input, message) {
  input.setAttribute('aria-invalid', 'true');
  document.getElementById(`${input.id}-err`).textContent = message;
}

/** Takes all faults of a form back. */
export function clearFaults(form) {
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  for (const line of form.querySelectorAll('.err')) line.textContent = '';
}

/** Moves to the first field with a fault; whether there was one. */
export function goToFault(form) {
  const first = form.querySelector('[aria-invalid]');
  first?.focus();
  return Boolean(first);
}

/** A button that must not be pressed twice. */
export function busy(button, on) {
  button.disabled = on;
  button.setAttribute('aria-busy', String(on));
}

/** Why this is no address; an empty string for one that may be. */
export function emailFault(input) {
  const value = input.value.trim();
  if (!value) return 'Enter an e-mail address.';
  if (!input.validity.valid || !/^[^\s@]+@[^\s@]+$/.test(value)) return 'This does not look like an e-mail address.';
  return '';
}

/** Why this can't be a new password; an empty string for one that may be. */
export function passwordFault(input) {
  const length = [...input.value].length;
  if (length === 0) return 'Choose a password of at least 12 characters.';
  if (length < 12) return `That is ${length} characters; it takes at least 12.`;
  if (length > 128) return `That is ${length} characters; at most 128 are allowed.`;
  return '';
}

/** A headline for what a call has answered. */
export function headline(error) {
  if (error.status === 0) return 'No connection.';
  if (error.status === 429) return 'Too many tries.';
  if (error.status >= 500) return 'The galaxy has a problem.';
  return 'That did not work.';
}

/** Shows what a call has answered: beside the field that it names, else in the notice. */
export function showError(error, box, fields = {}) {
  if (!(error instanceof BeakError)) throw error;
  const field = error.field ? fields[error.field] : null;
  if (field) {
    fault(field, error.message);
    field.focus();
    return;
  }
  const reference = error.requestId ? ` (Request ${error.requestId})` : '';
  notice(box, 'bad', headline(error), error.message + reference);
  box.focus();
}

/** Hands a file to the person. */
export function download(parts, type, name) {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  const link = make('a', { href: address, download: name.replace(/[^\w.-]+/g, '_') });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** Copies what an element shows, or selects it where the browser does not allow that. */
export async function copyFrom(element, said, done) {
  if (await copy(element.textContent)) {
    said.textContent = done;
    return;
  }
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  said.textContent = 'Your browser did not allow copying. The text is selected: copy it with Ctrl+C or ⌘C.';
}

/** Keeps a button still for some seconds and says so on it. Gives a function that ends the wait. */
export function coolDown(button, label, seconds) {
  const until = Date.now() + seconds * 1000;
  let timer = null;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} (in ${left} s)` : label;
    if (left <= 0) clearInterval(timer);
  };
  timer = setInterval(tick, 1000);
  tick();
  return () => {
    clearInterval(timer);
    button.disabled = false;
    button.textContent = label;
  };
}
