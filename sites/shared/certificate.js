// Birth certificates in the browser: reads the compact JWS of RFC 7515 and checks its Ed25519
// signature (RFC 8037) with WebCrypto. What a certificate claims is believed only after that.

/** Why a text is no certificate of this galaxy: one sentence for people. */
export class CertificateError extends Error {}

const PARTS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Bytes of base64url without padding; null for anything else, spare bits included. */
function bytesOf(text) {
  let raw;
  try {
    raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return null;
  }
  const again = btoa(raw).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return again === text ? Uint8Array.from(raw, (letter) => letter.charCodeAt(0)) : null;
}

function jsonOf(part) {
  const bytes = bytesOf(part);
  if (!bytes) return null;
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return value && typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Takes a certificate apart. Nothing of it is proven by that. */
export function read(compact) {
  const text = compact.replace(/\s+/g, '');
  if (!PARTS.test(text)) {
    throw new CertificateError('This is not a certificate: it should be one long word with two dots in it, beginning with eyJ.');
  }
  const [head, body, tail] = text.split('.');
  const header = jsonOf(head);
  const claims = jsonOf(body);
  const signature = bytesOf(tail);
  if (!header || !claims || !signature) {
    throw new CertificateError('This was a certificate once, but a part of it is damaged. Was it copied as a whole?');
  }
  return { text, header, claims, signature, signed: new TextEncoder().encode(`${head}.${body}`) };
}

/** Whether this browser can check an Ed25519 signature. */
export async function canCheck() {
  if (!globalThis.crypto?.subtle) return false;
  try {
    // The public key of RFC 8032, section 7.1, test 1.
    await keyOf('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');
    return true;
  } catch {
    return false;
  }
}

function keyOf(x) {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x };
  return crypto.subtle.importKey('jwk', jwk, { name: 'Ed25519' }, false, ['verify']);
}

/**
 * The claims of a certificate that one of these keys has signed for one of these issuers; throws a
 * CertificateError for any other. Needs no network.
 */
export async function check(compact, keys, issuers) {
  const { header, claims, signature, signed } = read(compact);
  // Which algorithm counts is ours to say, not the certificate's: RFC 8725, section 3.1.
  if (header.alg !== 'EdDSA') {
    throw new CertificateError('This is not a birth certificate: it is not signed with Ed25519.');
  }
  const known = keys.find((key) => key.kid === header.kid && key.kty === 'OKP' && key.crv === 'Ed25519');
  if (!known) {
    throw new CertificateError('This galaxy did not sign this certificate: the key it names is not one of this galaxy’s.');
  }
  if (signature.length !== 64) throw new CertificateError('The signature is not whole. Was the certificate copied to its end?');
  const key = await keyOf(known.x);
  if (!await crypto.subtle.verify({ name: 'Ed25519' }, key, signature, signed)) {
    throw new CertificateError('The signature is invalid: the certificate was changed after it was signed.');
  }
  if (!issuers.includes(claims.iss)) {
    throw new CertificateError(`It is signed, but for the galaxy at ${claims.iss}, not for this one.`);
  }
  return claims;
}

/** What a picture needs to know, from claims that were checked. */
export function recordOf(claims) {
  return {
    name: String(claims.name),
    duckling: String(claims.sub),
    id: String(claims.jti),
    tier: String(claims.tier),
    issued: new Date(Number(claims.iat) * 1000),
  };
}

/** The same, from the API's public view of a certificate. */
export function recordSeen(seen) {
  return {
    name: seen.display_name,
    duckling: seen.duckling_id,
    id: seen.cert_id,
    tier: seen.trust_tier,
    issued: new Date(seen.issued_at),
  };
}
