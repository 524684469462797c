// What API Gateway answers by itself: {"message": …} without an error word. Loaded when it does.

const SILENT = ['unavailable', 'The API gave no answer. Try again in a moment.'];

const WORDS = {
  403: ['forbidden', 'The API takes no calls at this address. The operator has to deploy the site again.'],
  429: ['rate_limited', 'This galaxy is getting more calls than it takes.'],
  500: SILENT,
  502: SILENT,
  503: SILENT,
  504: SILENT,
};

/** Puts a fault into our words; true, after a moment, where the call may be made once more. */
export async function own(fault, status, method, again) {
  const [error, message] = WORDS[status] ?? [];
  if (!error) return false;
  Object.assign(fault, { error, message });
  // A call that was refused was not made; one that only reads may be made twice.
  if (!again || !(status === 429 || (status >= 500 && method === 'GET'))) return false;
  await new Promise((done) => setTimeout(done, 500 + Math.random() * 1000));
  return true;
}
