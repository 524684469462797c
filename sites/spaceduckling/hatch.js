import { BeakError, call, copy, duration, fillLinks, loadConfig, make } from '/shared/beak.js';

const $ = (id) => document.getElementById(id);

const DUMMY_TOKEN = 'XXXX.DUMMY.TOKEN.XXXX';
const TURNSTILE = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit';
const RESEND_WAIT = 30;

let config = null;
let captchaToken = '';
let widget = null;
let beakKey = '';
let certificate = '';
let certId = '';

/* ---------- small helpers ---------- */

function notice(kind, strong, text = '') {
  const box = $('notice');
  box.className = `note ${kind}`.trim();
  box.replaceChildren();
  if (strong) box.append(make('strong', {}, strong), text ? ` ${text}` : '');
}

function fault(input, message) {
  input.setAttribute('aria-invalid', 'true');
  $(`${input.id}-err`).textContent = message;
}

function clearFaults(form) {
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  for (const line of form.querySelectorAll('.err')) line.textContent = '';
}

function busy(button, on) {
  button.disabled = on;
  button.setAttribute('aria-busy', String(on));
}

/** Puts an API error beside the field it names; else in the notice. */
function showError(error, fields) {
  if (!(error instanceof BeakError)) throw error;
  const spot = error.field ? fields[error.field] : null;
  if (spot === 'captcha') {
    $('captcha_token-err').textContent = error.message;
    $('captcha-field').scrollIntoView({ block: 'center' });
  } else if (spot) {
    fault(spot, error.message);
    spot.focus();
  } else {
    const reference = error.requestId ? ` (Request ${error.requestId})` : '';
    notice('bad', headline(error), error.message + reference);
    $('notice').focus();
  }
}

function headline(error) {
  if (error.status === 0) return 'No connection.';
  if (error.status === 429) return 'Too many tries.';
  if (error.status >= 500) return 'The galaxy has a problem.';
  return 'That did not work.';
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

function emailFault(input) {
  const value = input.value.trim();
  if (!value) return 'Enter an e-mail address.';
  if (!input.validity.valid || !/^[^\s@]+@[^\s@]+$/.test(value)) return 'This does not look like an e-mail address.';
  return '';
}

/* ---------- captcha ---------- */

function isTestKey(key) {
  return /^[123]x0000/.test(key);
}

function prepareCaptcha() {
  const key = config.turnstile_site_key;
  if (!key) {
    notice('wait', 'Hatching is not open yet.', 'The operator of this galaxy has not set a captcha. Until then no new ducklings can hatch here.');
    return false;
  }
  if (isTestKey(key)) {
    captchaToken = DUMMY_TOKEN;
    $('captcha-note').textContent = 'Test captcha: this galaxy does not check for people yet.';
    return true;
  }
  const script = make('script', { src: TURNSTILE, async: true });
  script.addEventListener('load', () => renderWidget(key));
  script.addEventListener('error', () => {
    $('captcha_token-err').textContent = 'The captcha could not be loaded. A content blocker or the network may be in its way; allow challenges.cloudflare.com and reload.';
  });
  document.head.append(script);
  $('captcha-note').textContent = 'The captcha comes from Cloudflare Turnstile.';
  return true;
}

function renderWidget(key) {
  widget = window.turnstile.render($('captcha'), {
    sitekey: key,
    action: 'hatch',
    size: 'flexible',
    callback: (token) => {
      captchaToken = token;
      $('captcha_token-err').textContent = '';
    },
    'expired-callback': () => {
      captchaToken = '';
      $('captcha_token-err').textContent = 'The captcha has expired. Solve it once more.';
    },
    'error-callback': () => {
      captchaToken = '';
      $('captcha_token-err').textContent = 'The captcha had a problem. Reload the page if it does not recover.';
      return true;
    },
  });
}

/** A Turnstile token is good for one request only. */
function freshCaptcha() {
  if (widget !== null) {
    captchaToken = '';
    window.turnstile.reset(widget);
  }
}

/* ---------- step 1: hatch ---------- */

const hatchForm = $('hatch-form');
const hatchFields = {
  display_name: $('display_name'),
  email: $('email'),
  password: $('password'),
  captcha_token: 'captcha',
};

hatchForm.noValidate = true;
hatchForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  clearFaults(hatchForm);
  notice('', '');

  const name = $('display_name');
  const email = $('email');
  const password = $('password');
  const faults = [];
  if (!name.value.trim()) faults.push([name, 'Give your duckling a name.']);
  const wrongMail = emailFault(email);
  if (wrongMail) faults.push([email, wrongMail]);
  const length = [...password.value].length;
  if (length < 12) faults.push([password, length ? `That is ${length} characters; it takes at least 12.` : 'Choose a password of at least 12 characters.']);
  if (length > 128) faults.push([password, `That is ${length} characters; at most 128 are allowed.`]);
  for (const [input, message] of faults) fault(input, message);
  if (!captchaToken && $('captcha_token-err').textContent === '') {
    $('captcha_token-err').textContent = 'Solve the captcha first.';
  }
  if (faults.length) {
    faults[0][0].focus();
    return;
  }
  if (!captchaToken) return;

  busy($('hatch-button'), true);
  try {
    const answer = await call('/beak/hatch', {
      method: 'POST',
      body: {
        email: email.value.trim(),
        password: password.value,
        display_name: name.value.trim(),
        captcha_token: captchaToken,
      },
    });
    password.value = '';
    toCode(answer.email ?? email.value.trim());
    const span = answer.expires_in ? ` It is good for ${duration(answer.expires_in)}.` : '';
    notice('good', 'The egg is laid.', `A code is on its way to ${answer.email ?? 'your address'}.${span}`);
    coolDown(RESEND_WAIT);
  } catch (error) {
    showError(error, hatchFields);
  } finally {
    freshCaptcha();
    busy($('hatch-button'), false);
  }
});

$('have-code').addEventListener('click', () => {
  clearFaults(hatchForm);
  notice('', '');
  toCode($('email').value.trim());
});

/* ---------- step 2: code ---------- */

const verifyForm = $('verify-form');
const verifyFields = { email: $('verify-email'), code: $('code') };

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

$('code').addEventListener('input', () => {
  const digits = $('code').value.replace(/\D/g, '').slice(0, 6);
  if (digits !== $('code').value) $('code').value = digits;
});

verifyForm.noValidate = true;
verifyForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  clearFaults(verifyForm);
  notice('', '');
  const email = $('verify-email');
  const code = $('code');
  const wrongMail = emailFault(email);
  if (wrongMail) fault(email, wrongMail);
  if (!/^\d{6}$/.test(code.value)) fault(code, 'The code has six digits.');
  const first = verifyForm.querySelector('[aria-invalid]');
  if (first) {
    first.focus();
    return;
  }

  busy($('verify-button'), true);
  try {
    const born = await call('/beak/verify', {
      method: 'POST',
      body: { email: email.value.trim(), code: code.value },
    });
    showDuckling(born);
  } catch (error) {
    showError(error, verifyFields);
  } finally {
    busy($('verify-button'), false);
  }
});

let coolTimer = null;

function coolDown(seconds) {
  clearInterval(coolTimer);
  const button = $('resend');
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `Send a new code (in ${left} s)` : 'Send a new code';
    if (left <= 0) clearInterval(coolTimer);
  };
  coolTimer = setInterval(tick, 1000);
  tick();
}

$('resend').addEventListener('click', async () => {
  clearFaults(verifyForm);
  const email = $('verify-email');
  const wrongMail = emailFault(email);
  if (wrongMail) {
    fault(email, wrongMail);
    email.focus();
    return;
  }
  coolDown(RESEND_WAIT);
  try {
    await call('/beak/resend', { method: 'POST', body: { email: email.value.trim() } });
    notice('good', 'Sent.', 'If an egg is waiting for this address, a new code is on its way. Use the newest one.');
    $('code').focus();
  } catch (error) {
    if (error instanceof BeakError && error.retryAfter) coolDown(error.retryAfter);
    showError(error, verifyFields);
  }
});

$('again').addEventListener('click', () => {
  clearFaults(verifyForm);
  notice('', '');
  step(1);
  $('display_name').focus();
});

/* ---------- step 3: the key ---------- */

function holdPage(event) {
  event.preventDefault();
}

function showDuckling(born) {
  beakKey = born.beak_key ?? '';
  certificate = born.certificate ?? '';
  certId = born.cert_id ?? '';
  $('key').textContent = beakKey;
  $('duckling-id').textContent = born.duckling_id ?? '';
  $('cert-id').textContent = certId;
  $('tier').textContent = born.trust_tier ?? 'T0';
  $('download').disabled = !certificate;
  $('code').value = '';
  clearInterval(coolTimer);
  notice('', '');
  step(3);
  window.addEventListener('beforeunload', holdPage);
  $('hatched-title').focus();
}

$('copy-key').addEventListener('click', async () => {
  if (await copy(beakKey)) {
    $('copy-result').textContent = 'Copied. Store it before you copy anything else.';
    return;
  }
  const range = document.createRange();
  range.selectNodeContents($('key'));
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  $('copy-result').textContent = 'Your browser did not allow copying. The key is selected: copy it with Ctrl+C or ⌘C.';
});

$('stored').addEventListener('click', () => {
  beakKey = '';
  $('key').textContent = 'sd_bk_… (hidden; it cannot be shown again)';
  $('copy-key').disabled = true;
  $('stored').disabled = true;
  $('copy-result').textContent = 'The key is gone from this page.';
  window.removeEventListener('beforeunload', holdPage);
});

$('download').addEventListener('click', () => {
  const address = URL.createObjectURL(new Blob([certificate], { type: 'application/jose' }));
  const name = (certId || 'birth-certificate').replace(/[^\w.-]/g, '_');
  const link = make('a', { href: address, download: `${name}.jws` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
});

/* ---------- start ---------- */

try {
  config = await loadConfig();
  fillLinks();
  if (prepareCaptcha()) $('hatch-fields').disabled = false;
} catch (error) {
  if (!(error instanceof BeakError)) throw error;
  notice('bad', 'Hatching does not work right now.', error.message);
}
