// The hatching: name, address and password; the code from the mail; the key, shown once.
// The key lives in this page's memory and is stored nowhere.

import { BeakError, call, duration, fillLinks, loadConfig, make } from '/shared/beak.js';
import { captchaFault, captchaToken, freshCaptcha, prepareCaptcha } from '/shared/captcha.js';
import { busy, clearFaults, coolDown, download, emailFault, fault, goToFault, notice, passwordFault, showError } from '/shared/form.js';
import { read, recordOf } from '/shared/certificate.js';
import { keyBox } from '/shared/key.js';
import { draw } from '/shared/picture.js';

const $ = (id) => document.getElementById(id);

// The galaxy sends one code to an address in this many seconds.
const RESEND_WAIT = 60;

let config = null;
let born = null;

// What was typed in step 1, for step 2: what comes with the code counts, whatever other people sent
// with this address. In this page's memory only, and never from a link.
let typed = null;

function say(kind, headline, text) {
  notice($('notice'), kind, headline, text);
}

function step(number) {
  for (const n of [1, 2, 3]) {
    const item = $(`step-${n}`);
    item.classList.toggle('past', n < number);
    if (n === number) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }
  $('hatch-form').hidden = number !== 1;
  $('verify-form').hidden = number !== 2;
  $('hatched').hidden = number !== 3;
}

/* ---------- step 1: hatch ---------- */

const hatchForm = $('hatch-form');

hatchForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  clearFaults(hatchForm);
  say('', '');
  const [name, email, password] = [$('display_name'), $('email'), $('password')];
  if (!name.value.trim()) fault(name, 'Give your duckling a name.');
  const wrongMail = emailFault(email);
  if (wrongMail) fault(email, wrongMail);
  const wrongWord = passwordFault(password);
  if (wrongWord) fault(password, wrongWord);
  const token = captchaToken();
  if (goToFault(hatchForm) || !token) return;

  busy($('hatch-button'), true);
  try {
    const body = {
      email: email.value.trim(),
      password: password.value,
      display_name: name.value.trim(),
      captcha_token: token,
    };
    const answer = await call('/beak/hatch', { method: 'POST', body });
    password.value = '';
    typed = {
      email: answer.email ?? body.email,
      hatch_id: answer.hatch_id,
      password: body.password,
      display_name: body.display_name,
    };
    toCode(typed.email);
    const span = answer.expires_in ? ` It is good for ${duration(answer.expires_in)}.` : '';
    say(answer.note ? 'wait' : 'good', 'The egg is laid.', `A code is on its way to ${answer.email ?? body.email}.${span} ${answer.note ?? ''}`);
    waitToResend(RESEND_WAIT);
  } catch (error) {
    hatchRefused(error);
  } finally {
    freshCaptcha();
    busy($('hatch-button'), false);
  }
});

function hatchRefused(error) {
  if (error instanceof BeakError && error.code === 'captcha_failed') {
    captchaFault(error.message);
    $('captcha-field').scrollIntoView({ block: 'center' });
    return;
  }
  const fields = { display_name: $('display_name'), email: $('email'), password: $('password') };
  // A weak password names no field.
  if (error instanceof BeakError && error.code === 'weak_password') error.field = 'password';
  showError(error, $('notice'), fields);
}

$('have-code').addEventListener('click', () => {
  clearFaults(hatchForm);
  say('', '');
  toCode($('email').value.trim());
});

/* ---------- step 2: code ---------- */

const verifyForm = $('verify-form');
const verifyFields = { email: $('verify-email'), code: $('code') };
let endWait = () => {};

function waitToResend(seconds) {
  endWait();
  endWait = coolDown($('resend'), 'Send a new code', seconds);
}

function toCode(email) {
  step(2);
  $('verify-email').value = email;
  $('code').value = '';
  (email ? $('code') : $('verify-email')).focus();
  if (config.outbox && /^https?:\/\//.test(config.outbox)) {
    const link = make('a', { href: config.outbox, target: '_blank', rel: 'noopener' }, 'outbox (opens in a new tab)');
    $('outbox-note').replaceChildren(
      make('strong', {}, 'No mail leaves this machine.'), ' Read the code in the ', link, '.',
    );
    $('outbox-note').hidden = false;
    $('code-hint').textContent = 'Six digits, from the newest mail in the outbox.';
  }
}

/** What was typed for this address; nothing for another one. */
function typedFor(email) {
  return typed?.email.toLowerCase() === email.value.trim().toLowerCase() ? typed : {};
}

$('code').addEventListener('input', () => {
  const digits = $('code').value.replace(/\D/g, '').slice(0, 6);
  if (digits !== $('code').value) $('code').value = digits;
});

verifyForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  clearFaults(verifyForm);
  say('', '');
  const [email, code] = [$('verify-email'), $('code')];
  const wrongMail = emailFault(email);
  if (wrongMail) fault(email, wrongMail);
  if (!/^\d{6}$/.test(code.value)) fault(code, 'The code has six digits.');
  if (goToFault(verifyForm)) return;

  busy($('verify-button'), true);
  try {
    const body = { ...typedFor(email), email: email.value.trim(), code: code.value };
    showDuckling(await call('/beak/verify', { method: 'POST', body }));
    typed = null;
  } catch (error) {
    codeRefused(error);
  } finally {
    busy($('verify-button'), false);
  }
});

/** Neither of these two errors names a field, but both are about the code. */
function codeRefused(error) {
  if (error instanceof BeakError && /^otp_/.test(error.code)) error.field = 'code';
  showError(error, $('notice'), verifyFields);
}

$('resend').addEventListener('click', async () => {
  clearFaults(verifyForm);
  const email = $('verify-email');
  const wrongMail = emailFault(email);
  if (wrongMail) fault(email, wrongMail);
  if (goToFault(verifyForm)) return;
  const { hatch_id } = typedFor(email);
  const body = { email: email.value.trim(), ...(hatch_id ? { hatch_id } : { captcha_token: captchaToken() }) };
  if (body.captcha_token === '') {
    say('wait', 'Solve the captcha first.', 'Choose “Start over”: the captcha is below the form.');
    return;
  }
  waitToResend(RESEND_WAIT);
  try {
    const { note } = await call('/beak/resend', { method: 'POST', body });
    say(note ? 'wait' : 'good', 'Sent.', `If an egg is waiting for this address, a new code is on its way. An address gets one a minute and four an hour. ${note ?? 'Use the newest one.'}`);
    $('code').focus();
  } catch (error) {
    waitToResend((error instanceof BeakError && error.retryAfter) || 0);
    showError(error, $('notice'), verifyFields);
  } finally {
    if (body.captcha_token) freshCaptcha();
  }
});

$('again').addEventListener('click', () => {
  clearFaults(verifyForm);
  say('', '');
  step(1);
  $('display_name').focus();
});

/* ---------- step 3: the key ---------- */

function showDuckling({ beak_key: key, ...rest }) {
  born = rest;
  $('key-box').replaceChildren(keyBox(key, born.duckling_id, () => $('to-certificate').focus()));
  $('duckling-id').textContent = born.duckling_id;
  $('cert-id').textContent = born.cert_id;
  $('tier').textContent = born.trust_tier;
  $('code').value = '';
  endWait();
  say('', '');
  if (born.password_reset_required) {
    say('wait', 'Set a password before you sign in.', 'Other people hatched with this address, so no password of theirs or yours was kept. Use “I forgot my password” on your account’s page.');
  }
  // The answer comes from the galaxy itself; the certificate's own page checks the signature.
  const record = recordOf(read(born.certificate).claims);
  $('hatched-title').textContent = `${record.name} has hatched`;
  $('picture').replaceChildren(draw(record, { galaxy: config.galaxy, where: `check it at ${location.host}/certificate/` }));
  $('to-certificate').href = `/certificate/#${born.certificate}`;
  step(3);
  $('hatched-title').focus();
}

$('save-certificate').addEventListener('click', () => {
  download([born.certificate], 'application/jose', `${born.cert_id}.jws`);
});

/* ---------- start ---------- */

hatchForm.noValidate = true;
verifyForm.noValidate = true;
try {
  config = await loadConfig();
  fillLinks();
  if (prepareCaptcha(config.turnstile_site_key, 'hatch')) $('hatch-fields').disabled = false;
  else say('wait', 'Hatching is not open yet.', 'The operator of this galaxy has not set a captcha. Until then no new ducklings can hatch here.');
} catch (error) {
  if (!(error instanceof BeakError)) throw error;
  say('bad', 'Hatching does not work right now.', error.message);
}
