// The second factor of an account, in a dialog: switching it on, its recovery codes, switching it off.

import { BeakError, call, make, moment } from '/shared/beak.js';
import { busy, clearFaults, copyFrom, download, fault, goToFault, notice, showError } from '/shared/form.js';
import { codeFault } from '/shared/second-step.js';
import { shape } from '/shared/shape.js';

const CODE = { type: 'text', maxlength: 32, spellcheck: 'false', autocapitalize: 'none' };
const PASSWORD = { type: 'password', maxlength: 128, autocomplete: 'current-password' };
// What QR codes need around them, in modules. Source: ISO/IEC 18004, "quiet zone".
const QUIET = 4;

const title = make('h3', { id: 'factor-title' });
const said = make('div', { class: 'note', role: 'status', 'aria-live': 'polite', tabindex: '-1' });
const matter = make('div', { class: 'stack' });
const form = make('form', { class: 'sheet', method: 'post' }, title, said, matter);
const dialog = make('dialog', { id: 'factor-dialog', 'aria-labelledby': title.id }, form);
form.noValidate = true;

let desk = null;
let submit = null;
let keeps = false;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  submit?.();
});
// Codes that are shown once don't go with a key that was pressed by mistake.
dialog.addEventListener('cancel', (event) => {
  if (keeps) event.preventDefault();
});
window.addEventListener('beforeunload', (event) => {
  if (keeps) event.preventDefault();
});

function field(id, label, attributes, hint) {
  const input = make('input', { id, name: id, required: true, 'aria-describedby': `${id}-hint ${id}-err`, ...attributes });
  const box = make('div', { class: 'field' },
    make('label', { for: id }, label), input, make('p', { class: 'hint', id: `${id}-hint` }, hint), make('p', { class: 'err', id: `${id}-err` }));
  return { input, box };
}

function cancelButton() {
  const button = make('button', { type: 'button', class: 'quiet' }, 'Cancel');
  button.addEventListener('click', () => dialog.close());
  return button;
}

/** Shows a step. `act` is what its first button does. */
function show(headline, children, act) {
  title.textContent = headline;
  notice(said, '', '');
  matter.replaceChildren(...children);
  submit = act;
}

/** Runs what a button does; refusals are shown beside the field that they are about. */
async function run(button, fields, work) {
  clearFaults(form);
  notice(said, '', '');
  const { password, code } = fields;
  if (password && !password.value) fault(password, 'Enter your password.');
  const wrong = code ? codeFault(code.value) : '';
  if (wrong) fault(code, wrong);
  if (goToFault(form)) return;
  busy(button, true);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof BeakError)) throw error;
    if (error.code === 'otp_mismatch') {
      error.field = 'code';
      error.message = 'This code is wrong or has been used. Enter another one.';
    }
    if (error.field === 'session') {
      dialog.close();
      desk.refused(error);
    } else {
      showError(error, said, fields);
    }
  } finally {
    busy(button, false);
  }
}

/** A call with a password. The session is renewed before, so that a 401 is about the password. */
async function withPassword(method, body) {
  await inSession('/beak/me/totp');
  try {
    return await call('/beak/me/totp', { method, body, token: desk.token() });
  } catch (error) {
    if (error instanceof BeakError && error.status === 401) {
      error.field = 'password';
      error.message = 'The password is wrong.';
    }
    throw error;
  }
}

/** A call of the session; once that has ended, the dialog can do nothing more. */
async function inSession(path, options) {
  try {
    return await desk.ask(path, options);
  } catch (error) {
    if (error instanceof BeakError && error.status === 401) error.field = 'session';
    throw error;
  }
}

/* ---------- on ---------- */

function showOff() {
  const password = field('factor-password', 'Password', PASSWORD, 'The one that you sign in with.');
  const go = make('button', { type: 'submit' }, 'Continue');
  show('Switch on a second factor', [
    make('p', {}, 'Signing in then takes your password and a code from an authenticator app on your phone. A stolen password alone opens nothing.'),
    password.box,
    make('div', { class: 'row' }, go, cancelButton()),
  ], () => run(go, { password: password.input }, async () => {
    const enrolment = await withPassword('POST', { password: password.input.value });
    password.input.value = '';
    await showSecret(enrolment);
  }));
  return password.input;
}

/** The secret as apps scan it. Always dark on light, whatever the theme: many cameras need that. */
async function picture(text) {
  const { encode } = await import('/shared/qr.js');
  const { data, size } = encode(text, { ecc: 'M', border: 0 });
  const dots = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  const side = size + 2 * QUIET;
  return shape('svg', { width: 232, height: 232, viewBox: `${-QUIET} ${-QUIET} ${side} ${side}`, role: 'img', 'aria-label': 'QR code for your authenticator app', 'shape-rendering': 'crispEdges' },
    shape('rect', { x: -QUIET, y: -QUIET, width: side, height: side, rx: 1, fill: '#ffffff' }),
    shape('path', { d: dots, fill: '#000000' }));
}

async function showSecret({ secret, otpauth_uri: uri }) {
  const code = field('factor-code', 'Six-digit code', { ...CODE, class: 'digits', inputmode: 'numeric', autocomplete: 'one-time-code' }, 'The code that the app shows for Space Duck now.');
  const go = make('button', { type: 'submit' }, 'Switch on');
  // Without the encoder, the secret can still be typed.
  const drawn = await picture(uri).catch(() => null);
  show('Add it to your app', [
    drawn && make('p', {}, 'Scan this with an authenticator app:'),
    drawn,
    make('p', {}, drawn ? 'Or ' : '', make('a', { href: uri }, 'open the app on this device'), ', or type this secret into it:'),
    make('code', { class: 'key', id: 'factor-secret', tabindex: '0', role: 'group', 'aria-label': 'Secret, in groups of four' }, secret.match(/.{1,4}/g).join(' ')),
    code.box,
    make('div', { class: 'row' }, go, cancelButton()),
  ].filter(Boolean), () => run(go, { code: code.input }, async () => {
    const body = { code: code.input.value.trim() };
    const { recovery_codes: codes } = await inSession('/beak/me/totp/confirm', { method: 'POST', body });
    showCodes(codes);
  }));
  title.setAttribute('tabindex', '-1');
  title.focus();
}

function showCodes(codes) {
  keeps = true;
  const list = make('pre', { class: 'key', id: 'factor-codes', tabindex: '0', role: 'group', 'aria-label': 'Ten recovery codes' }, codes.join('\n'));
  const status = make('p', { class: 'hint', role: 'status', 'aria-live': 'polite' });
  const copy = make('button', { type: 'button' }, 'Copy the codes');
  const save = make('button', { type: 'button', class: 'quiet' }, 'Save them as a file');
  const done = make('button', { type: 'submit', class: 'quiet' }, 'I have stored them');
  copy.addEventListener('click', () => copyFrom(list, status, 'Copied. Store them before you copy anything else.'));
  save.addEventListener('click', () => {
    download([`${codes.join('\n')}\n`], 'text/plain', 'space-duck-recovery-codes.txt');
    status.textContent = 'Saved as a file. Keep it where your phone is not.';
  });
  show('Your recovery codes', [
    make('p', { class: 'note wait' }, make('strong', {}, 'This is the only time you see these codes.'), ' If you lose your phone, each of them signs you in once.'),
    list,
    make('div', { class: 'row' }, copy, save, done),
    status,
  ], () => {
    keeps = false;
    dialog.close();
    desk.ended('The second factor is on.', 'All sessions have ended. Sign in again with your password and a code.');
  });
  title.focus();
}

/* ---------- off ---------- */

function showOn({ enrolled_at: since, recovery_codes_left: left }) {
  const password = field('factor-password', 'Password', PASSWORD, 'The one that you sign in with.');
  const code = field('factor-code', 'Code', { ...CODE, autocomplete: 'one-time-code' }, 'Of your authenticator app, or a recovery code.');
  const go = make('button', { type: 'submit', class: 'quiet danger' }, 'Switch off');
  show('Your second factor', [
    make('p', {}, `On since ${moment(since)}. ${left === 1 ? 'One recovery code is' : `${left} recovery codes are`} left. For ten new ones, switch it off and on again.`),
    password.box,
    code.box,
    make('div', { class: 'row' }, go, cancelButton()),
  ], () => run(go, { password: password.input, code: code.input }, async () => {
    await withPassword('DELETE', { password: password.input.value, code: code.input.value.trim() });
    dialog.close();
    desk.ended('The second factor is off.', 'All sessions have ended. Sign in again with your password.');
  }));
  return password.input;
}

/** Opens the dialog. The desk is what the page gives: `ask` makes calls of the session, `token` is
    its access token, `refused` takes an ended session, and `ended` is called after a change. */
export async function openFactor(given) {
  if (dialog.open) return;
  desk = given;
  const state = await desk.ask('/beak/me/totp');
  document.body.append(dialog);
  const first = state.enabled ? showOn(state) : showOff();
  dialog.showModal();
  first.focus();
}

dialog.addEventListener('close', () => {
  matter.replaceChildren();
  submit = null;
});
