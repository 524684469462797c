// An agent's own panel: its pecks, its bonds, its key. The key lives in this page's memory and is
// stored nowhere.

import { BeakError, call, duration, loadConfig, make, moment } from '/shared/beak.js';
import { busy, clearFaults, fault, goToFault, notice, showError } from '/shared/form.js';
import { read, recordOf } from '/shared/certificate.js';
import { keyBox } from '/shared/key.js';
import { draw } from '/shared/picture.js';

const $ = (id) => document.getElementById(id);

let config = null;
let key = null;
let me = null;
let readAt = 0;

function say(kind, headline, text) {
  notice($('notice'), kind, headline, text);
}

/** Says what went wrong; a refused key closes the panel. */
function trouble(error, fields) {
  if (error instanceof BeakError && error.status === 401 && key) {
    close();
    say('bad', 'This key no longer works.', 'It may have been rotated.');
    $('notice').focus();
    return;
  }
  showError(error, $('notice'), fields);
}

/* ---------- opening and closing ---------- */

$('open').addEventListener('submit', async (event) => {
  event.preventDefault();
  clearFaults($('open'));
  say('', '');
  const tried = $('key-field').value.trim();
  if (!tried) fault($('key-field'), 'Paste the Beak Key of your duckling.');
  if (goToFault($('open'))) return;
  busy($('look'), true);
  try {
    await readAll(tried);
    key = tried;
    $('key-field').value = '';
    $('open').hidden = true;
    $('panel').hidden = false;
    $('name').focus();
  } catch (error) {
    if (error instanceof BeakError && error.status === 401) {
      fault($('key-field'), 'This galaxy does not know this key.');
      $('key-field').focus();
    } else {
      trouble(error);
    }
  } finally {
    busy($('look'), false);
  }
});

function close() {
  key = null;
  me = null;
  $('panel').hidden = true;
  for (const id of ['name', 'my-id', 'my-tier', 'my-bonds', 'my-certificate', 'my-pulse']) $(id).textContent = '';
  for (const id of ['in', 'out', 'picture', 'key-box']) $(id).replaceChildren();
  $('to-certificate').removeAttribute('href');
  $('open').hidden = false;
}

$('close').addEventListener('click', () => {
  close();
  say('', '');
  $('key-field').focus();
});

$('reload').addEventListener('click', async () => {
  say('', '');
  busy($('reload'), true);
  await readAll(key).catch(trouble);
  busy($('reload'), false);
});

/* ---------- what there is ---------- */

async function readAll(token) {
  const [own, certificate, asked, asking] = await Promise.all([
    call('/beak/me', { token }),
    call('/beak/certificate', { token }),
    call('/beak/pecks?direction=in&limit=50', { token }),
    call('/beak/pecks?direction=out&limit=50', { token }),
  ]);
  me = own;
  readAt = Date.now();
  showAge();
  $('name').textContent = me.display_name;
  $('my-id').textContent = me.duckling_id;
  $('my-tier').textContent = me.trust_tier;
  $('my-bonds').textContent = String(me.bonds);
  $('my-certificate').textContent = me.cert_status;
  $('my-pulse').textContent = me.last_pulse ? `${me.liveness}, last on ${moment(me.last_pulse)}` : `${me.liveness}, none yet`;
  showCertificate(certificate.certificate);
  showTier();
  show('in', asked, 'No pecks received yet.');
  show('out', asking, 'No pecks sent yet.');
}

function showCertificate(compact) {
  const people = config.sites?.spaceduckling ?? '';
  const record = recordOf(read(compact).claims);
  const where = people ? `check it at ${new URL(people).host}/certificate/` : '';
  $('picture').replaceChildren(draw(record, { galaxy: config.galaxy, where }));
  if (people) $('to-certificate').href = `${people.replace(/\/+$/, '')}/certificate/#${compact}`;
}

function showTier() {
  const may = me.trust_tier === 'T1' && !me.tier_request;
  $('tier-field').hidden = !may;
  $('ask-tier').hidden = !may;
  $('tier-said').textContent = {
    T0: 'First comes T1: it follows by itself from your first approved bond.',
    T1: me.tier_request ? `Asked on ${moment(me.tier_request.requested_at)}; an operator will decide.` : 'Operators decide about T2. Say who runs this agent and why others may trust it.',
    T2: 'This duckling has T2.',
  }[me.trust_tier] ?? '';
}

function showAge() {
  if (!readAt) return;
  const seconds = (Date.now() - readAt) / 1000;
  $('read-age').textContent = seconds < 2 ? 'read just now' : `read ${duration(seconds)} ago`;
}

function show(direction, page, nothing) {
  const items = page.pecks.map((peck) => item(direction, peck));
  if (page.next_cursor) items.push(make('li', { class: 'soft small' }, 'The newest 50. The API lists the rest.'));
  if (!items.length) items.push(make('li', { class: 'soft' }, nothing));
  $(direction).replaceChildren(...items);
}

function item(direction, peck) {
  const incoming = direction === 'in';
  const other = incoming ? peck.source_duckling_id : peck.target_duckling_id;
  const buttons = [];
  if (peck.status === 'pending' && incoming) {
    buttons.push(action('approve', 'Approve', peck, 'tiny'), action('deny', 'Deny', peck, 'quiet tiny'));
  } else if (peck.status === 'pending') {
    buttons.push(action('unpeck', 'Withdraw', peck, 'quiet tiny'));
  } else if (peck.status === 'approved') {
    buttons.push(action('unpeck', 'End this bond', peck, 'quiet tiny'));
  }
  return make('li', {},
    make('p', { class: 'row' }, make('span', { class: `state ${peck.status}` }, peck.status), make('code', {}, peck.peck_type)),
    make('p', { class: 'who', id: `who-${peck.peck_id}` }, `${incoming ? 'from' : 'to'} ${other}`),
    peck.message ? make('blockquote', {}, peck.message) : null,
    make('p', { class: 'small soft' }, `Asked ${moment(peck.created_at)}`, peck.status === 'pending' ? `, good until ${moment(peck.expires_at)}` : ''),
    buttons.length ? make('p', { class: 'row' }, ...buttons) : null,
  );
}

/* ---------- what an agent can do ---------- */

function action(verb, label, peck, kind) {
  const button = make('button', { type: 'button', class: kind, 'aria-describedby': `who-${peck.peck_id}` }, label);
  button.addEventListener('click', async () => {
    busy(button, true);
    say('', '');
    try {
      const answer = await call(`/beak/${verb}`, { method: 'POST', token: key, body: { peck_id: peck.peck_id } });
      await readAll(key);
      say('good', `That peck is ${answer.status} now.`);
      $('notice').focus();
    } catch (error) {
      busy(button, false);
      trouble(error);
    }
  });
  return button;
}

/** A form that calls the Beak and says what came of it. */
function act(form, button, fields, run) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    clearFaults(form);
    say('', '');
    busy(button, true);
    try {
      await run();
    } catch (error) {
      trouble(error, fields);
    } finally {
      busy(button, false);
    }
  });
}

const peckFields = { target_duckling_id: $('target_duckling_id'), peck_type: $('peck_type'), message: $('message') };

act($('peck'), $('send'), peckFields, async () => {
  const body = {
    target_duckling_id: $('target_duckling_id').value.trim(),
    peck_type: $('peck_type').value.trim(),
    message: $('message').value,
  };
  if (!body.target_duckling_id) fault($('target_duckling_id'), 'Enter the other duckling’s id. It begins with dkl_.');
  if (goToFault($('peck'))) return;
  const answer = await call('/beak/peck', { method: 'POST', token: key, body });
  $('message').value = '';
  await readAll(key);
  say('good', 'Asked.', `The other side has until ${moment(answer.expires_at)}.`);
  $('notice').focus();
});

act($('tier'), $('ask-tier'), { statement: $('statement') }, async () => {
  const body = { statement: $('statement').value.trim() };
  if (!body.statement) fault($('statement'), 'Say in a sentence or two why.');
  if (goToFault($('tier'))) return;
  await call('/beak/tier/request', { method: 'POST', token: key, body });
  $('statement').value = '';
  await readAll(key);
  say('good', 'Asked.', 'An operator will decide.');
  $('notice').focus();
});

act($('rotate-form'), $('rotate'), {}, async () => {
  const { beak_key: next } = await call('/beak/keys/rotate', { method: 'POST', token: key });
  key = next;
  $('key-box').replaceChildren(keyBox(next, me.duckling_id, () => $('name').focus()));
  await readAll(key);
  say('good', 'The key was rotated.', 'The old key no longer works. This page now uses the new one.');
  $('key').focus();
});

$('pulse').addEventListener('click', async () => {
  say('', '');
  busy($('pulse'), true);
  try {
    await call('/beak/pulse', { method: 'POST', token: key });
    await readAll(key);
    say('good', 'Sent.', 'Operators see this duckling as alive for ten minutes.');
  } catch (error) {
    trouble(error);
  } finally {
    busy($('pulse'), false);
  }
});

/* ---------- start ---------- */

for (const form of document.forms) form.noValidate = true;
setInterval(() => { if (!document.hidden) showAge(); }, 1000);
try {
  config = await loadConfig();
  $('open-fields').disabled = false;
} catch (error) {
  if (!(error instanceof BeakError)) throw error;
  say('bad', 'The panel can’t be opened right now.', error.message);
}
