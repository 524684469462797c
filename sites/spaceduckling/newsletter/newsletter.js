// Asks for the newsletter. The answer is the same for every address, and so is what is said here.

import { BeakError, call, fillLinks, loadConfig } from '/shared/beak.js';
import { captchaFault, captchaToken, freshCaptcha, prepareCaptcha } from '/shared/captcha.js';
import { busy, clearFaults, emailFault, fault, goToFault, notice, showError } from '/shared/form.js';

const $ = (id) => document.getElementById(id);
const form = $('form');
// What is wrong is said beside the field, in words.
form.noValidate = true;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  clearFaults(form);
  notice($('notice'), '', '');
  const email = $('email');
  const wrong = emailFault(email);
  if (wrong) fault(email, wrong);
  const token = captchaToken();
  if (goToFault(form) || !token) return;

  busy($('button'), true);
  try {
    const body = { email: email.value.trim(), captcha_token: token };
    const answer = await call('/beak/newsletter', { method: 'POST', body });
    form.reset();
    notice($('notice'), answer.note ? 'wait' : 'good', 'Check your mailbox.', answer.note ?? 'If this address does not get the newsletter yet, a mail with a link is on its way. Follow it to confirm.');
    $('notice').focus();
  } catch (error) {
    if (error instanceof BeakError && error.code === 'captcha_failed') captchaFault(error.message);
    else showError(error, $('notice'), { email });
  } finally {
    freshCaptcha();
    busy($('button'), false);
  }
});

async function start() {
  fillLinks();
  let config;
  try {
    config = await loadConfig();
  } catch (error) {
    showError(error, $('notice'));
    return;
  }
  if (prepareCaptcha(config.turnstile_site_key, 'newsletter')) $('fields').disabled = false;
  else notice($('notice'), 'wait', 'The newsletter is not open yet.', 'The operator of this galaxy has not set up a captcha yet, and the form needs one.');
}

start();
