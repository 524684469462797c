// Suspending, restoring and removing one duckling, in a dialog.

import { BeakError, make } from '/shared/beak.js';
import { busy, clearFaults, fault, goToFault, notice, showError } from '/shared/form.js';

const $ = (id) => document.getElementById(id);
const dialog = $('manage');
const form = $('manage-form');
let duck = null;
let desk = null;

const DONE = {
  suspend: ['Suspended.', (name) => `${name}’s key and certificate are refused from now on.`],
  restore: ['Restored.', (name) => `${name}’s key and certificate are good again.`],
  remove: ['Removed.', (name) => `${name} is deleted, with its certificates, its bonds and its owner’s account.`],
};
const DELETING = ['Being removed.', (name) => `${name}’s key and account are gone. The galaxy ends its remaining bonds within minutes.`];

/** Opens the dialog for one duckling. The desk is what the operator's page gives: calls, notices, times. */
export function manage(chosen, given) {
  [duck, desk] = [chosen, given];
  const suspended = duck.cert_status === 'suspended';
  $('manage-title').textContent = `Manage ${duck.display_name}`;
  $('manage-facts').replaceChildren(
    make('code', {}, duck.duckling_id), ` · ${duck.trust_tier}, certificate ${duck.cert_status}, hatched `, desk.when(duck.created_at));
  $('manage-suspend').hidden = suspended;
  $('manage-restore').hidden = !suspended;
  $('manage-removal').open = false;
  $('manage-name').textContent = duck.display_name;
  form.reset();
  clearFaults(form);
  notice($('manage-notice'), '', '');
  dialog.showModal();
  $('manage-reason').focus();
}

async function act(action, button) {
  clearFaults(form);
  notice($('manage-notice'), '', '');
  const reason = $('manage-reason');
  if (!reason.value.trim()) fault(reason, 'Say why. The owner reads it in the audit log.');
  const typed = $('manage-typed');
  if (action === 'remove' && typed.value.trim() !== duck.display_name) {
    fault(typed, `Type ${duck.display_name} to remove it. This can’t be undone.`);
  }
  if (goToFault(form)) return;
  busy(button, true);
  try {
    const body = { reason: reason.value.trim() };
    const { status } = await desk.ask(`/beak/operator/ducks/${duck.duckling_id}/${action}`, { method: 'POST', body });
    const [headline, text] = status === 'deleting' ? DELETING : DONE[action];
    dialog.close();
    desk.say('good', headline, text(duck.display_name));
    $('op-notice').focus();
    await desk.readConsole().catch(desk.refused);
  } catch (error) {
    if (error instanceof BeakError && ![401, 403].includes(error.status)) {
      showError(error, $('manage-notice'), { reason });
    } else {
      dialog.close();
      desk.refused(error);
    }
  } finally {
    busy(button, false);
  }
}

for (const action of Object.keys(DONE)) {
  const button = $(`manage-${action}`);
  button.addEventListener('click', () => act(action, button));
}
$('manage-close').addEventListener('click', () => dialog.close());
// Enter in a field presses no button: which one would it be?
form.addEventListener('submit', (event) => event.preventDefault());
