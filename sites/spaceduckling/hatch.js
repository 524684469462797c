// Hatching: egg, code, key. Nothing of it is kept beyond this page.

import { call, loadConfig } from '/shared/beak.js';

const $ = (id) => document.getElementById(id);
// What Cloudflare's published test keys give instead of a solved captcha.
const TEST_TOKEN = 'XXXX.DUMMY.TOKEN.XXXX';
const TURNSTILE = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit';

let captchaToken;
let resetCaptcha = () => {};
let email;

async function prepareCaptcha() {
  const { turnstile_site_key: key, outbox } = await loadConfig();
  if (outbox) {
    $('outbox').href = outbox;
    $('outbox-note').hidden = false;
  }
  if (!key) {
    note('Hatching is not open yet: the operator of this galaxy has set up no captcha.');
    for (const part of $('hatch').elements) part.disabled = true;
  } else if (/^[123]x0000/.test(key)) {
    captchaToken = TEST_TOKEN;
    note('Test captcha: this galaxy does not tell people from programs yet.');
  } else {
    const script = document.createElement('script');
    script.src = TURNSTILE;
    script.addEventListener('load', () => showWidget(key));
    script.addEventListener('error', () => note('The captcha of Cloudflare can\'t be loaded.'));
    document.head.append(script);
  }
}

function showWidget(key) {
  const forget = () => { captchaToken = undefined; };
  const widget = window.turnstile.render('#captcha', {
    sitekey: key,
    action: 'hatch',
    callback: (token) => { captchaToken = token; },
    'expired-callback': forget,
    'error-callback': forget,
  });
  resetCaptcha = () => { forget(); window.turnstile.reset(widget); };
}

function note(text) {
  $('captcha-note').textContent = text;
  $('captcha-note').hidden = false;
}

/** Says what went wrong below the form, and marks the field that is at fault. */
function tell(form, place, error) {
  for (const part of form.elements) part.removeAttribute('aria-invalid');
  $(place).textContent = error ? error.message : '';
  const field = error?.field && form.elements[error.field];
  if (field) {
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-describedby', place);
    field.focus();
  }
}

async function busy(form, place, work) {
  const buttons = [...form.querySelectorAll('button')];
  for (const button of buttons) button.disabled = true;
  tell(form, place);
  try {
    await work();
  } catch (error) {
    tell(form, place, error);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

$('hatch').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  busy(form, 'hatch-wrong', async () => {
    if (!captchaToken) throw new Error('Please solve the captcha first.');
    const body = {
      email: form.email.value,
      password: form.password.value,
      display_name: form.display_name.value,
      captcha_token: captchaToken,
    };
    let answer;
    try {
      answer = await call('/beak/hatch', { method: 'POST', body });
    } finally {
      resetCaptcha();
    }
    email = answer.email;
    form.password.value = '';
    form.hidden = true;
    $('sent-to').textContent = email;
    $('verify').hidden = false;
    $('code').focus();
  });
});

$('verify').addEventListener('submit', (event) => {
  event.preventDefault();
  busy(event.target, 'verify-wrong', async () => {
    const code = $('code').value.replace(/\s/g, '');
    show(await call('/beak/verify', { method: 'POST', body: { email, code } }));
  });
});

$('resend').addEventListener('click', () => {
  busy($('verify'), 'verify-wrong', async () => {
    await call('/beak/resend', { method: 'POST', body: { email } });
    $('verify-wrong').textContent = 'Another code is on its way. The old one is dead.';
  });
});

function show(hatched) {
  $('verify').hidden = true;
  $('key').textContent = hatched.beak_key;
  $('duckling').textContent = hatched.duckling_id;
  $('certificate').textContent = hatched.cert_id;
  $('tier').textContent = hatched.trust_tier;
  $('copy').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(hatched.beak_key);
      $('copied').textContent = 'Copied.';
    } catch {
      $('copied').textContent = 'Please mark it and copy it by hand.';
    }
  });
  $('download').addEventListener('click', () => {
    const file = new Blob([`${hatched.certificate}\n`], { type: 'application/jose' });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `${hatched.cert_id}.jwt`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  $('hatched').hidden = false;
  $('hatched-title').focus();
}

prepareCaptcha().catch(() => note('This page can\'t find its galaxy. Load it again in a while.'));
