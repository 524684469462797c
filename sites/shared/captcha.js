// The captcha of every form that lets somebody in: Cloudflare Turnstile, or in a galaxy with test keys
// nothing at all. What a page needs for it are three elements: #captcha, #captcha-note and
// #captcha_token-err.

import { make } from '/shared/beak.js';

const $ = (id) => document.getElementById(id);
const DUMMY_TOKEN = 'XXXX.DUMMY.TOKEN.XXXX';
const TURNSTILE = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit';

let token = '';
let widget = null;

/** Cloudflare's published test keys need no widget: their secrets take any token. */
function isTestKey(key) {
  return /^[123]x0000/.test(key);
}

/** Makes the captcha ready. Whether this galaxy has one: without, nobody is let in. */
export function prepareCaptcha(key, action) {
  if (!key) return false;
  if (isTestKey(key)) {
    token = DUMMY_TOKEN;
    $('captcha-note').textContent = 'Test captcha: it always passes.';
    return true;
  }
  const script = make('script', { src: TURNSTILE, async: true });
  script.addEventListener('load', () => renderWidget(key, action));
  script.addEventListener('error', () => {
    captchaFault('The captcha could not be loaded. A content blocker or the network may be in its way; allow challenges.cloudflare.com and reload.');
  });
  document.head.append(script);
  $('captcha-note').textContent = 'The captcha comes from Cloudflare Turnstile.';
  return true;
}

function renderWidget(key, action) {
  const spoilt = (message) => () => {
    token = '';
    captchaFault(message);
    return true;
  };
  widget = window.turnstile.render($('captcha'), {
    sitekey: key,
    action,
    size: 'flexible',
    callback: (given) => {
      token = given;
      captchaFault('');
    },
    'expired-callback': spoilt('The captcha has expired. Solve it again.'),
    'error-callback': spoilt('The captcha had a problem. Reload the page if it does not recover.'),
  });
}

/** Says below the captcha what is wrong with it. */
export function captchaFault(message) {
  $('captcha_token-err').textContent = message;
}

/** The token of a captcha that was solved; an empty string, said below it, where it was not. */
export function captchaToken() {
  if (!token) captchaFault('Solve the captcha first.');
  return token;
}

/** A Turnstile token is good for one request only. */
export function freshCaptcha() {
  if (widget === null) return;
  token = '';
  window.turnstile.reset(widget);
}
