//! Zones that the account keeps in Route 53.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_route53::Client;
use aws_sdk_route53::error::{BuildError, SdkError};
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, DelegationSet, HostedZoneConfig,
    ResourceRecord, ResourceRecordSet, RrType,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use galaxy_mail::name::Domain;

use super::error::{code, message, translate};
use crate::failure::Failure;
use crate::model::{HostedZone, RecordSet, Says};
use crate::ports::{Changed, Zones};

/// The SDK's client. Route 53 is the same in all Regions.
pub(super) struct Route53(Client);

impl Route53 {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    /// Id and name of the public zones that contain one of the names.
    async fn public(&self, names: &[Domain]) -> Result<Vec<(String, Domain)>, Failure> {
        let failed = "listing the zones in Route 53";
        let mut found = Vec::new();
        // All of them are one or two questions; asking for each name and those above it is more.
        let mut pages = self.0.list_hosted_zones().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| translate(failed, None, &error))?;
            for zone in page.hosted_zones() {
                let private = zone.config().is_some_and(HostedZoneConfig::private_zone);
                let Ok(name) = Domain::parse(zone.name()) else { continue };
                if !private && names.iter().any(|one| one.is_within(&name)) {
                    let id = zone.id().rsplit('/').next().unwrap_or_default();
                    found.push((id.to_owned(), name));
                }
            }
        }
        Ok(found)
    }
}

const NO_ZONE: &str = "NoSuchHostedZone";

#[async_trait]
impl Zones for Route53 {
    async fn holding(&self, names: &[Domain]) -> Result<Vec<HostedZone>, Failure> {
        let mut zones = Vec::new();
        for (id, name) in self.public(names).await? {
            match self.0.get_hosted_zone().id(&id).send().await {
                Ok(answer) => {
                    let servers = answer.delegation_set().map(DelegationSet::name_servers);
                    let servers = servers.unwrap_or_default().iter();
                    let servers = servers.filter_map(|name| Domain::parse(name).ok()).collect();
                    zones.push(HostedZone { id, name, servers });
                }
                // It vanished between the two questions.
                Err(error) if code(&error) == Some(NO_ZONE) => {}
                Err(error) => {
                    return Err(translate(&format!("looking at the zone {name}"), None, &error));
                }
            }
        }
        Ok(zones)
    }

    async fn sets(&self, zone: &str) -> Result<Option<Vec<RecordSet>>, Failure> {
        let mut sets = Vec::new();
        // The SDK has no paginator for a place that is made of three parts.
        let (mut name, mut kind, mut identifier) = (None, None, None);
        loop {
            let ask = self.0.list_resource_record_sets().hosted_zone_id(zone);
            let ask = ask
                .set_start_record_name(name)
                .set_start_record_type(kind)
                .set_start_record_identifier(identifier);
            let page = match ask.send().await {
                Ok(page) => page,
                Err(error) if code(&error) == Some(NO_ZONE) => return Ok(None),
                Err(error) => {
                    let failed = format!("listing the records of the zone {zone}");
                    return Err(translate(&failed, None, &error));
                }
            };
            sets.extend(page.resource_record_sets().iter().filter_map(read));
            if !page.is_truncated() {
                return Ok(Some(sets));
            }
            name = page.next_record_name().map(str::to_owned);
            kind = page.next_record_type().cloned();
            identifier = page.next_record_identifier().map(str::to_owned);
        }
    }

    async fn change(
        &self,
        zone: &str,
        away: &[RecordSet],
        new: &[RecordSet],
    ) -> Result<Changed, Failure> {
        let batch = batch(away, new).map_err(|error| Failure::bug(error.to_string()))?;
        let ask = self.0.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
        let Err(error) = ask.send().await else { return Ok(Changed::Done) };
        if let Some(reasons) = reasons(&error) {
            return Ok(Changed::Refused(reasons));
        }
        if let Some("AccessDenied" | "AccessDeniedException") = code(&error) {
            return Ok(Changed::Forbidden(message(&error).to_owned()));
        }
        let failed = format!("changing records in the zone {zone}");
        Err(translate(&failed, None, &error))
    }
}

/// What Route 53 has against a change, where it is the zone that is not as we think.
fn reasons<E>(error: &SdkError<E, HttpResponse>) -> Option<String>
where
    E: ProvideErrorMetadata,
{
    const CODE: &str = "InvalidChangeBatch";
    if code(error) == Some(CODE) {
        return Some(message(error).to_owned());
    }
    // The SDK does not read the form that the API Reference has for this one.
    let body = error.raw_response().and_then(|response| response.body().bytes());
    let text = String::from_utf8_lossy(body?).into_owned();
    let said = text.split("<Message>").skip(1).filter_map(|rest| rest.split("</Message>").next());
    let said: Vec<&str> = said.collect();
    text.contains(&format!("<{CODE}")).then(|| said.join("; "))
}

/// Never one that writes over what is there.
fn batch(away: &[RecordSet], new: &[RecordSet]) -> Result<ChangeBatch, BuildError> {
    let away = away.iter().map(|set| (ChangeAction::Delete, set));
    let new = new.iter().map(|set| (ChangeAction::Create, set));
    let change = |(action, set): (ChangeAction, &RecordSet)| {
        Change::builder().action(action).resource_record_set(written(set)?).build()
    };
    let changes = away.chain(new).map(change).collect::<Result<Vec<_>, _>>()?;
    ChangeBatch::builder().comment("by spaceduck").set_changes(Some(changes)).build()
}

fn written(set: &RecordSet) -> Result<ResourceRecordSet, BuildError> {
    let begun = ResourceRecordSet::builder();
    let begun = begun.name(set.name.as_str()).r#type(RrType::from(set.kind.as_str()));
    match &set.says {
        Says::Values { ttl, values } => {
            let record = |value: &String| ResourceRecord::builder().value(value).build();
            let records = values.iter().map(record).collect::<Result<Vec<_>, _>>()?;
            begun.ttl(*ttl).set_resource_records(Some(records)).build()
        }
        Says::Alias { zone, target, watched } => {
            let target = AliasTarget::builder()
                .hosted_zone_id(zone)
                .dns_name(target.as_str())
                .evaluate_target_health(*watched)
                .build()?;
            begun.alias_target(target).build()
        }
        // None of ours.
        Says::Routed => begun.build(),
    }
}

/// In our words; nothing for names that no domain of a galaxy can have, such as a wildcard.
fn read(set: &ResourceRecordSet) -> Option<RecordSet> {
    let name = Domain::parse(set.name()).ok()?;
    let kind = set.r#type().as_str().to_owned();
    let says = match (set.set_identifier(), set.alias_target()) {
        (Some(_), _) => Says::Routed,
        (None, Some(target)) => Says::Alias {
            zone: target.hosted_zone_id().to_owned(),
            target: Domain::parse(target.dns_name()).ok()?,
            watched: target.evaluate_target_health(),
        },
        (None, None) => Says::Values {
            ttl: set.ttl().unwrap_or_default(),
            values: set.resource_records().iter().map(|one| one.value().to_owned()).collect(),
        },
    };
    Some(RecordSet { name, kind, says })
}

#[cfg(test)]
mod tests;
