// The person's own page. Tokens live in this page's memory and are stored nowhere.

import { BeakError, call, fillLinks, loadConfig, make, moment } from '/shared/beak.js';
import { captchaFault, captchaToken, freshCaptcha, prepareCaptcha } from '/shared/captcha.js';
import { busy, clearFaults, coolDown, download, emailFault, fault, goToFault, notice, passwordFault, showError } from '/shared/form.js';
import { read, recordOf } from '/shared/certificate.js';
import { keyBox } from '/shared/key.js';
import { draw } from '/shared/picture.js';

const $ = (id) => document.getElementById(id);
const RESEND_WAIT = 60;

let config = null;
let session = null;
let me = null;

function say(kind, headline, text) {
  notice($('notice'), kind, headline, text);
}

/** A call as this person; an access token that has run out is exchanged once. */
async function ask(path, options = {}) {
  const mine = session;
  try {
    return await call(path, { ...options, token: mine.access });
  } catch (error) {
    if (!(error instanceof BeakError) || error.status !== 401 || !mine.refresh) throw error;
    const tokens = await call('/beak/refresh', { method: 'POST', body: { refresh_token: mine.refresh } });
    session = { ...mine, access: tokens.access_token };
    return call(path, { ...options, token: session.access });
  }
}

/** A refusal; one of the sign-in itself closes the page. */
function refused(error, fields) {
  if (error instanceof BeakError && error.status === 401 && session) {
    forget();
    say('wait', 'Your session has expired.', 'Sign in again to continue.');
    $('notice').focus();
    return;
  }
  showError(error, $('notice'), fields);
}

function show(part) {
  for (const id of ['signin-form', 'reset-form', 'own-hatch-form', 'profile']) $(id).hidden = id !== part;
  $('account-about').hidden = part !== 'signin-form';
  $('account').textContent = { 'signin-form': 'Sign in', 'reset-form': 'New password', 'own-hatch-form': 'Hatch', profile: 'Your duckling' }[part];
}

function forget() {
  session = null;
  me = null;
  for (const id of ['name', 'duckling-id', 'tier', 'bonds', 'key-hint', 'pulse', 'hatched']) $(id).textContent = '';
  for (const id of ['key-box', 'picture']) $(id).replaceChildren();
  show('signin-form');
}

/* ---------- signing in ---------- */

const signinForm = $('signin-form');

signinForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  say('', '');
  clearFaults(signinForm);
  const [email, password] = [$('email'), $('password')];
  const wrongMail = emailFault(email);
  if (wrongMail) fault(email, wrongMail);
  if (!password.value) fault(password, 'Enter your password.');
  if (goToFault(signinForm)) return;
  busy($('signin'), true);
  try {
    const body = { email: email.value.trim(), password: password.value };
    let tokens = await call('/beak/signin', { method: 'POST', body });
    password.value = '';
    if (tokens.challenge) {
      // Loaded by those who need it.
      tokens = await import('/shared/second-step.js').then(({ secondStep }) => secondStep(tokens, signinForm), () => location.reload());
    }
    if (!tokens) return password.focus();
    session = { access: tokens.access_token, refresh: tokens.refresh_token };
    await enter();
  } catch (error) {
    session = null;
    showError(error, $('notice'), { email, password });
  } finally {
    busy($('signin'), false);
  }
});

/** To the duckling of who has just signed in, or to the form that hatches one. */
async function enter() {
  try {
    await readMe();
    show('profile');
    $('name').focus();
  } catch (error) {
    if (!(error instanceof BeakError) || error.status !== 403) throw error;
    show('own-hatch-form');
    say('wait', 'This account has no duckling.', 'Give one a name and it hatches. An operator’s account needs none: sign in at Mission Control.');
    $('own-name').focus();
  }
}

const ownHatchForm = $('own-hatch-form');

ownHatchForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  say('', '');
  clearFaults(ownHatchForm);
  const name = $('own-name');
  if (!name.value.trim()) fault(name, 'Give your duckling a name.');
  if (goToFault(ownHatchForm)) return;
  busy($('own-hatch'), true);
  try {
    const body = { display_name: name.value.trim() };
    const hatched = await ask('/beak/hatch', { method: 'POST', body });
    name.value = '';
    await enter();
    $('key-box').replaceChildren(keyBox(hatched.beak_key, hatched.duckling_id));
    say('good', 'Your duckling has hatched.', 'Its key is below and is shown only here.');
  } catch (error) {
    refused(error, { display_name: name });
  } finally {
    busy($('own-hatch'), false);
  }
});

$('signout').addEventListener('click', async () => {
  const token = session?.access;
  forget();
  // At once: when the answer comes, someone may be typing already.
  $('email').focus();
  const told = await call('/beak/signout', { method: 'POST', token }).then(() => true, () => false);
  say('good', 'Signed out.', told ? '' : 'The API did not respond; the sign-in expires within an hour.');
});

/* ---------- the second factor ---------- */

$('factor').addEventListener('click', () => {
  const ended = (headline, text) => {
    forget();
    say('good', headline, text);
    $('notice').focus();
  };
  const token = () => session?.access;
  import('/shared/factor.js').then(({ openFactor }) => openFactor({ ask, token, refused, ended }).catch(refused), () => location.reload());
});

/* ---------- a new password ---------- */

const resetForm = $('reset-form');
const resetFields = { email: $('reset-email'), code: $('code'), password: $('new-password') };

$('forgot').addEventListener('click', () => {
  say('', '');
  clearFaults(signinForm);
  $('reset-email').value = $('email').value.trim();
  show('reset-form');
  if (config.outbox) {
    const link = make('a', { href: config.outbox, target: '_blank', rel: 'noopener' }, 'outbox (opens in a new tab)');
    $('outbox-note').replaceChildren(make('strong', {}, 'No mail leaves this machine.'), ' Read the code in the ', link, '.');
    $('outbox-note').hidden = false;
  }
  $('reset-email').focus();
});

$('back').addEventListener('click', () => {
  say('', '');
  clearFaults(resetForm);
  show('signin-form');
  $('email').focus();
});

$('resend').addEventListener('click', async () => {
  clearFaults(resetForm);
  const email = $('reset-email');
  const wrongMail = emailFault(email);
  if (wrongMail) fault(email, wrongMail);
  const token = captchaToken();
  if (goToFault(resetForm) || !token) return;
  const endWait = coolDown($('resend'), 'Send a code', RESEND_WAIT);
  try {
    const body = { email: email.value.trim(), captcha_token: token };
    const { note } = await call('/beak/forgot', { method: 'POST', body });
    say(note ? 'wait' : 'good', 'Sent.', `If this address has an account, a code is on its way. ${note ?? ''}`);
    $('code').focus();
  } catch (error) {
    endWait();
    if (error instanceof BeakError && error.code === 'captcha_failed') captchaFault(error.message);
    else showError(error, $('notice'), resetFields);
  } finally {
    freshCaptcha();
  }
});

resetForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  say('', '');
  clearFaults(resetForm);
  const { email, code, password } = resetFields;
  const wrongMail = emailFault(email);
  if (wrongMail) fault(email, wrongMail);
  if (!/^\d{6}$/.test(code.value.trim())) fault(code, 'The code has six digits.');
  const wrongWord = passwordFault(password);
  if (wrongWord) fault(password, wrongWord);
  if (goToFault(resetForm)) return;
  busy($('reset'), true);
  try {
    const body = { email: email.value.trim(), code: code.value.trim(), password: password.value };
    await call('/beak/reset', { method: 'POST', body });
    code.value = '';
    password.value = '';
    $('email').value = body.email;
    show('signin-form');
    say('good', 'The new password is set.', 'All earlier sign-ins have ended. Sign in with it.');
    $('password').focus();
  } catch (error) {
    if (error instanceof BeakError && /^otp_/.test(error.code)) error.field = 'code';
    if (error instanceof BeakError && error.code === 'weak_password') error.field = 'password';
    showError(error, $('notice'), resetFields);
  } finally {
    busy($('reset'), false);
  }
});

/* ---------- the duckling ---------- */

async function readMe() {
  me = await ask('/beak/me');
  $('name').textContent = me.display_name;
  $('duckling-id').textContent = me.duckling_id;
  $('tier').textContent = me.tier_request ? `${me.trust_tier}; T2 requested` : me.trust_tier;
  $('bonds').textContent = String(me.bonds);
  $('key-hint').textContent = `ends in ${me.key_hint.replace(/^…/, '')}`;
  $('pulse').textContent = me.last_pulse ? `${me.liveness}, last on ${moment(me.last_pulse)}` : 'none yet';
  $('hatched').textContent = moment(me.created_at);
  $('display_name').value = me.display_name;
  $('to-certificate').href = `/certificate/?id=${encodeURIComponent(me.cert_id)}`;
  await showCertificate();
}

/** The certificate itself is in the export only. */
async function showCertificate() {
  const { certificates } = await ask('/beak/me/export');
  const current = certificates.find((one) => one.cert_id === me.cert_id);
  if (!current?.certificate) return;
  const record = recordOf(read(current.certificate).claims);
  $('picture').replaceChildren(draw(record, { galaxy: config.galaxy, where: `check it at ${location.host}/certificate/` }));
  $('to-certificate').href = `/certificate/#${current.certificate}`;
}

$('export').addEventListener('click', async () => {
  busy($('export'), true);
  try {
    const data = await ask('/beak/me/export');
    download([`${JSON.stringify(data, null, 2)}\n`], 'application/json', `${me.duckling_id}.json`);
    say('good', 'Saved.', 'Everything that this galaxy keeps of you and your duckling, as one JSON document.');
  } catch (error) {
    refused(error);
  } finally {
    busy($('export'), false);
  }
});

const renameForm = $('rename-form');

renameForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  say('', '');
  clearFaults(renameForm);
  const name = $('display_name');
  if (!name.value.trim()) fault(name, 'Give your duckling a name.');
  if (goToFault(renameForm)) return;
  busy($('rename'), true);
  try {
    await ask('/beak/me', { method: 'PATCH', body: { display_name: name.value.trim() } });
    await readMe();
    say('good', 'Renamed.', `Your duckling is called ${me.display_name} now.`);
    $('notice').focus();
  } catch (error) {
    refused(error, { display_name: name });
  } finally {
    busy($('rename'), false);
  }
});

$('rotate-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  say('', '');
  busy($('rotate'), true);
  try {
    const { beak_key: key } = await ask('/beak/keys/rotate', { method: 'POST' });
    $('key-box').replaceChildren(keyBox(key, me.duckling_id, () => $('name').focus()));
    say('good', 'The key was rotated.', 'The old key no longer works.');
    $('key').focus();
    await readMe();
  } catch (error) {
    refused(error);
  } finally {
    busy($('rotate'), false);
  }
});

const deleteForm = $('delete-form');

deleteForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  say('', '');
  clearFaults(deleteForm);
  const typed = $('confirm');
  if (typed.value.trim() !== me.display_name) fault(typed, `Type “${me.display_name}”, as it is written.`);
  if (goToFault(deleteForm)) return;
  busy($('delete'), true);
  try {
    const { status } = await ask('/beak/me', { method: 'DELETE' });
    typed.value = '';
    forget();
    if (status === 'deleting') {
      say('good', 'Being deleted.', 'The key, the certificate and this account are gone. The galaxy ends the remaining bonds within minutes; you need do nothing.');
    } else {
      say('good', 'Deleted.', 'The duckling, its key and this account are gone; its certificates are revoked.');
    }
    $('notice').focus();
  } catch (error) {
    refused(error);
  } finally {
    busy($('delete'), false);
  }
});

/* ---------- start ---------- */

for (const form of document.forms) form.noValidate = true;
try {
  config = await loadConfig();
  fillLinks();
  $('signin-fields').disabled = false;
  if (!prepareCaptcha(config.turnstile_site_key, 'forgot')) $('resend').disabled = true;
} catch (error) {
  if (!(error instanceof BeakError)) throw error;
  say('bad', 'Sign-in is unavailable right now.', error.message);
}
