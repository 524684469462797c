// Loads new mail into the outbox of a local galaxy every five seconds while the tab is visible, and
// shows when each mail was sent as people say it.

import { addCopyButtons } from '/shared/beak.js';

const EVERY_MS = 5000;
const UNITS = [['day', 86400], ['hour', 3600], ['minute', 60]];
const mails = document.getElementById('mails');
const said = document.getElementById('said');
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
let timer = null;
let known = mails.textContent;

function ago(time) {
  const seconds = Math.round((Date.now() - time.getTime()) / 1000);
  const unit = UNITS.find(([, length]) => seconds >= length);
  return unit ? relative.format(-Math.floor(seconds / unit[1]), unit[0]) : 'just now';
}

function dress() {
  addCopyButtons();
  for (const time of mails.querySelectorAll('time')) {
    const at = new Date(time.dateTime);
    time.textContent = ago(at);
    time.title = at.toLocaleString();
  }
}

async function look() {
  clearTimeout(timer);
  try {
    const response = await fetch('/outbox', { cache: 'no-store', credentials: 'omit' });
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const fresh = page.getElementById('mails');
    if (response.ok && fresh.textContent !== known) {
      known = fresh.textContent;
      mails.replaceChildren(...fresh.childNodes);
      said.textContent = `New mail: ${mails.querySelector('h2')?.textContent ?? ''}`;
    }
    dress();
  } catch {
    said.textContent = 'The galaxy does not answer. Is it still running?';
  }
  if (!document.hidden) timer = setTimeout(look, EVERY_MS);
}

document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : look()));
dress();
timer = setTimeout(look, EVERY_MS);
