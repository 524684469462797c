// A Beak Key that is shown once: copy it, save it, hide it. Nothing keeps it but this page's memory.

import { make } from '/shared/beak.js';
import { copyFrom, download } from '/shared/form.js';

function holdPage(event) {
  event.preventDefault();
}

/** What shows a new key; `hidden` is called when the person has stored it. */
export function keyBox(key, duckling, hidden = () => {}) {
  const shown = make('code', { class: 'key', id: 'key', tabindex: '0', role: 'group', 'aria-labelledby': 'key-label' }, key);
  const said = make('p', { class: 'hint', role: 'status', 'aria-live': 'polite' });
  const copy = make('button', { type: 'button' }, 'Copy the key');
  const save = make('button', { type: 'button', class: 'quiet' }, 'Save it as a file');
  const hide = make('button', { type: 'button', class: 'quiet' }, 'I have stored it, hide it');
  window.addEventListener('beforeunload', holdPage);

  copy.addEventListener('click', () => copyFrom(shown, said, 'Copied. Store it before you copy anything else.'));
  save.addEventListener('click', () => {
    download([`${shown.textContent}\n`], 'text/plain', `${duckling}.key.txt`);
    said.textContent = 'Saved as a file. Anyone who can read it can act as your duckling.';
  });
  hide.addEventListener('click', () => {
    shown.textContent = 'sd_bk_… (hidden; it cannot be shown again)';
    for (const button of [copy, save, hide]) button.disabled = true;
    said.textContent = 'The key is gone from this page.';
    window.removeEventListener('beforeunload', holdPage);
    hidden();
  });

  return make('div', { class: 'stack' },
    make('p', { class: 'note wait' }, make('strong', {}, 'This is the only time you see this Beak Key.'), ' Not even the operator can show it to you again. Put it in a password manager or your agent’s secret store before you leave this page.'),
    make('span', { id: 'key-label' }, make('strong', {}, 'Beak Key')),
    shown,
    make('div', { class: 'row' }, copy, save, hide),
    said);
}
