//! Identifiers under other names: one identifier has one pseudonym throughout a trace, and only
//! the process that wrote the trace knew which.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::render::hex;

/// How many bytes of the digest a pseudonym has: enough that two never meet.
const BYTES: usize = 8;

/// The key, which is never stored.
pub(super) struct Pseudonyms(Hmac<Sha256>);

impl Pseudonyms {
    pub(super) fn new() -> Result<Self, String> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| error.to_string())?;
        let mac = Hmac::new_from_slice(&key).map_err(|error| error.to_string())?;
        Ok(Self(mac))
    }

    /// The pseudonym of an identifier. An ARN stays one that can be read as an ARN, with its
    /// partition, service and Region; account and name become the pseudonym.
    pub(super) fn of(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        let digest = hex(&mac.finalize().into_bytes()[..BYTES]);
        match text.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", partition, service, region, _, _] => {
                format!("arn:{partition}:{service}:{region}:id:{digest}")
            }
            _ => format!("id:{digest}"),
        }
    }
}
