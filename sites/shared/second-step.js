// The second step of a sign-in: a code of the authenticator app, or a recovery code.

import { BeakError, call, make } from '/shared/beak.js';
import { busy, clearFaults, fault, showError } from '/shared/form.js';

const APP = {
  label: 'Six-digit code',
  hint: 'From your authenticator app. It changes every 30 seconds.',
  other: 'Use a recovery code',
  field: { class: 'digits', inputmode: 'numeric', autocomplete: 'one-time-code' },
};
const RECOVERY = {
  label: 'Recovery code',
  hint: 'One of the ten codes that you stored when you switched the second factor on. Each works once.',
  other: 'Use the authenticator app',
  field: { class: '', inputmode: 'text', autocomplete: 'off' },
};

/** Why this can't be a code; an empty string for one that may be. */
export function codeFault(text, mode = {}) {
  const code = text.replace(/[\s-]/g, '');
  if (!code) return 'Enter the code.';
  if (mode === APP && !/^\d{6}$/.test(code)) return 'The code has six digits.';
  return '';
}

/** Asks for the code of a challenge in place of the sign-in form. Gives the tokens; null if the
    person goes back. Fails once the challenge takes no more codes. */
export function secondStep(challenge, signIn) {
  const input = make('input', { id: 'second-code', name: 'code', type: 'text', maxlength: 32, required: true, spellcheck: 'false', autocapitalize: 'none', 'aria-describedby': 'second-hint second-code-err' });
  const label = make('label', { for: input.id });
  const hint = make('p', { class: 'hint', id: 'second-hint' });
  const go = make('button', { type: 'submit' }, 'Continue');
  const other = make('button', { type: 'button', class: 'quiet' });
  const back = make('button', { type: 'button', class: 'quiet' }, 'Back');
  const said = make('div', { class: 'note', role: 'status', 'aria-live': 'polite', tabindex: '-1' });
  const form = make('form', { class: 'sheet', method: 'post', 'aria-labelledby': 'second-title' },
    make('h3', { id: 'second-title' }, 'Second factor'),
    said,
    make('div', { class: 'field' }, label, input, hint, make('p', { class: 'err', id: 'second-code-err' })),
    make('div', { class: 'row' }, go, other, back));
  form.noValidate = true;

  let mode = null;
  const use = (wanted) => {
    mode = wanted;
    label.textContent = mode.label;
    hint.textContent = mode.hint;
    other.textContent = mode.other;
    for (const [name, value] of Object.entries(mode.field)) input.setAttribute(name, value);
    clearFaults(form);
    input.value = '';
    input.focus();
  };

  signIn.hidden = true;
  signIn.after(form);
  use(APP);

  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      form.remove();
      signIn.hidden = false;
      settle(value);
    };
    other.addEventListener('click', () => use(mode === APP ? RECOVERY : APP));
    back.addEventListener('click', () => end(resolve, null));
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      clearFaults(form);
      said.replaceChildren();
      const wrong = codeFault(input.value, mode);
      if (wrong) {
        fault(input, wrong);
        input.focus();
        return;
      }
      busy(go, true);
      try {
        const body = { session: challenge.session, code: input.value.trim() };
        end(resolve, await call('/beak/signin/totp', { method: 'POST', body }));
      } catch (error) {
        busy(go, false);
        if (!(error instanceof BeakError)) return end(reject, error);
        if (error.status === 401) {
          error.message = 'This sign-in has expired or has used up its tries. Enter your password again.';
          return end(reject, error);
        }
        if (error.code === 'otp_mismatch') {
          error.field = 'code';
          error.message = 'This code is wrong or has been used. Enter another one.';
        }
        input.select();
        showError(error, said, { code: input });
      }
    });
  });
}
