// Talks to the Beak, the API of this galaxy. Nothing here is ever stored.

let configPromise = null;

/** The site's /config.json, fetched once. Rejects with a BeakError. */
export function loadConfig() {
  configPromise ??= fetchConfig();
  return configPromise;
}

async function fetchConfig() {
  let response;
  try {
    response = await fetch('/config.json', { cache: 'no-cache', credentials: 'omit' });
  } catch {
    throw new BeakError({
      code: 'config_unreachable',
      message: 'This site’s settings (/config.json) could not be loaded. Check your connection and reload the page.',
    });
  }
  let config = null;
  if (response.ok) {
    config = await response.json().catch(() => null);
  }
  if (!config || typeof config.api_base !== 'string') {
    throw new BeakError({
      status: response.status,
      code: 'config_invalid',
      message: 'This site has no usable /config.json, so it does not know its galaxy’s address. The operator has to deploy the site again.',
    });
  }
  return { ...config, api_base: config.api_base.replace(/\/+$/, '') };
}

export class BeakError extends Error {
  constructor({ status = 0, code = 'unknown', message = '', field = null, retryAfter = null, requestId = null } = {}) {
    super(message);
    this.name = 'BeakError';
    this.status = status;
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
    this.requestId = requestId;
  }
}

const TIMEOUT_MS = 20000;

/** Calls the API and gives back the parsed JSON, or throws a BeakError. */
export async function call(path, { method = 'GET', body, token, again = true } = {}) {
  const { api_base: base } = await loadConfig();
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = `Bearer ${token}`;

  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), TIMEOUT_MS);
  let response;
  let text;
  try {
    response = await fetch(base + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal: control.signal,
    });
    text = await response.text();
  } catch {
    throw new BeakError({
      code: 'unreachable',
      message: control.signal.aborted
        ? `The API at ${base} did not answer within ${TIMEOUT_MS / 1000} seconds. Try again in a moment; if it stays like this, the operator should look at the API’s logs.`
        : `The API at ${base} can’t be reached. Check your connection; if that is fine, the galaxy may not be running, or it does not allow requests from this site’s address.`,
    });
  } finally {
    clearTimeout(timer);
  }

  let data = null;
  try {
    data = text ? JSON.parse(text) : {};
  } catch {
    data = null;
  }
  if (response.ok && data !== null) return data;

  const fault = data && typeof data === 'object' ? data : {};
  if (!fault.error) {
    const { own } = await import('/shared/gateway.js');
    if (await own(fault, response.status, method, again, base)) return call(path, { method, body, token, again: false });
  }
  const retryAfter = readRetryAfter(response.headers.get('Retry-After'));
  throw new BeakError({
    status: response.status,
    code: typeof fault.error === 'string' ? fault.error : `http_${response.status}`,
    message: sentence(response.status, fault.message, retryAfter),
    field: typeof fault.field === 'string' ? fault.field : null,
    requestId: typeof fault.request_id === 'string' ? fault.request_id : null,
    retryAfter,
  });
}

function readRetryAfter(value) {
  if (!value) return null;
  if (/^\d+$/.test(value.trim())) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

function sentence(status, message, retryAfter) {
  const said = typeof message === 'string' ? message.trim() : '';
  if (status === 429) {
    const wait = retryAfter === null ? 'Wait a little' : `Wait ${duration(retryAfter)}`;
    return `${said ? endWithDot(said) : 'That was more than this galaxy allows in a short time.'} ${wait}, then try again.`;
  }
  return endWithDot(said || `The API answered ${status}`);
}

function endWithDot(text) {
  const big = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(big) ? big : `${big}.`;
}

/** "45 seconds", "3 minutes", "2 hours", "5 days" */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  const say = (n, unit) => `${n} ${unit}${n === 1 ? '' : 's'}`;
  if (s < 90) return say(s, 'second');
  if (s < 5400) return say(Math.round(s / 60), 'minute');
  if (s < 129600) return say(Math.round(s / 3600), 'hour');
  return say(Math.round(s / 86400), 'day');
}

/** A moment as local date and time; an empty string for nothing. */
export function moment(value) {
  const at = value ? new Date(value) : null;
  if (!at || Number.isNaN(at.getTime())) return '';
  return at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/** Fills links between the sites, the galaxy's name, version and API address. */
export async function fillLinks(root = document) {
  if (!root.querySelector('a[data-site], [data-config], [data-api]')) return;
  let config;
  try {
    config = await loadConfig();
  } catch {
    return; // the page stays readable with what it says in HTML
  }
  for (const link of root.querySelectorAll('a[data-site]')) {
    const target = config.sites?.[link.dataset.site];
    if (typeof target === 'string' && /^https?:\/\//.test(target)) {
      link.href = target.replace(/\/+$/, '') + (link.dataset.path ?? '/');
    }
  }
  for (const spot of root.querySelectorAll('[data-config]')) {
    const value = config[spot.dataset.config];
    if (typeof value === 'string' && value) spot.textContent = value;
  }
  for (const spot of root.querySelectorAll('[data-api]')) {
    spot.textContent = config.api_base;
  }
}

/** Scrolls the list of a section's pages to this page, where the list has a scrollbar of its own. */
function showPage() {
  const list = document.querySelector('.side');
  const here = list?.querySelector('[aria-current]');
  if (here && list.scrollHeight > list.clientHeight) {
    const from = here.getBoundingClientRect().top - list.getBoundingClientRect().top;
    list.scrollTop += from - list.clientHeight / 2;
  }
}

/** Gives every block of code a button that copies it. */
export function addCopyButtons() {
  for (const block of document.querySelectorAll('.code')) {
    const text = block.querySelector('pre');
    if (!text || block.querySelector('.copy')) continue;
    const button = make('button', { type: 'button', class: 'copy' }, 'Copy');
    const said = make('span', { class: 'unseen', role: 'status' });
    button.addEventListener('click', async () => {
      const done = await copy(text.textContent.trimEnd());
      button.textContent = done ? 'Copied' : 'Press Ctrl-C';
      said.textContent = done ? 'Copied to the clipboard.' : 'The browser did not allow copying. The text is selected: press Ctrl-C.';
      if (!done) getSelection().selectAllChildren(text);
      setTimeout(() => { button.textContent = 'Copy'; said.textContent = ''; }, 3000);
    });
    block.prepend(button, said);
    block.classList.add('has-copy');
  }
}

/** Copies text; true when the browser allowed it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A small element maker: no markup strings anywhere. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

if (typeof document !== 'undefined') {
  showPage();
  addCopyButtons();
  fillLinks();
}
