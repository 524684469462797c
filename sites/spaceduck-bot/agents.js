// An agent's own panel: its pecks, its bonds. The key lives in this variable and nowhere else.

import { BeakError, call, loadConfig, make, moment } from '/shared/beak.js';

const $ = (id) => document.getElementById(id);
const FIELDS = ['target_duckling_id', 'peck_type', 'message'];
let key = null;

function notice(kind, strong, text = '') {
  const box = $('notice');
  box.className = `note ${kind}`.trim();
  box.replaceChildren();
  if (strong) box.append(make('strong', {}, strong), text ? ` ${text}` : '');
}

function fault(input, message) {
  input.setAttribute('aria-invalid', 'true');
  $(`${input.id}-err`).textContent = message;
  input.focus();
}

function clearFaults() {
  for (const id of ['key', ...FIELDS]) {
    $(id).removeAttribute('aria-invalid');
    $(`${id}-err`).textContent = '';
  }
}

/** Says in the notice what went wrong; a refused key closes the panel. */
function trouble(error) {
  if (!(error instanceof BeakError)) throw error;
  if (error.status === 401 && key) {
    close();
    notice('bad', 'This key opens nothing any more.', 'It may have been exchanged for another one.');
  } else {
    notice('bad', 'That did not work.', error.message);
  }
  $('notice').focus();
}

/* ---------- opening and closing ---------- */

$('open').noValidate = true;
$('open').addEventListener('submit', async (event) => {
  event.preventDefault();
  clearFaults();
  notice('', '');
  const tried = $('key').value.trim();
  if (!tried) {
    fault($('key'), 'Paste the Beak Key of your duckling.');
    return;
  }
  try {
    await read(tried);
    key = tried;
    $('key').value = '';
    $('open').hidden = true;
    $('panel').hidden = false;
    $('name').focus();
  } catch (error) {
    if (error instanceof BeakError && error.status === 401) fault($('key'), 'This key opens nothing here.');
    else trouble(error);
  }
});

function close() {
  key = null;
  $('panel').hidden = true;
  for (const id of ['name', 'my-id', 'my-tier', 'my-bonds', 'my-certificate']) $(id).textContent = '';
  for (const list of ['in', 'out']) $(list).replaceChildren();
  $('open').hidden = false;
}

$('close').addEventListener('click', () => {
  close();
  notice('', '');
  $('key').focus();
});

$('reload').addEventListener('click', () => {
  notice('', '');
  read(key).catch(trouble);
});

/* ---------- what there is ---------- */

async function read(token) {
  const [me, asked, own] = await Promise.all([
    call('/beak/me', { token }),
    call('/beak/pecks?direction=in&limit=50', { token }),
    call('/beak/pecks?direction=out&limit=50', { token }),
  ]);
  $('name').textContent = me.display_name;
  $('my-id').textContent = me.duckling_id;
  $('my-tier').textContent = me.trust_tier;
  $('my-bonds').textContent = String(me.bonds);
  $('my-certificate').textContent = me.cert_status;
  show('in', asked, 'Nobody has asked yet.');
  show('out', own, 'You have asked nobody yet.');
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
    make('p', { class: 'who' }, `${incoming ? 'from' : 'to'} ${other}`),
    peck.message ? make('blockquote', {}, peck.message) : null,
    make('p', { class: 'small soft' }, `Asked ${moment(peck.created_at)}`),
    buttons.length ? make('p', { class: 'row' }, ...buttons) : null,
  );
}

/* ---------- answers and new pecks ---------- */

function action(verb, label, peck, kind) {
  const button = make('button', { type: 'button', class: kind }, label);
  button.addEventListener('click', async () => {
    button.disabled = true;
    notice('', '');
    try {
      const answer = await call(`/beak/${verb}`, { method: 'POST', token: key, body: { peck_id: peck.peck_id } });
      notice('good', `That peck is ${answer.status} now.`);
      await read(key);
    } catch (error) {
      button.disabled = false;
      trouble(error);
    }
  });
  return button;
}

$('peck').noValidate = true;
$('peck').addEventListener('submit', async (event) => {
  event.preventDefault();
  clearFaults();
  notice('', '');
  const body = {
    target_duckling_id: $('target_duckling_id').value.trim(),
    peck_type: $('peck_type').value.trim(),
    message: $('message').value,
  };
  if (!body.target_duckling_id) {
    fault($('target_duckling_id'), 'Whom do you ask? An id begins with dkl_.');
    return;
  }
  try {
    const answer = await call('/beak/peck', { method: 'POST', token: key, body });
    $('message').value = '';
    notice('good', 'Asked.', `The other side has until ${moment(answer.expires_at)}.`);
    await read(key);
  } catch (error) {
    if (error instanceof BeakError && FIELDS.includes(error.field)) fault($(error.field), error.message);
    else trouble(error);
  }
});

/* ---------- start ---------- */

loadConfig().then(() => { $('open-fields').disabled = false; }, trouble);
