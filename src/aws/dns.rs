//! The zones of the real world, asked directly.

use async_trait::async_trait;
use galaxy_mail::dns::{self, Trouble};
use galaxy_mail::facts::Looked;
use galaxy_mail::judge::{Hosted, State, judge};
use galaxy_mail::name::Domain;
use galaxy_mail::records::Wanted;

use crate::failure::Failure;
use crate::ports::Dns;

/// Resolves every time, so that nothing is cached for longer.
pub(super) struct Zones;

#[async_trait]
impl Dns for Zones {
    async fn look(&self, wanted: &[Wanted], hosted: &[Hosted]) -> Result<Vec<Looked>, Failure> {
        let mut all = Vec::new();
        let dns = dns::Dns::system();
        for wanted in wanted {
            let within = hosted.iter().filter(|zone| wanted.name.is_within(&zone.zone));
            let expected = within.max_by_key(|zone| zone.zone.as_str().len());
            let (state, zone, known) = match &dns {
                Ok(dns) => {
                    let looked = dns.look(wanted).await;
                    let zone = looked.zone.as_ref().map(|zone| zone.name.clone());
                    (judge(wanted, &looked, expected), zone, Some(looked.known()))
                }
                Err(trouble) => (State::Unseen(trouble.clone()), None, None),
            };
            let zone = zone.or_else(|| expected.map(|expected| expected.zone.clone()));
            let zone = zone.unwrap_or_else(|| wanted.name.organisational());
            all.push(Looked { wanted: wanted.clone(), zone, state, known });
        }
        Ok(all)
    }

    async fn led(&self, name: &Domain) -> Result<Option<Hosted>, Failure> {
        let Ok(dns) = dns::Dns::system() else { return Ok(None) };
        Ok(match dns.zone(name).await {
            Ok(zone) => Some(Hosted { zone: zone.name, servers: zone.servers }),
            // They were named, even if they know nothing.
            Err(Trouble::Lame { zone, servers, .. }) => Some(Hosted { zone, servers }),
            Err(_) => None,
        })
    }
}
