// Search over all five sites. The index lies beside this file: a list of pages, drawers of words, and
// the openings of pages. A question loads only the drawers of its words. Nothing is sent anywhere.

import { loadConfig, make } from '/shared/beak.js';

const SHOWN = 10;
// As in the builder.
const DRAWERS = 64;
const SHELF = 8;
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
  return [...new Set(text.toLowerCase().replace(/e-mail/g, 'email').split(/[^a-z0-9_]+/).filter((word) => word.length > 1))];
}

function drawerOf(word) {
  return load(String((word.charCodeAt(0) * 31 + word.charCodeAt(1)) % DRAWERS));
}

/** Page → the weight of the best place where a stem is. */
async function postings(stem) {
  const groups = (await drawerOf(stem)).s[stem] ?? [];
  const found = new Map();
  groups.forEach((distances, group) => {
    let page = 0;
    for (const distance of distances) {
      page += distance;
      found.set(page, Math.max(found.get(page) ?? 0, WEIGHTS[group]));
    }
  });
  return found;
}

/** The stems that a word may mean, each with how surely it does. */
async function meanings(word, alike) {
  const { w, s } = await drawerOf(word);
  const others = (alike[word] ?? []).map(async (other) => [(await drawerOf(other)).w[other] ?? other, 0.8]);
  const known = w[word] ?? (s[word] ? word : null);
  const found = new Map(await Promise.all(others));
  if (known) return found.set(known, 1);
  // A word that no page has: the beginning of one, or a form of one.
  for (const stem of Object.keys(s)) if (stem.startsWith(word) || (stem.length > 3 && word.startsWith(stem))) found.set(stem, 0.5);
  for (const [other, stem] of Object.entries(w)) if (other.startsWith(word)) found.set(stem, 0.5);
  return found;
}

/** What a word of the question says about pages: its rarity, and page → weight. */
async function hits(word, { alike, pages }) {
  const means = await meanings(word, alike);
  const found = new Map();
  await Promise.all([...means].map(async ([stem, share]) => {
    for (const [page, weight] of await postings(stem)) found.set(page, Math.max(found.get(page) ?? 0, weight * share));
  }));
  return { stems: [...means.keys()], rarity: Math.log(1 + pages.length / (1 + found.size)), found };
}

/** The pages that answer a question, the best first, and the stems that were sought. */
export async function search(text) {
  const list = await load('pages');
  const all = wordsOf(text);
  const words = all.filter((word) => !list.common.includes(word));
  const sought = await Promise.all(words.map((word) => hits(word, list)));
  const whole = sought.reduce((sum, { rarity }) => sum + rarity, 0);
  const scores = new Map();
  for (const { rarity, found } of sought) {
    for (const [page, weight] of found) {
      const score = scores.get(page) ?? { sum: 0, covered: 0, inTitle: 0 };
      if (weight > WEIGHTS[1]) score.inTitle += 1;
      score.sum += rarity * weight;
      score.covered += rarity;
      scores.set(page, score);
    }
  }
  // A title that says nothing but what was asked is the answer.
  const titled = (page, words) => words / Math.max(1, wordsOf(list.pages[page][2]).filter((word) => !list.common.includes(word)).length);
  const rank = ([page, { sum, covered, inTitle }]) => [page, sum * (covered / whole) ** 2 * (1 + titled(page, inTitle)) * list.pages[page][3], covered / whole];
  const best = [...scores].map(rank).filter(([, , share]) => share > 0.45).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const results = best.map(([page]) => {
    const [site, path, title] = list.pages[page];
    return { page, site: list.sites[site], path, title };
  });
  return { results, stems: sought.flatMap(({ stems }) => stems), empty: all.length === 0 };
}

/** A text with the words that were sought marked. */
function marked(text, stems) {
  // A stem's last letter may differ from the word's: "verifi" is the stem of "verify".
  const roots = stems.map((stem) => (stem.length > 3 ? stem.replace(/[iy]$/, '') : stem));
  const is = (word) => roots.some((root) => word.toLowerCase().startsWith(root));
  return text.split(/([A-Za-z0-9_]+)/).filter(Boolean).map((part) => (is(part) ? make('mark', {}, part) : part));
}

/** As much of a page as says the most about what was sought. */
function snippet(about, opening, stems) {
  const sentences = opening.split(/(?<=[.!?]) /);
  const marks = (text) => marked(text, stems).filter((part) => typeof part !== 'string').length;
  const best = sentences.reduce((one, other) => (marks(other) > marks(one) ? other : one), '');
  return marked(best && marks(best) > marks(about) ? `${about} … ${best}` : about, stems);
}

async function item({ page, site, path, title }, stems, { own, labels, addresses }) {
  const shelf = await load(`t${Math.floor(page / SHELF)}`).catch(() => []);
  const [about, opening] = shelf[page % SHELF] ?? ['', ''];
  const base = labels.has(site) ? (addresses[site] ?? '').replace(/\/+$/, '') : '';
  return make('li', {},
    make('a', { href: base + path }, ...marked(title, stems)),
    make('span', { class: 'where' }, labels.get(site) ?? own),
    make('p', {}, ...snippet(about, opening, stems)));
}

async function show({ results, stems, empty }, question, addresses) {
  const own = document.querySelector('.five a[aria-current]')?.textContent ?? '';
  const labels = new Map([...document.querySelectorAll('.five a[data-site]')].map((a) => [a.dataset.site, a.textContent]));
  const list = document.getElementById('hits');
  const more = make('button', { type: 'button', class: 'quiet' }, 'Show more');
  const add = async () => {
    const from = list.children.length;
    const next = results.slice(from, from + SHOWN);
    list.append(...await Promise.all(next.map((one) => item(one, stems, { own, labels, addresses }))));
    more.hidden = list.children.length >= results.length;
    if (from) list.children[from].querySelector('a').focus();
  };
  more.addEventListener('click', add);
  await add();
  list.after(more);
  const many = results.length === 1 ? '1 page' : `${results.length} pages`;
  const none = empty ? 'Type a word of at least two letters.' : `No page answers “${question}”. Try other words, or the beginning of one.`;
  document.getElementById('found').textContent = results.length ? `${many} for “${question}”.` : none;
}

async function start() {
  const field = document.getElementById('find');
  const question = (new URLSearchParams(location.search).get('q') ?? '').trim().slice(0, 80);
  if (!question) {
    document.getElementById('found').textContent = 'Ask a question or type a word in the search field, or browse the list below.';
    return;
  }
  field.value = question;
  try {
    const [found, config] = await Promise.all([search(question), loadConfig().catch(() => ({}))]);
    await show(found, question, config.sites ?? {});
  } catch {
    document.getElementById('found').textContent = 'The search index could not be loaded. Reload the page, or browse the list below.';
  }
}

if (typeof document !== 'undefined') start();
