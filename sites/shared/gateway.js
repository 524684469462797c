// Answers without an error word of the Beak, such as API Gateway's own {"message": …}. Loaded when one comes.

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
export async function own(fault, status, method, again, base) {
  if (!fault.message || !WORDS[status]) {
    if (status !== 429 && typeof fault.message !== 'string') fault.message = unknown(status, base);
    return false;
  }
  [fault.error, fault.message] = WORDS[status];
  // A call that was refused was not made; one that only reads may be made twice.
  if (!again || !(status === 429 || (status >= 500 && method === 'GET'))) return false;
  await new Promise((done) => setTimeout(done, 500 + Math.random() * 1000));
  return true;
}

function unknown(status, base) {
  if (status >= 500) return `The API at ${base} failed (${status}). Try again in a moment.`;
  if (status >= 200 && status < 300) return `The API at ${base} answered with something that is not JSON. Is the address right?`;
  return `The API at ${base} refused the request (${status}).`;
}
