// What operators see and decide.

import { BeakError, call, loadConfig, make, moment } from '/shared/beak.js';
import { busy, clearFaults, emailFault, fault, goToFault, notice, showError } from '/shared/form.js';
import { count, split } from '/shared/chart.js';
import { readRequests, requests } from '/requests.js';

const $ = (id) => document.getElementById(id);
// The largest galaxy that is read whole every 30 seconds: five calls.
const SMALL = 500;
// How many ducklings are read at all; the API lists the rest.
const MOST = 2000;
const SHOWN = 25;

// The tokens of the sign-in, so that it survives a reload. Session storage ends with the tab and no
// other site can read it; the content policy lets no foreign script run here. A cookie would travel
// to the API by itself, and then other sites could act for the operator.
const STORE = 'spaceduck-operator';

let session = stored();
let config = {};
let roster = [];
let whole = true;
let shown = SHOWN;

function say(kind, headline, text) {
  notice($('op-notice'), kind, headline, text);
}

/** Notes when a panel was read; its age is shown from then on. */
function stamp(id) {
  $(id).dataset.read = String(Date.now());
  $(id).textContent = 'read just now';
}

function when(value, none = '') {
  return value ? make('time', { datetime: value }, moment(value)) : none;
}

function nameOf(id) {
  return roster.find((duck) => duck.duckling_id === id)?.display_name ?? `${id.slice(0, 12)}…`;
}

// What the panels of requests and of one duckling work with.
const desk = { ask, readConsole, refused, say, stamp, when };

/* ---------- signing in ---------- */

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE));
  } catch {
    return null; // storage is blocked, or not ours
  }
}

function store() {
  try {
    if (session) sessionStorage.setItem(STORE, JSON.stringify(session));
    else sessionStorage.removeItem(STORE);
  } catch {
    // Storage is blocked: the sign-in lasts until the page is reloaded.
  }
}

const form = $('signin-form');

function accept(tokens, email) {
  session = { access: tokens.access_token, refresh: tokens.refresh_token ?? session?.refresh, email };
  store();
}

/** A call as the operator; an access token that has run out is exchanged once. */
async function ask(path, options = {}) {
  const mine = session;
  if (!mine) throw new BeakError({ status: 401, code: 'unauthorized', message: 'Sign in first.' });
  try {
    return await call(path, { ...options, token: mine.access });
  } catch (error) {
    if (!(error instanceof BeakError) || error.status !== 401 || !mine.refresh || session !== mine) throw error;
    accept(await call('/beak/refresh', { method: 'POST', body: { refresh_token: mine.refresh } }), mine.email);
    return call(path, { ...options, token: session.access });
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  say('', '');
  clearFaults(form);
  const [email, password] = [$('email'), $('password')];
  const wrongMail = emailFault(email);
  if (wrongMail) fault(email, wrongMail);
  if (!password.value) fault(password, 'Enter your password.');
  if (goToFault(form)) return;
  busy($('signin'), true);
  try {
    const body = { email: email.value.trim(), password: password.value };
    let tokens = await call('/beak/signin', { method: 'POST', body });
    password.value = '';
    if (tokens.challenge) {
      // Loaded by those who need it.
      tokens = await import('/shared/second-step.js').then(({ secondStep }) => secondStep(tokens, form), () => location.reload());
    }
    if (!tokens) return password.focus();
    accept(tokens, body.email);
    await enter();
    $('console-title').focus();
  } catch (error) {
    refused(error);
  } finally {
    busy($('signin'), false);
  }
});

async function enter() {
  $('signed-as').textContent = `Signed in as ${session.email}`;
  await readConsole();
  open(true);
}

/** A refusal, wherever it came from. */
function refused(error) {
  if (!(error instanceof BeakError)) throw error;
  const inside = !$('console').hidden;
  if (error.status === 403 && error.message.includes('second factor')) {
    say('wait', 'This galaxy requires a second factor of operators.', 'Set one up, then sign in again.');
    openFactor();
  } else if (error.status === 403) {
    const token = session?.access;
    forget();
    if (token) call('/beak/signout', { method: 'POST', token }).catch(() => {});
    say('bad', 'This account is not an operator.', 'You have been signed out. The person who runs this galaxy adds operators with `spaceduck operator add`.');
    $('op-notice').focus();
  } else if (error.status === 401 && inside) {
    forget();
    say('wait', 'Your session has expired.', 'Sign in again to continue.');
    $('op-notice').focus();
  } else {
    showError(error, $('op-notice'), inside ? {} : { email: $('email'), password: $('password') });
  }
}

function open(yes) {
  $('console').hidden = !yes;
  form.hidden = yes;
}

function forget() {
  session = null;
  store();
  roster = [];
  requests.waiting = [];
  for (const id of ['rows', 'requests', 'events', 'tables', 'fleet', 'mail', 'alarms', 'attention']) $(id).replaceChildren();
  open(false);
}

$('signout').addEventListener('click', async () => {
  const token = session?.access;
  forget();
  say('', '');
  // At once: when the answer comes, someone may be typing already.
  $('email').focus();
  const told = await call('/beak/signout', { method: 'POST', token }).then(() => true, () => false);
  say(told ? 'good' : 'wait', 'Signed out.', told
    ? 'This tab has forgotten your sign-in.'
    : 'This tab has forgotten your sign-in, but the API did not respond. The token expires within an hour.');
});

/** The dialog of the second factor, whose program is loaded by those who need it. */
function openFactor() {
  const ended = (headline, text) => {
    forget();
    say('good', headline, text);
    $('op-notice').focus();
  };
  const token = () => session?.access;
  import('/shared/factor.js').then(({ openFactor: open }) => open({ ask, token, refused, ended }).catch(refused), () => location.reload());
}

$('factor').addEventListener('click', openFactor);

/* ---------- reading ---------- */

async function readConsole() {
  await Promise.all([readRoster(), readRequests(desk)]);
  await Promise.all([readStatus(), readEvents()]);
}

/** With every reading of the page; a large galaxy's list only when it is asked for. */
export async function readForOperators() {
  if (!session || $('console').hidden) return;
  try {
    if (whole && roster.length <= SMALL) await readRoster();
    await readRequests(desk);
    await Promise.all([readStatus(), readEvents()]);
  } catch (error) {
    if (error instanceof BeakError && error.status === 0) throw error;
    refused(error);
  }
}

async function readRoster() {
  const ducks = [];
  let cursor = null;
  do {
    const query = cursor ? `?limit=100&cursor=${encodeURIComponent(cursor)}` : '?limit=100';
    const page = await ask(`/beak/spaceducks${query}`);
    ducks.push(...page.spaceducks);
    cursor = page.next_cursor;
  } while (cursor && ducks.length < MOST);
  roster = ducks;
  whole = !cursor;
  stamp('list-age');
  showList();
}

$('reload').addEventListener('click', async () => {
  busy($('reload'), true);
  await readConsole().catch(refused);
  busy($('reload'), false);
});

/* ---------- status: attention, fleet, mail, tables, alarms ---------- */

async function readStatus() {
  const status = await ask('/beak/system/status');
  stamp('status-age');
  showFleet(status.fleet);
  showMail(status.mail);
  showTables(status.tables);
  showAlarms(status.alarms);
  $('function-version').textContent = status.function_version ?? 'none; this galaxy runs on one machine';
  showAttention(status);
}

const unknown = () => make('p', { class: 'soft' }, 'The API could not find this out just now.');

function showFleet(fleet) {
  if (!fleet) return $('fleet').replaceChildren(unknown());
  const parts = ['alive', 'slow', 'offline'].map((kind) => ({ name: kind, kind, value: fleet[kind] }));
  const words = `${count(fleet.alive)} alive (a pulse within 10 minutes), ${count(fleet.slow)} slow (within 30), ${count(fleet.offline)} offline`;
  return $('fleet').replaceChildren(
    split(parts, `The fleet: ${words}`),
    make('p', { class: 'small soft' }, `${words}.${fleet.is_whole ? '' : ' These are the first 10,000 ducklings.'}`),
  );
}

/** How the mail stands, what to do next, and where that is explained; `wait` where it is needed. */
function mailNext(mail) {
  if (config.outbox) return ['good', 'Emails stay on this machine, in the outbox. There is nothing to set up.'];
  if (!mail.sender) return ['wait', 'Cognito’s own sender sends the codes, about 50 emails a day; other emails are not sent. Next: set `mail.domain` in galaxy.yaml and run `spaceduck mail`.', '/runbooks/codes-do-not-arrive/'];
  if (mail.sandbox) return ['wait', 'This account is in the SES sandbox: only verified addresses receive mail. Next: run `spaceduck mail apply` to apply for production access. Until then, `spaceduck mail invite ADDRESS` verifies one address.', '/runbooks/sandbox-exit/'];
  if (mail.quota && mail.sent > mail.quota * 0.8) return ['wait', 'More than four fifths of the quota is used. Next: ask for a higher one in the SES console, or wait: it counts the last 24 hours.', '/runbooks/quota-reached/'];
  return ['good', 'Mail reaches every address.'];
}

/** A sentence with `code` in it and the page that says more, as elements. */
function marked(text, page) {
  const parts = text.split('`').map((part, at) => (at % 2 ? make('code', {}, part) : part));
  return page ? [...parts, ' ', make('a', { href: page }, 'What to do, step by step')] : parts;
}

function showMail(mail) {
  if (!mail) return $('mail').replaceChildren(unknown());
  const [, next, page] = mailNext(mail);
  const quota = mail.quota
    ? [split([{ kind: 'alive', value: Math.min(mail.sent, mail.quota) }, { kind: 'rest', value: Math.max(mail.quota - mail.sent, 0) }],
      `${count(mail.sent)} of ${count(mail.quota)} mails sent within 24 hours`),
    make('p', { class: 'small soft' }, `${count(mail.sent)} of ${count(mail.quota)} mails within 24 hours.`)]
    : [make('p', { class: 'small soft' }, `${count(mail.sent)} ${mail.sent === 1 ? 'mail' : 'mails'} within 24 hours; no quota.`)];
  return $('mail').replaceChildren(
    make('p', { class: 'row' },
      make('span', { class: `state ${mail.sender ? 'up' : 'pending'}` }, mail.sender ? 'own sender' : 'no sender of its own'),
      make('span', { class: `state ${mail.sandbox ? 'pending' : 'up'}` }, mail.sandbox ? 'sandbox' : 'out of the sandbox')),
    ...quota,
    make('p', { class: 'small soft' }, `${count(mail.bounces ?? 0)} bounced, ${count(mail.complaints ?? 0)} marked as spam. The galaxy no longer mails these addresses.`),
    make('p', {}, ...marked(next, page)));
}

function showTables(tables) {
  if (!tables) return $('tables').replaceChildren(make('tr', {}, make('td', { colspan: 3 }, unknown())));
  return $('tables').replaceChildren(...tables.map((table) => make('tr', {},
    make('th', { scope: 'row', class: 'mono' }, table.name),
    make('td', {}, make('span', { class: `state ${table.active ? 'up' : 'down'}` }, table.active ? 'active' : 'not responding')),
    make('td', { class: 'num' }, table.entries === null ? 'not counted' : count(table.entries)))));
}

const STATES = { ok: ['up', 'OK'], alarm: ['down', 'firing'], missing: ['down', 'missing'], unknown: ['', 'not enough data'] };

function showAlarms(alarms) {
  const item = ({ name, state, since }) => {
    const [kind, word] = STATES[state] ?? ['', state];
    const time = when(since) || make('span', {}, 'not there');
    return make('li', {}, time, ' ', make('span', {}, make('span', { class: `state ${kind}` }, word), ` ${name}`));
  };
  const none = () => make('li', { class: 'soft' }, 'None: this galaxy runs on one machine.');
  $('alarms').replaceChildren(...(!alarms ? [make('li', { class: 'soft' }, unknown())] : alarms.length ? alarms.map(item) : [none()]));
}

/** What needs somebody, first things first. */
function showAttention(status) {
  const items = [];
  if (status.status !== 'operational') items.push(['bad', `The galaxy’s status is “${status.status}”. \`spaceduck status\` shows which part is failing.`, '/runbooks/api-5xx/']);
  for (const { name, state } of status.alarms ?? []) {
    if (state === 'alarm') items.push(['bad', `The alarm ${name} is firing.`, '/runbooks/alarms/']);
    if (state === 'missing') items.push(['wait', `The alarm ${name} is missing. \`spaceduck repair\` restores it.`, '/runbooks/alarms/']);
  }
  for (const table of status.tables ?? []) {
    if (!table.active) items.push(['bad', `The table ${table.name} is not responding. \`spaceduck drift\` shows whether it was changed.`, '/runbooks/drift-found/']);
  }
  if (status.mail) {
    const next = mailNext(status.mail);
    if (next[0] === 'wait') items.push(next);
  }
  const waiting = requests.waiting.length;
  const more = requests.whole ? '' : 'More than ';
  if (waiting) items.push(['wait', `${waiting === 1 ? 'One duckling is waiting' : `${more}${count(waiting)} ducklings are waiting`} for your decision on tier T2.`, '/runbooks/t2-request/']);
  if (status.fleet && status.fleet.offline > 0 && status.fleet.alive === 0) items.push(['still', 'No agent has sent a pulse within 10 minutes. Agents do that with `POST /beak/pulse`.']);
  $('attention').replaceChildren(...(items.length
    ? items.map(([kind, text, page]) => make('li', { class: kind }, ...marked(text, page)))
    : [make('li', { class: 'good' }, 'Nothing to do.')]));
}

/* ---------- the list ---------- */

function matches(duck) {
  const sought = $('filter').value.trim().toLocaleLowerCase();
  const text = `${duck.display_name} ${duck.duckling_id} ${duck.trust_tier} ${duck.cert_status} ${duck.key_hint}`;
  return text.toLocaleLowerCase().includes(sought);
}

function showList() {
  const found = roster.filter(matches);
  const part = found.slice(0, shown);
  $('rows').replaceChildren(...part.map(row));
  $('more').hidden = part.length === found.length;
  const all = whole ? `${count(roster.length)} in all` : `the first ${count(roster.length)} were read; the API lists the rest`;
  $('row-count').textContent = roster.length === 0
    ? 'No duckling has hatched in this galaxy yet.'
    : `${count(part.length)} of ${count(found.length)} ${found.length === 1 ? 'duckling' : 'ducklings'} that fit; ${all}.`;
}

function liveness(duck) {
  const minutes = duck.last_pulse ? (Date.now() - Date.parse(duck.last_pulse)) / 60000 : Infinity;
  if (minutes <= 10) return ['up', 'alive'];
  return minutes <= 30 ? ['pending', 'slow'] : ['', 'offline'];
}

function row(duck) {
  const [kind, word] = liveness(duck);
  return make('tr', {},
    make('th', { scope: 'row' }, duck.display_name, make('br'), make('span', { class: 'mono soft small' }, duck.duckling_id)),
    make('td', {}, duck.trust_tier),
    make('td', {}, make('span', { class: `state ${duck.cert_status}` }, duck.cert_status)),
    make('td', { class: 'num' }, count(duck.bonds)),
    make('td', {}, make('span', { class: `state ${kind}` }, word), make('br'), make('span', { class: 'small soft' }, when(duck.last_pulse, 'never'))),
    make('td', {}, when(duck.created_at)),
    make('td', { class: 'mono' }, duck.key_hint),
    make('td', {}, manageButton(duck)));
}

function manageButton(duck) {
  const button = make('button', { type: 'button', class: 'quiet tiny', 'aria-label': `Manage ${duck.display_name}` }, 'Manage');
  // The dialog's program is loaded by those who need it.
  button.addEventListener('click', () => import('/manage.js').then(({ manage }) => manage(duck, desk), () => location.reload()));
  return button;
}

$('filter').addEventListener('input', () => {
  shown = SHOWN;
  showList();
});
$('more').addEventListener('click', () => {
  shown += SHOWN;
  showList();
  $('rows').children[shown - SHOWN]?.querySelector('th')?.scrollIntoView({ block: 'nearest' });
});

/* ---------- what has happened ---------- */

const because = (event) => (event.note ? `: “${event.note}”` : '');

const SAYS = {
  'duck.hatched': (event) => `${nameOf(event.duckling_id)} hatched`,
  'duck.verified': (event) => `${nameOf(event.duckling_id)} confirmed its address`,
  'cert.issued': (event) => `${nameOf(event.duckling_id)} got a certificate${event.trust_tier ? ` for ${event.trust_tier}` : ''}`,
  'cert.revoked': (event) => `A certificate of ${nameOf(event.duckling_id)} was revoked`,
  'key.rotated': (event) => `${nameOf(event.duckling_id)} exchanged its key`,
  'peck.requested': (event) => `${nameOf(event.duckling_id)} pecked ${nameOf(event.other_duckling_id)}`,
  'peck.approved': (event) => `${nameOf(event.other_duckling_id)} approved ${nameOf(event.duckling_id)}: a bond`,
  'peck.denied': (event) => `${nameOf(event.other_duckling_id)} denied ${nameOf(event.duckling_id)}`,
  'peck.expired': (event) => `${nameOf(event.other_duckling_id)} never answered ${nameOf(event.duckling_id)}`,
  'peck.revoked': (event) => `The peck of ${nameOf(event.duckling_id)} at ${nameOf(event.other_duckling_id)} was revoked`,
  'tier.changed': (event) => `${nameOf(event.duckling_id)} reached ${event.trust_tier}`,
  'operator.decided': (event) => `An operator decided about ${nameOf(event.duckling_id)}${because(event)}`,
  'duck.deleted': (event) => `${nameOf(event.duckling_id)} was deleted${because(event)}`,
  'duck.suspended': (event) => `${nameOf(event.duckling_id)} was suspended${because(event)}`,
  'duck.restored': (event) => `${nameOf(event.duckling_id)} was restored${because(event)}`,
};

async function readEvents() {
  const { events } = await ask('/beak/audit?limit=15');
  stamp('events-age');
  $('events').replaceChildren(...(events.length
    ? events.map((event) => make('li', { title: event.event }, when(event.at), ' ', make('span', {}, SAYS[event.event]?.(event) ?? event.event)))
    : [make('li', { class: 'soft' }, 'Nothing within 90 days.')]));
}

/* ---------- start ---------- */

/** A stored sign-in that no longer works leads to the form; one that could not be tried is kept. */
function resumeFailed(error) {
  if (error instanceof BeakError && error.status === 401) {
    forget();
    say('wait', 'Your session has expired.', 'Sign in again to continue.');
  } else {
    refused(error);
  }
}

/** Opens the sign-in for those who have one. */
export function startOperators() {
  form.noValidate = true;
  loadConfig().then((loaded) => {
    config = loaded;
    $('signin-fields').disabled = false;
    if (session) enter().catch(resumeFailed);
  }, (error) => say('bad', 'Sign-in is unavailable right now.', error.message));
}
