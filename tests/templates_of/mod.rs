//! Every stack as it is rendered under every setting that changes what it has.

#![allow(dead_code, reason = "each test uses its own part of it")]

use std::collections::{BTreeMap, BTreeSet};

use spaceduck::catalog::{self, Code, Facts};
use spaceduck::config::{self, Environment, Seen};
use spaceduck::model::{AccountId, GalaxyName, Region, Stack};
use spaceduck::render::{self, Rendered};
use spaceduck::yaml::Node;

/// The account.
pub(crate) const ACCOUNT: &str = "111122223333";
/// The home Region.
pub(crate) const HOME: &str = "eu-central-1";

/// What is known of a galaxy of this name with these settings.
pub(crate) fn facts(name: &str, yaml: &str, seen: Seen) -> Facts {
    let text = format!("name: {name}\nregion: {HOME}\n{yaml}");
    let mut config = config::parse("galaxy.yaml", &text, &Environment::default()).unwrap();
    config.mail.seen = seen;
    Facts {
        config,
        account: AccountId::parse(ACCOUNT).ok(),
        region: Region::parse(HOME).ok(),
        code: Some(Code { sha256: "a".repeat(64), architecture: "x86_64" }),
        release: "1".into(),
    }
}

/// Settings under which templates differ in what they have.
fn settings() -> Vec<(String, Seen)> {
    let mail = "mail:\n  domain: example.org\n  alarms: me@example.net\n";
    let more = "cost:\n  parallel_calls: 5\nlogs:\n  site_access: true\n";
    let mut all = vec![(String::new(), Seen::default()), (more.to_owned(), Seen::default())];
    for (foreign, granted) in [(false, false), (false, true), (true, false), (true, true)] {
        all.push((format!("{mail}{more}"), Seen { foreign, granted }));
    }
    all
}

/// Every stack with every setting, as it is kept and as it is removed.
pub(crate) fn every(name: &str) -> Vec<(Stack, Rendered)> {
    let mut all = Vec::new();
    for (yaml, seen) in settings() {
        let facts = facts(name, &yaml, seen);
        for stack in Stack::all() {
            for fill in [catalog::fill, catalog::fill_disposable] {
                let mut fill = fill(stack, &facts);
                for domain in [false, true] {
                    if domain && (fill.values.contains_key("CertificateArn")) {
                        let arn = "arn:aws:acm:us-east-1:111122223333:certificate/1";
                        fill.values.insert("DomainName".into(), "api.example.org".into());
                        fill.values.insert("CertificateArn".into(), arn.into());
                    }
                    let rendered = render::render(catalog::template(stack), &fill).unwrap();
                    all.push((stack, rendered));
                }
            }
        }
    }
    all
}

/// The resource types that a galaxy may have.
pub(crate) fn kinds() -> BTreeSet<String> {
    let all = every("pond");
    all.iter().flat_map(|(_, r)| r.resources.iter().map(|one| one.kind.clone())).collect()
}

/// The stacks of a galaxy with everything.
pub(crate) fn whole(name: &str) -> BTreeMap<Stack, Rendered> {
    every(name).into_iter().collect()
}

/// A name.
pub(crate) fn galaxy(name: &str) -> GalaxyName {
    GalaxyName::parse(name).unwrap()
}

/// A template in which every resource has changed.
pub(crate) fn changed(body: &str) -> String {
    let mut root = Node::parse(body).unwrap();
    let Some(Node::Map(resources)) = root.get_mut("Resources") else { unreachable!() };
    for (_, resource) in resources {
        let note = Node::Map(vec![("Note".into(), Node::Text("changed".into()))]);
        resource.set("Metadata", note);
    }
    root.emit().unwrap()
}
