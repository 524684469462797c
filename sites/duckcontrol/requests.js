// Who waits for tier T2, and the decision.

import { BeakError, duration, make } from '/shared/beak.js';
import { busy, fault } from '/shared/form.js';

const $ = (id) => document.getElementById(id);
// As many as one call gives, the oldest first. Whoever decides about these sees the next ones.
const SHOWN = 100;

/** Ducklings that wait, the longest first, and whether these are all of them. */
export const requests = { waiting: [], whole: true };

/** Reads and shows them. The desk is what the operator's page gives: calls, notices, times. */
export async function readRequests(desk) {
  const page = await desk.ask(`/beak/operator/tier-requests?limit=${SHOWN}`);
  requests.waiting = page.requests;
  requests.whole = !page.next_cursor;
  desk.stamp('requests-age');
  showRequests(desk);
}

function showRequests(desk) {
  // A note that is being written is not taken away by a reading.
  if ($('requests').contains(document.activeElement)) return;
  const written = new Map([...$('requests').querySelectorAll('textarea')].map((area) => [area.id, area.value]));
  const cards = requests.waiting.map((duck) => card(duck, desk));
  for (const one of cards) {
    const area = one.querySelector('textarea');
    area.value = written.get(area.id) ?? '';
  }
  const more = requests.whole ? [] : [make('li', { class: 'soft' }, 'Others follow as you decide.')];
  const none = make('li', { class: 'soft' }, 'No open requests.');
  $('requests').replaceChildren(...(cards.length ? [...cards, ...more] : [none]));
}

function card(duck, desk) {
  const id = duck.duckling_id;
  const note = make('textarea', { id: `note-${id}`, rows: '2', maxlength: '500', 'aria-describedby': `note-${id}-err` });
  const grant = make('button', { type: 'button', class: 'tiny' }, 'Grant T2');
  const refuse = make('button', { type: 'button', class: 'quiet tiny' }, 'Refuse');
  for (const [button, decision] of [[grant, 'grant'], [refuse, 'refuse']]) {
    button.setAttribute('aria-describedby', `who-${id}`);
    button.addEventListener('click', () => decide(duck, decision, { note, buttons: [grant, refuse], desk }));
  }
  const { requested_at: asked, statement } = duck.tier_request;
  const waited = duration((Date.now() - Date.parse(asked)) / 1000);
  const bonds = `${duck.bonds} ${duck.bonds === 1 ? 'bond' : 'bonds'}`;
  return make('li', {},
    make('h5', { id: `who-${id}` }, duck.display_name),
    make('p', { class: 'small soft' }, make('code', {}, id), ` · ${duck.trust_tier}, ${bonds}, hatched `, desk.when(duck.created_at)),
    make('p', { class: 'small soft' }, `Waiting for ${waited}, since `, desk.when(asked)),
    make('blockquote', {}, statement),
    make('div', { class: 'field' },
      make('label', { for: note.id }, `Note to the audit log about ${duck.display_name}`), note, make('p', { class: 'err', id: `note-${id}-err` })),
    make('p', { class: 'row' }, grant, refuse));
}

async function decide(duck, decision, { note, buttons, desk }) {
  for (const button of buttons) busy(button, true);
  desk.say('', '');
  try {
    const body = { duckling_id: duck.duckling_id, decision, note: note.value.trim() };
    const answer = await desk.ask('/beak/operator/decide', { method: 'POST', body });
    note.value = '';
    desk.say('good', decision === 'grant' ? 'Granted.' : 'Refused.', `${duck.display_name} has tier ${answer.trust_tier}${decision === 'grant' ? ' and a new certificate' : ' as before'}.`);
    $('op-notice').focus();
    await desk.readConsole();
  } catch (error) {
    if (error instanceof BeakError && error.field === 'note') {
      fault(note, error.message);
      note.focus();
    } else {
      desk.refused(error);
      if (error.status === 409) await desk.readConsole().catch(desk.refused);
    }
  } finally {
    for (const button of buttons) busy(button, false);
  }
}
