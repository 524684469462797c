// Search over all five sites. The index lies beside this file: a list of pages, and drawers of words,
// of which a question needs only a few. Nothing is sent anywhere.

import { loadConfig, make } from '/shared/beak.js';

const MOST = 40;
// Both as in the builder.
const DRAWERS = 64;
const WEIGHTS = [12, 5, 1]; // in a title, in a description or heading, in the text
// In quotation marks by itself: the builder gives the folder a name that tells its content.
const INDEX = '/shared/search/';
const files = new Map();

function load(name) {
  if (!files.has(name)) {
    files.set(name, fetch(`${INDEX}${name}.json`, { credentials: 'omit' }).then((response) => {
      if (!response.ok) throw new Error(`${INDEX}${name}.json: ${response.status}`);
      return response.json();
    }));
  }
  return files.get(name);
}

/** The words of a question, as the index spells them. */
export function wordsOf(text) {
  return [...new Set(text.toLowerCase().split(/[^a-z0-9_]+/).filter((word) => word.length > 1))];
}

function drawer(word) {
  return String((word.charCodeAt(0) * 31 + word.charCodeAt(1)) % DRAWERS);
}

/** Page → how well it fits one word; words that only begin like it count for less. */
async function hits(word) {
  const shelf = await load(drawer(word));
  const found = new Map();
  for (const [known, groups] of Object.entries(shelf)) {
    if (!known.startsWith(word)) continue;
    const share = known === word ? 1 : 0.5;
    groups.forEach((distances, group) => {
      let page = 0;
      for (const distance of distances) {
        page += distance;
        found.set(page, Math.max(found.get(page) ?? 0, WEIGHTS[group] * share));
      }
    });
  }
  return found;
}

/** The pages that have all words, the best first. */
export async function search(text) {
  const words = wordsOf(text);
  if (words.length === 0) return [];
  const [{ sites, pages }, ...all] = await Promise.all([load('pages'), ...words.map(hits)]);
  const scores = [...all[0]].map(([page, weight]) => {
    const rest = all.slice(1).map((found) => found.get(page));
    return rest.includes(undefined) ? null : [page, rest.reduce((sum, one) => sum + one, weight)];
  });
  const best = scores.filter(Boolean).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return best.map(([page]) => {
    const [site, path, title, about] = pages[page];
    return { site: sites[site], path, title, about };
  });
}

function show(results, question, addresses) {
  const own = document.querySelector('.five a[aria-current]')?.textContent ?? '';
  const labels = new Map([...document.querySelectorAll('.five a[data-site]')].map((a) => [a.dataset.site, a.textContent]));
  const list = document.getElementById('hits');
  list.replaceChildren(...results.slice(0, MOST).map(({ site, path, title, about }) => {
    const elsewhere = labels.has(site);
    const base = elsewhere ? (addresses[site] ?? '').replace(/\/+$/, '') : '';
    const where = elsewhere ? labels.get(site) : own;
    return make('li', {},
      make('a', { href: base + path }, title),
      make('span', { class: 'where' }, where),
      make('p', {}, about));
  }));
  const many = results.length === 1 ? '1 page' : `${results.length} pages`;
  const more = results.length > MOST ? `; these are the ${MOST} that fit best` : '';
  const short = wordsOf(question).length === 0;
  const text = short ? 'A word to look for has at least two letters.' : results.length ? `${many} for “${question}”${more}.` : `No page has all of “${question}”. Try fewer words, or only the beginning of one.`;
  document.getElementById('found').textContent = text;
}

async function start() {
  const field = document.getElementById('find');
  const question = (new URLSearchParams(location.search).get('q') ?? '').trim().slice(0, 80);
  if (!question) {
    document.getElementById('found').textContent = 'Type what you look for into the field above, or read through the list below.';
    return;
  }
  field.value = question;
  try {
    const [results, config] = await Promise.all([search(question), loadConfig().catch(() => ({}))]);
    show(results, question, config.sites ?? {});
  } catch {
    document.getElementById('found').textContent = 'The search index could not be loaded. Reload the page, or read through the list below.';
  }
}

if (typeof document !== 'undefined') start();
