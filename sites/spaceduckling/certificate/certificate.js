// Checks a birth certificate in the browser and draws it. After the page has loaded, the check
// itself needs no connection; whether a certificate is still in force only the galaxy knows.

import { BeakError, call, copy, loadConfig, make, moment } from '/shared/beak.js';
import { clearFaults, download, fault, goToFault, notice } from '/shared/form.js';
import { CertificateError, canCheck, check, read, recordOf, recordSeen } from '/shared/certificate.js';
import { describe, draw, png } from '/shared/picture.js';

const $ = (id) => document.getElementById(id);
const ID = /^crt_[0-9A-Z]{26}$/;

let config = null;
let keys = null;
let issuers = [];
let able = false;
let record = null;
let compact = '';
let turn = 0;

function say(kind, headline, text) {
  notice($('verdict'), kind, headline, text);
}

/* ---------- what is shown ---------- */

/** One line of proof: `yes`, `no` or `open`, each with a sign and a word of its own. */
function proof(kind, headline, text) {
  const word = { yes: 'Yes', no: 'No', open: 'Not known' }[kind];
  return make('li', { class: kind }, make('strong', {}, `${word}: ${headline}`), text ? ` ${text}` : '');
}

function where() {
  return `check it at ${location.host}/certificate/`;
}

function linkTo(id) {
  return `${location.origin}/certificate/?id=${encodeURIComponent(id)}`;
}

function fact(term, value) {
  return make('div', {}, make('dt', {}, term), make('dd', {}, value));
}

function show(proofs) {
  $('proofs').replaceChildren(...proofs);
  $('picture').replaceChildren(draw(record, { galaxy: config.galaxy, where: where() }));
  $('facts').replaceChildren(
    fact('Name', record.name),
    fact('Duckling', make('code', {}, record.duckling)),
    fact('Certificate', make('code', {}, record.id)),
    fact('Trust tier', record.tier),
    fact('Issued', make('time', { datetime: record.issued.toISOString() }, moment(record.issued))),
  );
  $('save-certificate').hidden = !compact;
  $('said').textContent = '';
  $('result').hidden = false;
  $('verdict').focus();
}

function hide() {
  record = null;
  compact = '';
  $('result').hidden = true;
  $('picture').replaceChildren();
}

/* ---------- checking ---------- */

const IN_FORCE = {
  valid: ['yes', 'it is in force.', ''],
  superseded: ['no', 'a newer certificate has taken its place.', 'That happens when a duckling reaches a higher tier.'],
  revoked: ['no', 'it was revoked.', 'The duckling was deleted, or its certificate was revoked.'],
};

/** What the galaxy says of a certificate now; `open` where it can't be asked. */
async function force(text) {
  try {
    const answer = await call('/beak/certificates/verify', { method: 'POST', body: { certificate: text } });
    const known = IN_FORCE[answer.status];
    if (known) return { valid: answer.valid, line: proof(...known) };
    return { valid: false, line: proof('no', 'the galaxy does not know it.', answer.reason ?? '') };
  } catch (error) {
    if (!(error instanceof BeakError)) throw error;
    return { valid: null, line: proof('open', 'whether it is still in force.', error.message) };
  }
}

async function checkCompact(text) {
  const mine = ++turn;
  const claims = await check(text, keys, issuers);
  compact = read(text).text;
  record = recordOf(claims);
  const signed = proof('yes', 'this galaxy has signed it.', 'Checked in this browser, letter by letter.');
  say('good', 'The signature is right.', 'Asking the galaxy whether it is still valid.');
  show([signed, proof('open', 'whether it is still in force.', 'Asking the galaxy.')]);
  const now = await force(compact);
  if (mine !== turn) return;
  $('proofs').replaceChildren(signed, now.line);
  if (now.valid) say('good', 'This certificate is genuine and in force.');
  else if (now.valid === null) say('good', 'This certificate is genuine.', 'The galaxy did not respond, so it is unknown whether the certificate is still valid.');
  else say('wait', 'Genuine, but no longer in force.');
}

/** Where the browser lacks Ed25519, the galaxy is asked for both. */
async function askGalaxy(text) {
  const { claims, text: whole } = read(text);
  const answer = await call('/beak/certificates/verify', { method: 'POST', body: { certificate: whole } });
  if (!answer.status) throw new CertificateError('The galaxy says that the signature is not its own.');
  compact = whole;
  record = recordOf(claims);
  if (answer.valid) say('good', 'The galaxy says: genuine and in force.');
  else say('wait', 'The galaxy says: genuine, but no longer in force.');
  show([
    proof('open', 'the signature, in this browser.', 'It can’t check Ed25519 signatures; a newer one can. The galaxy has checked it instead.'),
    proof(...IN_FORCE[answer.status]),
  ]);
}

async function lookUp(id) {
  const seen = await call(`/beak/certificates/${encodeURIComponent(id)}`);
  record = recordSeen(seen);
  if (seen.status === 'valid') say('good', 'The galaxy knows this certificate, and it is in force.');
  else say('wait', 'The galaxy knows this certificate, but it is no longer in force.');
  show([
    proof('open', 'the signature.', 'Only the certificate itself carries it; its owner can show it to you.'),
    proof(...(IN_FORCE[seen.status] ?? ['open', `the galaxy says “${seen.status}”.`, ''])),
  ]);
}

async function run(text) {
  const field = $('certificate');
  clearFaults($('check-form'));
  say('', '');
  hide();
  try {
    if (ID.test(text)) await lookUp(text);
    else if (able && keys) await checkCompact(text);
    else await askGalaxy(text);
  } catch (error) {
    if (error instanceof CertificateError) {
      say('bad', 'Not a certificate of this galaxy.', error.message);
    } else if (error instanceof BeakError && error.status === 404) {
      say('bad', 'Not found.', 'This galaxy has no certificate with this id.');
    } else if (error instanceof BeakError) {
      say('bad', 'That could not be checked.', error.message);
    } else {
      throw error;
    }
    field.setAttribute('aria-invalid', 'true');
    $('verdict').focus();
  }
}

$('check-form').addEventListener('submit', (event) => {
  event.preventDefault();
  clearFaults($('check-form'));
  const text = $('certificate').value.trim();
  if (!text) fault($('certificate'), 'Paste a certificate or its id.');
  if (goToFault($('check-form'))) return;
  run(text);
});

$('file').addEventListener('change', async () => {
  const [file] = $('file').files;
  if (!file) return;
  if (file.size > 16384) {
    fault($('certificate'), 'This file is too large for a certificate.');
    return;
  }
  $('certificate').value = (await file.text()).trim();
  $('file').value = '';
  run($('certificate').value);
});

/* ---------- keeping and sharing ---------- */

function fileName(ending) {
  return `${record.name.slice(0, 40)}-${record.id}.${ending}`;
}

$('save-picture').addEventListener('click', async () => {
  const blob = await png($('picture').firstElementChild);
  download([blob], 'image/png', fileName('png'));
  $('said').textContent = 'Saved as a PNG of 2400 by 1260 points.';
});

$('copy-link').addEventListener('click', async () => {
  const link = linkTo(record.id);
  $('said').textContent = await copy(link) ? 'Copied. The link shows this certificate without your email address.' : `Your browser did not allow copying. The link: ${link}`;
});

$('share').addEventListener('click', async () => {
  const blob = await png($('picture').firstElementChild);
  const file = new File([blob], fileName('png').replace(/[^\w.-]+/g, '_'), { type: 'image/png' });
  try {
    await navigator.share({ files: [file], title: record.name, text: describe(record, config.galaxy), url: linkTo(record.id) });
  } catch (error) {
    if (error.name !== 'AbortError') $('said').textContent = 'Sharing did not work. Save the picture and send it yourself.';
  }
});

$('save-certificate').addEventListener('click', () => {
  download([compact], 'application/jose', `${record.id}.jws`);
});

/* ---------- start ---------- */

/** What the address asks for: a certificate in its fragment, or an id. */
function wanted() {
  const fragment = location.hash.slice(1);
  if (fragment.startsWith('eyJ')) {
    // Out of the address bar: it holds a hash of its owner's address.
    history.replaceState(null, '', location.pathname);
    return fragment;
  }
  return new URLSearchParams(location.search).get('id')?.trim() ?? '';
}

async function loadKeys() {
  able = await canCheck();
  if (!able) {
    $('keys-said').textContent = 'This browser can’t check Ed25519 signatures, so the page asks the galaxy. Current versions of Chrome, Firefox and Safari check them on their own.';
    return;
  }
  ({ keys, issuers = [config.api_base] } = await call('/beak/jwks.json'));
  $('keys-said').textContent = 'The galaxy’s public keys are loaded: from here on the signature is checked without a connection.';
}

$('check-form').noValidate = true;
const probe = new File([''], 'a.png', { type: 'image/png' });
$('share').hidden = !navigator.canShare?.({ files: [probe] });
try {
  config = await loadConfig();
  await loadKeys();
} catch (error) {
  if (!(error instanceof BeakError)) throw error;
  $('keys-said').textContent = 'The galaxy’s public keys could not be loaded.';
  say('bad', 'The galaxy does not answer.', error.message);
}
if (config) {
  $('check-fields').disabled = false;
  const text = wanted();
  if (text) {
    $('certificate').value = text;
    run(text);
  }
}
