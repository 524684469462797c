// Mission Control: live counts for everybody, the list of ducklings for operators.

import { call, make, when } from '/shared/beak.js';

const EVERY = 30_000;
const STATES = ['pending', 'approved', 'denied', 'expired', 'revoked'];
const SVG = 'http://www.w3.org/2000/svg';
const $ = (id) => document.getElementById(id);

let timer;
let asOf;

async function refresh() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const metrics = await call('/beak/metrics');
    for (const place of document.querySelectorAll('[data-count]')) {
      place.textContent = metrics[place.dataset.count].toLocaleString();
    }
    draw(metrics.pecks);
    asOf = metrics.as_of;
    $('down').hidden = true;
  } catch (error) {
    $('down').textContent = `${error.message} The counts below are not fresh.`;
    $('down').hidden = false;
  }
  tellAge();
  timer = setTimeout(refresh, EVERY);
}

function tellAge() {
  if (!asOf) return;
  $('age').textContent = `As of ${when(asOf)}. Asked every 30 seconds while this page is in view.`;
}

function draw(pecks) {
  const most = Math.max(1, ...STATES.map((state) => pecks[state]));
  const parts = STATES.map((state, row) => {
    const y = row * 34;
    const width = (pecks[state] / most) * 400;
    return [
      shape('text', { x: 0, y: y + 20 }, state),
      shape('rect', { x: 90, y: y + 6, width: 400, height: 20, rx: 6, class: 'track' }),
      shape('rect', { x: 90, y: y + 6, width, height: 20, rx: 6, class: 'bar' }),
      shape('text', { x: 502, y: y + 20 }, pecks[state].toLocaleString()),
    ];
  });
  const words = STATES.map((state) => `${pecks[state]} ${state}`).join(', ');
  $('bars').setAttribute('aria-label', `Pecks by state: ${words}`);
  $('bars').replaceChildren(...parts.flat());
}

function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// The list. The access token lives in this variable and nowhere else.
let token;
let cursor;

$('signin').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  $('signin-wrong').textContent = '';
  try {
    const body = { email: form.email.value, password: form.password.value };
    const answer = await call('/beak/signin', { method: 'POST', body });
    token = answer.access_token;
    await list(true);
    form.reset();
    form.hidden = true;
    $('list').hidden = false;
    $('signout').focus();
  } catch (error) {
    token = undefined;
    $('signin-wrong').textContent = refusal(error);
  }
});

function refusal(error) {
  if (error.status === 401) return 'This address and password do not fit together.';
  if (error.status === 403) return 'This account is not an operator of this galaxy.';
  return error.message;
}

async function list(anew) {
  const more = anew || !cursor ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  const answer = await call(`/beak/spaceducks?limit=50${more}`, { token });
  const rows = answer.spaceducks.map((duck) => make('tr', {},
    make('td', { text: duck.display_name }),
    make('td', {}, make('code', { text: duck.duckling_id })),
    make('td', { text: duck.trust_tier }),
    make('td', { text: duck.cert_status }),
    make('td', { text: duck.bonds }),
    make('td', { text: when(duck.last_pulse) }),
    make('td', { text: when(duck.created_at) }),
    make('td', { text: duck.key_hint })));
  if (anew) $('rows').replaceChildren();
  $('rows').append(...rows);
  if (!$('rows').children.length) {
    $('rows').append(make('tr', {}, make('td', { colspan: 8, text: 'Nobody has hatched yet.' })));
  }
  cursor = answer.next_cursor;
  $('more').hidden = !cursor;
}

async function tryList(anew) {
  $('list-wrong').textContent = '';
  try {
    await list(anew);
  } catch (error) {
    $('list-wrong').textContent = refusal(error);
  }
}

$('more').addEventListener('click', () => tryList(false));
$('reload').addEventListener('click', () => tryList(true));
$('signout').addEventListener('click', async () => {
  const old = token;
  token = cursor = undefined;
  $('rows').replaceChildren();
  $('list').hidden = true;
  $('signin').hidden = false;
  $('email').focus();
  try {
    await call('/beak/signout', { method: 'POST', token: old });
  } catch {
    // The token ends by itself within the hour; this page has forgotten it already.
  }
});

document.addEventListener('visibilitychange', refresh);
refresh();
