// Looks for new mail in the outbox of a local galaxy every five seconds, while somebody looks.

const EVERY_MS = 5000;
const mails = document.getElementById('mails');
const said = document.getElementById('said');
let timer = null;

async function look() {
  clearTimeout(timer);
  try {
    const response = await fetch('/outbox', { cache: 'no-store', credentials: 'omit' });
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const fresh = page.getElementById('mails');
    if (response.ok && fresh.textContent !== mails.textContent) {
      mails.replaceChildren(...fresh.childNodes);
      said.textContent = `New mail: ${mails.querySelector('h2')?.textContent ?? ''}`;
    }
  } catch {
    said.textContent = 'The galaxy does not answer. Is it still running?';
  }
  if (!document.hidden) timer = setTimeout(look, EVERY_MS);
}

document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : look()));
timer = setTimeout(look, EVERY_MS);
