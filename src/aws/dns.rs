//! The zones of the real world, asked directly.

use async_trait::async_trait;
use galaxy_mail::dns;
use galaxy_mail::facts::Looked;
use galaxy_mail::judge::{State, judge};
use galaxy_mail::records::Wanted;

use crate::failure::Failure;
use crate::ports::Dns;

/// Asks anew at every look, so that nothing is remembered for longer.
pub(super) struct Zones;

#[async_trait]
impl Dns for Zones {
    async fn look(&self, wanted: &[Wanted]) -> Result<Vec<Looked>, Failure> {
        let mut all = Vec::new();
        let dns = dns::Dns::system();
        for wanted in wanted {
            let (state, zone) = match &dns {
                Ok(dns) => {
                    let looked = dns.look(wanted).await;
                    let zone = looked.zone.as_ref().map(|zone| zone.name.clone());
                    (judge(wanted, &looked, None), zone)
                }
                Err(trouble) => (State::Unseen(trouble.clone()), None),
            };
            let zone = zone.unwrap_or_else(|| wanted.name.organisational());
            all.push(Looked { wanted: wanted.clone(), zone, state });
        }
        Ok(all)
    }
}
