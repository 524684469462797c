import { BeakError, call, duration, loadConfig, make, moment } from '/shared/beak.js';

const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
const EVERY_MS = 30000;
const STATES = ['pending', 'approved', 'denied', 'expired', 'revoked'];
const number = new Intl.NumberFormat();

/* ---------- live counters ---------- */

let timer = null;
let reading = false;
let lastAsOf = null;
let wasDown = false;

function count(value) {
  return Number.isFinite(value) ? number.format(value) : '–';
}

async function readMetrics() {
  if (reading) return;
  reading = true;
  clearTimeout(timer);
  $('refresh').disabled = true;
  try {
    showMetrics(await call('/beak/metrics'));
  } catch (error) {
    if (!(error instanceof BeakError)) throw error;
    await showTrouble(error);
  } finally {
    reading = false;
    $('refresh').disabled = false;
    plan();
  }
}

function plan() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(readMetrics, EVERY_MS);
}

function lamp(kind, text) {
  $('lamp').className = `state ${kind}`;
  $('lamp').textContent = text;
}

function showMetrics(metrics) {
  for (const name of ['total_ducklings', 'eggs', 'certs_issued', 'connections']) {
    $(`m-${name}`).textContent = count(metrics[name]);
  }
  $('m-galaxy_version').textContent = metrics.galaxy_version ?? 'not given';
  const at = new Date(metrics.as_of ?? Date.now());
  lastAsOf = Number.isNaN(at.getTime()) ? new Date() : at;
  drawChart(metrics.pecks ?? {});
  lamp('up', 'The Beak answers');
  showAge();
  if (wasDown) $('trouble').replaceChildren(make('p', { class: 'note good' }, make('strong', {}, 'The Beak answers again.')));
  else $('trouble').replaceChildren();
  wasDown = false;
}

async function showTrouble(error) {
  lamp('down', error.status === 0 ? 'The Beak can’t be reached' : 'The Beak refuses');
  showAge();
  if (wasDown) return; // said once is enough; the page keeps trying
  wasDown = true;
  const base = await loadConfig().then((config) => config.api_base, () => null);
  const advice = make('ul');
  const add = (...parts) => advice.append(make('li', {}, ...parts));
  if (error.status === 429) {
    add('Another tab or program at your address is asking often. This page keeps to one reading in 30 seconds.');
  } else if (error.status === 0 && base) {
    add('On your own machine: is the galaxy still running? Start it with ', make('code', {}, 'cargo galaxy'), ' or ', make('code', {}, 'spaceduck local'), '.');
    add('In AWS: open ', make('code', {}, `${base}/beak/system/status`), ' in a new tab. If that answers, the API does not allow this site’s address (CORS); run ', make('code', {}, 'spaceduck install'), ' again.');
    add('If it does not answer, look at the API Gateway and at the Lambda’s logs in CloudWatch.');
  } else if (error.status >= 500) {
    add('In AWS, the Lambda’s logs in CloudWatch say why', error.requestId ? ' (request ' : '', error.requestId ? make('code', {}, error.requestId) : '', error.requestId ? ').' : '.');
  }
  const box = make('div', { class: 'note bad' },
    make('p', {}, make('strong', {}, lastAsOf ? 'The figures below are old. ' : 'There are no figures to show. '), error.message));
  if (advice.childElementCount) box.append(advice);
  box.append(make('p', {}, 'This page keeps trying every 30 seconds.'));
  $('trouble').replaceChildren(box);
}

function showAge() {
  if (!lastAsOf) {
    $('age').textContent = '';
    return;
  }
  const seconds = (Date.now() - lastAsOf.getTime()) / 1000;
  $('age').textContent = seconds < 2 ? 'Figures as of just now' : `Figures are ${duration(seconds)} old`;
}

/* ---------- the chart ---------- */

function svg(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function drawChart(pecks) {
  const values = STATES.map((state) => (Number.isFinite(pecks[state]) ? pecks[state] : 0));
  const most = Math.max(...values, 1);
  const total = values.reduce((sum, value) => sum + value, 0);
  const rowHeight = 46;

  const chart = svg('svg', {
    class: 'chart', role: 'img', 'aria-labelledby': 'pecks-title', 'aria-describedby': 'chart-text',
    width: '100%', height: String(STATES.length * rowHeight),
  });
  STATES.forEach((state, row) => {
    const top = row * rowHeight;
    const width = (values[row] / most) * 100;
    chart.append(
      svg('text', { x: '0', y: String(top + 15) }, state),
      svg('text', { x: '100%', y: String(top + 15), 'text-anchor': 'end' }, number.format(values[row])),
      svg('rect', { class: 'track', x: '0', y: String(top + 23), width: '100%', height: '12', rx: '6' }),
    );
    if (values[row] > 0) {
      chart.append(svg('rect', {
        class: `bar-${state}`, x: '0', y: String(top + 23), width: `${Math.max(width, 1.5).toFixed(2)}%`, height: '12', rx: '6',
      }));
    }
  });
  $('chart').replaceChildren(chart);

  const list = STATES.map((state, row) => `${number.format(values[row])} ${state}`).join(', ');
  $('chart-text').textContent = total === 0
    ? 'Nobody has pecked anybody in this galaxy yet.'
    : `${number.format(total)} ${total === 1 ? 'peck' : 'pecks'} in all: ${list}.`;
}

/* ---------- operator ---------- */

let session = null; // lives in this variable and nowhere else
let cursor = null;
let shown = 0;

function notice(kind, strong, text = '') {
  const box = $('op-notice');
  box.className = `note ${kind}`.trim();
  box.replaceChildren();
  if (strong) box.append(make('strong', {}, strong), text ? ` ${text}` : '');
}

function fault(input, message) {
  input.setAttribute('aria-invalid', 'true');
  $(`${input.id}-err`).textContent = message;
}

const form = $('signin-form');
form.noValidate = true;
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  notice('', '');
  const email = $('email');
  const password = $('password');
  for (const input of [email, password]) {
    input.removeAttribute('aria-invalid');
    $(`${input.id}-err`).textContent = '';
  }
  if (!/^[^\s@]+@[^\s@]+$/.test(email.value.trim())) fault(email, 'Enter the e-mail address of your account.');
  if (!password.value) fault(password, 'Enter your password.');
  const first = form.querySelector('[aria-invalid]');
  if (first) {
    first.focus();
    return;
  }
  const button = $('signin');
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  try {
    const answer = await call('/beak/signin', {
      method: 'POST',
      body: { email: email.value.trim(), password: password.value },
    });
    session = { access: answer.access_token, email: email.value.trim() };
    password.value = '';
    $('signed-as').textContent = `Signed in as ${session.email}`;
    await readList(true);
  } catch (error) {
    if (!(error instanceof BeakError)) throw error;
    const spot = { email, password }[error.field];
    if (spot) {
      fault(spot, error.message);
      spot.focus();
    } else {
      notice('bad', error.status === 401 ? 'Not signed in.' : 'That did not work.', error.message);
      $('op-notice').focus();
    }
  } finally {
    button.disabled = false;
    button.setAttribute('aria-busy', 'false');
  }
});

function openConsole(open) {
  $('console').hidden = !open;
  form.hidden = open;
}

function forget() {
  session = null;
  cursor = null;
  shown = 0;
  $('rows').replaceChildren();
  $('row-count').textContent = '';
  $('more').hidden = true;
  openConsole(false);
}

async function readList(fromStart) {
  const token = session?.access;
  if (!token) return;
  $('more').disabled = true;
  $('reload').disabled = true;
  try {
    const query = !fromStart && cursor ? `?cursor=${encodeURIComponent(cursor)}` : '';
    const page = await call(`/beak/spaceducks${query}`, { token });
    if (session?.access !== token) return; // signed out meanwhile
    if (fromStart) {
      $('rows').replaceChildren();
      shown = 0;
    }
    const ducks = Array.isArray(page.spaceducks) ? page.spaceducks : [];
    $('rows').append(...ducks.map(row));
    shown += ducks.length;
    cursor = page.next_cursor || null;
    $('more').hidden = !cursor;
    $('row-count').textContent = shown === 0
      ? 'No duckling has hatched in this galaxy yet.'
      : `${number.format(shown)} ${shown === 1 ? 'duckling' : 'ducklings'} shown${cursor ? ', there are more.' : ', that is all of them.'}`;
    openConsole(true);
  } catch (error) {
    if (!(error instanceof BeakError)) throw error;
    if (error.status === 401) {
      forget();
      notice('wait', 'Your sign-in has run out.', 'Sign in again to go on.');
    } else if (error.status === 403) {
      signOutQuietly(token);
      forget();
      notice('bad', 'This account is not an operator.', 'You have been signed out. The galaxy’s owner decides who is an operator.');
    } else {
      notice('bad', 'The list could not be read.', error.message);
      if (shown === 0) forget();
    }
    $('op-notice').focus();
  } finally {
    $('more').disabled = false;
    $('reload').disabled = false;
  }
}

function row(duck) {
  const status = String(duck.cert_status ?? '');
  const time = (value, none) => (value ? make('time', { datetime: value }, moment(value)) : none);
  return make('tr', {},
    make('th', { scope: 'row' }, duck.display_name ?? '', make('br'), make('span', { class: 'mono soft' }, duck.duckling_id ?? '')),
    make('td', {}, duck.trust_tier ?? ''),
    make('td', {}, make('span', { class: `state ${status === 'valid' || status === 'active' ? 'valid' : ''}`.trim() }, status || 'none')),
    make('td', { class: 'num' }, count(Number(duck.bonds ?? 0))),
    make('td', {}, time(duck.last_pulse, 'never')),
    make('td', {}, time(duck.created_at, '')),
    make('td', { class: 'mono' }, duck.key_hint ?? ''),
  );
}

$('more').addEventListener('click', () => readList(false));
$('reload').addEventListener('click', () => readList(true));

async function signOutQuietly(token) {
  try {
    await call('/beak/signout', { method: 'POST', token });
    return true;
  } catch {
    return false;
  }
}

$('signout').addEventListener('click', async () => {
  const token = session?.access;
  forget();
  notice('', '');
  const told = token ? await signOutQuietly(token) : true;
  notice(told ? 'good' : 'wait', 'Signed out.', told
    ? 'This tab has forgotten your sign-in.'
    : 'This tab has forgotten your sign-in, but the API could not be told; it will end by itself.');
  $('email').focus();
});

/* ---------- start ---------- */

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer);
  else readMetrics();
});
$('refresh').addEventListener('click', readMetrics);
setInterval(() => { if (!document.hidden) showAge(); }, 1000);

$('signin-fields').disabled = false;
if (!document.hidden) readMetrics();
