// Mission Control: the galaxy's counters, read every 30 seconds while somebody looks.

import { BeakError, call, duration, loadConfig, make, moment } from '/shared/beak.js';
import { bars, count, spark } from '/shared/chart.js';
import { readForOperators, startOperators } from '/operators.js';

const $ = (id) => document.getElementById(id);
const EVERY_MS = 30000;
// Two hours of readings, for the lines below the counters.
const KEPT = 240;
const COUNTERS = {
  total_ducklings: 'ducklings hatched',
  certs_issued: 'certificates issued',
  connections: 'bonds in force',
  eggs: 'eggs waiting',
};
const STATES = ['pending', 'approved', 'denied', 'expired', 'revoked'];
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

const readings = [];
let timer = null;
let reading = false;
let asOf = null;
let down = false;

/* ---------- reading ---------- */

async function readAll() {
  if (reading) return;
  reading = true;
  clearTimeout(timer);
  $('refresh').disabled = true;
  try {
    const [metrics, status] = await Promise.all([call('/beak/metrics'), call('/beak/system/status')]);
    showMetrics(metrics);
    showStatus(status);
    showUp();
    await readForOperators();
  } catch (error) {
    if (!(error instanceof BeakError)) throw error;
    await showDown(error);
  } finally {
    reading = false;
    $('refresh').disabled = false;
    plan();
  }
}

function plan() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(readAll, EVERY_MS);
}

function lamp(kind, text) {
  $('lamp').className = `state ${kind}`;
  $('lamp').textContent = text;
}

/* ---------- counters ---------- */

function showMetrics(metrics) {
  const at = new Date(metrics.as_of);
  asOf = Number.isNaN(at.getTime()) ? new Date() : at;
  const last = readings[readings.length - 1];
  // A reading may come out of a cache; then it is the one that is there already.
  if (!last || last.at < asOf.getTime()) readings.push({ at: asOf.getTime(), metrics });
  if (readings.length > KEPT) readings.shift();
  if (last) tell(last.metrics, metrics);
  for (const [name, label] of Object.entries(COUNTERS)) showCounter(name, label, metrics[name]);
  showPecks(metrics.pecks);
  showReadings();
  $('as-of').textContent = clock.format(asOf);
}

function showCounter(name, label, value) {
  const points = readings.map((one) => ({ at: one.at, value: one.metrics[name] }));
  const before = points[0].value;
  const since = clock.format(new Date(points[0].at));
  const change = value - before;
  const words = change === 0 ? `unchanged since ${since}` : `${change > 0 ? 'up' : 'down'} ${count(Math.abs(change))} since ${since}`;
  $(`m-${name}`).textContent = count(value);
  $(`c-${name}`).textContent = words;
  const all = points.map((point) => point.value);
  const line = `${label}, ${points.length === 1 ? 'one reading' : `${points.length} readings`}: from ${count(before)} to ${count(value)}, `
    + `lowest ${count(Math.min(...all))}, highest ${count(Math.max(...all))}`;
  $(`s-${name}`).replaceChildren(spark(points, line));
}

/** Says to a screen reader what has changed, and nothing where nothing has. */
function tell(before, now) {
  const changed = Object.entries(COUNTERS).filter(([name]) => before[name] !== now[name]);
  if (changed.length) $('told').textContent = changed.map(([name, label]) => `${count(now[name])} ${label}`).join(', ');
}

function showPecks(pecks) {
  const rows = STATES.map((state) => ({ name: state, kind: state, value: pecks[state] }));
  const total = rows.reduce((sum, row) => sum + row.value, 0);
  const list = rows.map((row) => `${count(row.value)} ${row.name}`).join(', ');
  const words = total === 0
    ? 'No pecks in this galaxy yet.'
    : `${count(total)} ${total === 1 ? 'peck' : 'pecks'} in all: ${list}.`;
  $('chart').replaceChildren(bars(rows, `Pecks by state. ${words}`));
  $('chart-text').textContent = words;
}

function showReadings() {
  const names = Object.keys(COUNTERS);
  const rows = readings.slice(-20).reverse().map(({ at, metrics }) => make('tr', {},
    make('th', { scope: 'row' }, make('time', { datetime: new Date(at).toISOString() }, clock.format(new Date(at)))),
    ...names.map((name) => make('td', { class: 'num' }, count(metrics[name])))));
  $('readings').replaceChildren(...rows);
}

const WELL = {
  operational: ['up', 'All is well'],
  degraded: ['pending', 'Something is wrong'],
  outage: ['down', 'The store does not answer'],
};

function showStatus(status) {
  const [kind, words] = WELL[status.status] ?? ['', status.status];
  lamp(kind, words);
  $('galaxy-version').textContent = status.galaxy_version;
  $('release').textContent = status.release;
  $('degraded').hidden = status.status === 'operational';
}

/* ---------- when the API is down ---------- */

function showUp() {
  showAge();
  document.documentElement.classList.remove('stale');
  $('trouble').replaceChildren();
  if (down) $('trouble').append(make('p', { class: 'note good' }, make('strong', {}, 'The Beak answers again.')));
  down = false;
}

async function showDown(error) {
  lamp('down', error.status === 0 ? 'The Beak can’t be reached' : 'The Beak refuses');
  showAge();
  document.documentElement.classList.add('stale');
  if (down) return; // said once is enough; the page keeps trying
  down = true;
  const base = await loadConfig().then((config) => config.api_base, () => null);
  const advice = make('ul', {}, ...advise(error, base).map((parts) => make('li', {}, ...parts)));
  const state = asOf ? `The figures below are those of ${clock.format(asOf)}. ` : 'There are no figures to show. ';
  $('trouble').replaceChildren(make('div', { class: 'note bad' },
    make('p', {}, make('strong', {}, state), error.message),
    advice.childElementCount ? advice : null,
    make('p', {}, 'This page keeps trying every 30 seconds while you look at it.')));
}

/** What somebody who runs this galaxy can do; each piece of advice in parts. */
function advise(error, base) {
  const code = (text) => make('code', {}, text);
  const steps = (page) => make('a', { href: page }, 'What to do, step by step');
  if (error.status === 429) return [['Another tab or program at your address is asking often. This page asks a few times in 30 seconds. ', steps('/runbooks/api-throttled/')]];
  if (error.status >= 500) {
    const request = error.requestId ? [' The request was ', code(error.requestId), '.'] : [];
    return [['In AWS: ', code('spaceduck logs'), ' shows the function’s log, and ', code('spaceduck status'), ' which part does not answer.', ...request, ' ', steps('/runbooks/api-5xx/')]];
  }
  if (error.status !== 0 || !base) return [];
  return [
    ['On your own machine: is the galaxy still running? Start it with ', code('cargo galaxy'), ' or ', code('spaceduck local'), '.'],
    ['In AWS: open ', code(`${base}/beak/system/status`), ' in a new tab. If it answers, the API does not allow this site’s address; ', code('spaceduck repair'), ' puts that right.'],
    ['If it does not answer: ', code('spaceduck status'), ' says which part is missing, ', code('spaceduck logs'), ' what the function said last. ', steps('/start/on-call-card/')],
  ];
}

function showAge() {
  if (!asOf) return;
  const seconds = (Date.now() - asOf.getTime()) / 1000;
  $('age').textContent = seconds < 2 ? 'Figures as of just now' : `Figures are ${duration(seconds)} old`;
}

/** Every element that shows when something was read says its age. */
function showAges() {
  showAge();
  for (const spot of document.querySelectorAll('[data-read]')) {
    const seconds = (Date.now() - Number(spot.dataset.read)) / 1000;
    spot.textContent = seconds < 2 ? 'read just now' : `read ${duration(seconds)} ago`;
    spot.title = moment(new Date(Number(spot.dataset.read)));
  }
}

/* ---------- start ---------- */

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer);
  else readAll();
});
$('refresh').addEventListener('click', readAll);
setInterval(() => { if (!document.hidden) showAges(); }, 1000);

startOperators();
if (!document.hidden) readAll();
