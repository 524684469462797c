//! Records of this galaxy in Route 53 that were removed or changed outside `spaceduck`.

use super::{Finding, Subject, finding, kinds};
use crate::config::OursState;
use crate::execute::Job;
use crate::failure::Failure;
use crate::zones;

/// Reads the records again: a repair looks twice. Even with `dns: manual` ours can change.
pub(super) async fn find(job: &Job) -> Result<Vec<Finding>, Failure> {
    let hosting = zones::seen(&job.world, &job.facts.config, &job.home).await?;
    let mut found = Vec::new();
    if hosting.manual {
        return Ok(found);
    }
    for one in hosting.ours.iter().filter(|one| one.wanted) {
        let subject = Subject::ZoneRecord { part: one.part, key: one.key().replace(' ', "/") };
        let zone = hosting.zones.iter().find(|kept| kept.zone.id == one.zone);
        let zone = zone.map_or(one.zone.as_str(), |kept| kept.zone.name.as_str());
        match &one.state {
            OursState::There => {}
            OursState::Gone => {
                let detail = format!("it is gone from the zone {zone}");
                found.push(finding(kinds::ZONE_RECORD_GONE, subject, detail));
            }
            OursState::Changed(is) => {
                let detail = format!("it was changed in the zone {zone}: it is {is}");
                found.push(finding(kinds::ZONE_RECORD_CHANGED, subject, detail));
            }
        }
    }
    Ok(found)
}
