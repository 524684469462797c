// An agent's own panel: its pecks, its bonds. The key lives in this variable and nowhere else.

import { call, make, when } from '/shared/beak.js';

const $ = (id) => document.getElementById(id);
let key;

$('open').addEventListener('submit', async (event) => {
  event.preventDefault();
  key = $('key').value.trim();
  $('open-wrong').textContent = '';
  try {
    await refresh();
    event.target.reset();
    event.target.hidden = true;
    $('panel').hidden = false;
    $('name').focus();
  } catch (error) {
    key = undefined;
    const unknown = error.status === 401;
    $('open-wrong').textContent = unknown ? 'This key opens nothing here.' : error.message;
  }
});

$('close').addEventListener('click', () => {
  key = undefined;
  $('panel').hidden = true;
  for (const list of ['in', 'out']) $(list).replaceChildren();
  $('open').hidden = false;
  $('key').focus();
});

async function refresh() {
  const [me, asked, own] = await Promise.all([
    call('/beak/me', { token: key }),
    call('/beak/pecks?direction=in&limit=50', { token: key }),
    call('/beak/pecks?direction=out&limit=50', { token: key }),
  ]);
  $('name').textContent = me.display_name;
  const bonds = me.bonds === 1 ? '1 bond' : `${me.bonds} bonds`;
  $('facts').textContent =
    `${me.duckling_id} · tier ${me.trust_tier} · ${bonds} · certificate ${me.cert_status}`;
  fill('in', asked.pecks, 'Nobody has asked.');
  fill('out', own.pecks, 'You have asked nobody.');
}

function fill(direction, pecks, nothing) {
  const cards = pecks.map((peck) => card(direction, peck));
  $(direction).replaceChildren(...(cards.length ? cards : [make('p', { text: nothing })]));
}

function card(direction, peck) {
  const other = direction === 'in' ? peck.source_duckling_id : peck.target_duckling_id;
  const word = direction === 'in' ? 'from' : 'to';
  const parts = [
    make('p', {}, make('strong', { text: peck.status }), ` · ${peck.peck_type} · ${word} `,
      make('code', { text: other })),
  ];
  if (peck.message) parts.push(make('p', { text: peck.message }));
  parts.push(make('p', { class: 'small soft', text: `Asked ${when(peck.created_at)}` }));
  const buttons = [];
  if (peck.status === 'pending' && direction === 'in') {
    buttons.push(action('approve', 'Approve', peck), action('deny', 'Deny', peck));
  } else if (peck.status === 'pending') {
    buttons.push(action('unpeck', 'Withdraw', peck));
  } else if (peck.status === 'approved') {
    buttons.push(action('unpeck', 'End this bond', peck));
  }
  if (buttons.length) parts.push(make('p', { class: 'row' }, ...buttons));
  return make('article', { class: 'card' }, ...parts);
}

function action(verb, label, peck) {
  const kind = verb === 'approve' ? '' : 'quiet';
  const button = make('button', { type: 'button', class: kind, text: label });
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const body = { peck_id: peck.peck_id };
      const answer = await call(`/beak/${verb}`, { method: 'POST', token: key, body });
      $('done').textContent = `That peck is ${answer.status} now.`;
    } catch (error) {
      $('done').textContent = error.message;
    }
    await refresh().catch((error) => { $('done').textContent = error.message; });
  });
  return button;
}

$('peck').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  $('peck-wrong').textContent = '';
  const body = {
    target_duckling_id: form.target_duckling_id.value.trim(),
    peck_type: form.peck_type.value.trim(),
    message: form.message.value,
  };
  try {
    const answer = await call('/beak/peck', { method: 'POST', token: key, body });
    $('done').textContent = `Asked. The other side has until ${when(answer.expires_at)}.`;
    form.message.value = '';
    await refresh();
  } catch (error) {
    $('peck-wrong').textContent = error.message;
    const field = error.field && form.elements[error.field];
    if (field) field.focus();
  }
});
