// What the pages share: where the galaxy is, how to call its API, how to say what went wrong.

let config;

/** The site's configuration; asked for once. */
export function loadConfig() {
  config ??= fetch('/config.json').then((answer) => {
    if (!answer.ok) throw new Error('no configuration');
    return answer.json();
  });
  return config;
}

/** An answer of the API that is not a success, or none at all (status 0). */
export class BeakError extends Error {
  constructor(message, { status = 0, code = '', field = '', retryAfter = 0 } = {}) {
    super(message);
    Object.assign(this, { status, code, field, retryAfter });
  }
}

/** Calls the Beak: `call('/beak/hatch', {method: 'POST', body, token})` gives the JSON answer. */
export async function call(path, { method = 'GET', body, token } = {}) {
  const { api_base: base } = await loadConfig();
  const headers = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (token) headers.authorization = `Bearer ${token}`;
  let answer;
  try {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    answer = await fetch(base + path, { method, headers, body: sent, cache: 'no-store' });
  } catch {
    throw new BeakError(`The galaxy at ${base} does not answer. Is it running, and are you online?`);
  }
  let json = {};
  try {
    json = await answer.json();
  } catch {
    // An answer without a body that can be read: its status has to do.
  }
  if (answer.ok) return json;
  const retryAfter = Number(answer.headers.get('retry-after')) || 0;
  let message = sentence(json.message || `the galaxy answered with status ${answer.status}`);
  if (retryAfter) message += ` Try again in ${retryAfter} s.`;
  throw new BeakError(message, {
    status: answer.status, code: json.error, field: json.field, retryAfter,
  });
}

function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

/** Points the links between the sites to where this galaxy has them, and names the galaxy. */
export async function fillLinks() {
  const known = await loadConfig();
  for (const link of document.querySelectorAll('a[data-site]')) {
    const target = known.sites[link.dataset.site];
    if (target) link.href = `${target}/`;
  }
  for (const place of document.querySelectorAll('[data-galaxy]')) {
    place.textContent = `${known.galaxy} · galaxy ${known.version}`;
  }
  for (const place of document.querySelectorAll('[data-api]')) {
    place.textContent = known.api_base;
  }
}

/** An element with text, attributes and children; text is never read as HTML. */
export function make(name, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A moment as the visitor writes it. */
export function when(text) {
  return text ? new Date(text).toLocaleString() : 'never';
}

fillLinks().catch(() => {
  // Without its configuration a page is still a page; what needs the API says so by itself.
});
