//! Zones that the account keeps in Route 53.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_wire::{Call, Client, Element, ROUTE53, Refused};
use galaxy_mail::name::Domain;

use super::error::{code, message, translate};
use crate::failure::Failure;
use crate::model::{HostedZone, RecordSet, Says};
use crate::ports::{Changed, Zones};

/// The part of an address that names the version of the API.
const API: &str = "2013-04-01";

/// The client. Route 53 is the same in all Regions.
pub(super) struct Route53(Client);

impl Route53 {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(&ROUTE53, config))
    }

    /// Id and name of the public zones that contain one of the names.
    async fn public(&self, names: &[Domain]) -> Result<Vec<(String, Domain)>, Failure> {
        let failed = "listing the zones in Route 53";
        let mut found = Vec::new();
        // All of them are one or two questions; asking for each name and those above it is more.
        let mut marker: Option<String> = None;
        loop {
            let asked = Call::rest("ListHostedZones", "GET", &[API, "hostedzone"]);
            let page = self.0.read(asked.maybe("marker", marker.as_deref())).await;
            let page = page.map_err(|error| translate(failed, None, &error))?;
            for zone in page.each("HostedZones") {
                let private = zone.at("Config").and_then(|config| config.text("PrivateZone"));
                let name = Domain::parse(zone.text("Name").unwrap_or_default());
                let Ok(name) = name else { continue };
                if private != Some("true") && names.iter().any(|one| one.is_within(&name)) {
                    let id = zone.text("Id").unwrap_or_default();
                    let id = id.rsplit('/').next().unwrap_or_default();
                    found.push((id.to_owned(), name));
                }
            }
            marker = page.text("NextMarker").map(str::to_owned);
            if page.text("IsTruncated") != Some("true") || marker.is_none() {
                return Ok(found);
            }
        }
    }
}

const NO_ZONE: &str = "NoSuchHostedZone";

#[async_trait]
impl Zones for Route53 {
    async fn holding(&self, names: &[Domain]) -> Result<Vec<HostedZone>, Failure> {
        let mut zones = Vec::new();
        for (id, name) in self.public(names).await? {
            let asked = Call::rest("GetHostedZone", "GET", &[API, "hostedzone", &id]);
            match self.0.read(asked).await {
                Ok(answer) => {
                    let servers = answer.at("DelegationSet").into_iter();
                    let servers = servers.flat_map(|set| set.each("NameServers"));
                    let servers = servers.filter_map(|name| Domain::parse(name.own()).ok());
                    let servers = servers.collect();
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
        // A place in the list is made of three parts.
        let mut start: Vec<(&str, String)> = Vec::new();
        loop {
            let asked =
                Call::rest("ListResourceRecordSets", "GET", &[API, "hostedzone", zone, "rrset"]);
            let asked = start.iter().fold(asked, |call, (name, at)| call.with(*name, at));
            let page = match self.0.read(asked).await {
                Ok(page) => page,
                Err(error) if code(&error) == Some(NO_ZONE) => return Ok(None),
                Err(error) => {
                    let failed = format!("listing the records of the zone {zone}");
                    return Err(translate(&failed, None, &error));
                }
            };
            sets.extend(page.each("ResourceRecordSets").filter_map(read));
            if page.text("IsTruncated") != Some("true") {
                return Ok(Some(sets));
            }
            let parts = [
                ("name", "NextRecordName"),
                ("type", "NextRecordType"),
                ("identifier", "NextRecordIdentifier"),
            ];
            let next =
                |(name, from): (&'static str, &str)| Some((name, page.text(from)?.to_owned()));
            start = parts.into_iter().filter_map(next).collect();
        }
    }

    async fn change(
        &self,
        zone: &str,
        away: &[RecordSet],
        new: &[RecordSet],
    ) -> Result<Changed, Failure> {
        let asked =
            Call::rest("ChangeResourceRecordSets", "POST", &[API, "hostedzone", zone, "rrset", ""]);
        let answer = self.0.tell(asked.xml(batch(away, new))).await;
        let Err(error) = answer else { return Ok(Changed::Done) };
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
fn reasons(error: &Refused) -> Option<String> {
    const CODE: &str = "InvalidChangeBatch";
    if code(error) == Some(CODE) {
        return Some(message(error).to_owned());
    }
    // The API Reference has a form of its own for this one.
    let body = error.raw_response().and_then(|response| response.body().bytes());
    let text = String::from_utf8_lossy(body?).into_owned();
    let said = text.split("<Message>").skip(1).filter_map(|rest| rest.split("</Message>").next());
    let said: Vec<&str> = said.collect();
    text.contains(&format!("<{CODE}")).then(|| said.join("; "))
}

/// Never one that writes over what is there.
fn batch(away: &[RecordSet], new: &[RecordSet]) -> String {
    let away = away.iter().map(|set| ("DELETE", set));
    let new = new.iter().map(|set| ("CREATE", set));
    let change = |(action, set): (&str, &RecordSet)| {
        format!("<Change><Action>{action}</Action>{}</Change>", written(set))
    };
    let changes: String = away.chain(new).map(change).collect();
    format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/{API}/\">\
         <ChangeBatch><Comment>by spaceduck</Comment><Changes>{changes}</Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>"
    )
}

fn written(set: &RecordSet) -> String {
    let says = match &set.says {
        Says::Values { ttl, values } => {
            let record = |value: &String| {
                format!("<ResourceRecord><Value>{}</Value></ResourceRecord>", escaped(value))
            };
            let records: String = values.iter().map(record).collect();
            format!("<TTL>{ttl}</TTL><ResourceRecords>{records}</ResourceRecords>")
        }
        Says::Alias { zone, target, watched } => format!(
            "<AliasTarget><HostedZoneId>{}</HostedZoneId><DNSName>{}</DNSName>\
             <EvaluateTargetHealth>{watched}</EvaluateTargetHealth></AliasTarget>",
            escaped(zone),
            escaped(target.as_str())
        ),
        // None of ours.
        Says::Routed => String::new(),
    };
    format!(
        "<ResourceRecordSet><Name>{}</Name><Type>{}</Type>{says}</ResourceRecordSet>",
        escaped(set.name.as_str()),
        escaped(&set.kind)
    )
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// In our words; nothing for names that no domain of a galaxy can have, such as a wildcard.
fn read(set: &Element) -> Option<RecordSet> {
    let name = Domain::parse(set.text("Name")?).ok()?;
    let kind = set.text("Type")?.to_owned();
    let says = match (set.at("SetIdentifier"), set.at("AliasTarget")) {
        (Some(_), _) => Says::Routed,
        (None, Some(target)) => Says::Alias {
            zone: target.text("HostedZoneId").unwrap_or_default().to_owned(),
            target: Domain::parse(target.text("DNSName")?).ok()?,
            watched: target.text("EvaluateTargetHealth") == Some("true"),
        },
        (None, None) => Says::Values {
            ttl: set.text("TTL").and_then(|ttl| ttl.parse().ok()).unwrap_or_default(),
            values: set
                .each("ResourceRecords")
                .filter_map(|one| one.text("Value").map(str::to_owned))
                .collect(),
        },
    };
    Some(RecordSet { name, kind, says })
}

#[cfg(test)]
mod tests;
