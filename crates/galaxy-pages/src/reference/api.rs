//! Pages about errors, audit events, trust tiers and peck types.

use askama::Template;

use super::facts::{Api, Call, Error, PeckType, Tier};
use super::{Section, Words};
use crate::page::Page;
use crate::{Input, Mistake};

#[derive(Template)]
#[template(path = "reference/error.md", escape = "none")]
struct ErrorPage<'a> {
    error: &'a Error,
    words: &'a Words,
    body: String,
    calls: Vec<&'a Call>,
    everywhere: bool,
}

/// A page for every error code.
pub(super) fn errors(input: &Input, facts: &Api, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut section = Section::open(input, ("duckgalaxy", "/errors/"), "errors", mistakes);
    for error in &facts.errors {
        let Some(words) = section.words(&error.code) else { continue };
        let calls: Vec<&Call> =
            facts.calls.iter().filter(|call| call.errors.contains(&error.code)).collect();
        let everywhere = calls.len() == facts.calls.len();
        let message = error.message.clone().or_else(|| words.title.clone());
        let message = message.unwrap_or_default();
        let field = error
            .field
            .as_ref()
            .map_or(String::new(), |field| format!(",\n  \"field\": \"{field}\""));
        let body = format!(
            "{{\n  \"error\": \"{}\",\n  \"message\": \"{message}\"{field},\n  \
             \"request_id\": \"req_01KAVQBX8V6T4R2P0N8M6K4J2H\"\n}}",
            error.code
        );
        let text = section.fill(&ErrorPage { error, words: &words, body, calls, everywhere });
        let words = Words { title: None, ..words };
        section.part(&error.code, &format!("`{}`", error.code), &words, text);
    }
    section.close()
}

#[derive(Template)]
#[template(path = "reference/event.md", escape = "none")]
struct EventPage<'a> {
    words: &'a Words,
    days: u32,
}

/// A page for every event of the audit.
pub(super) fn events(input: &Input, facts: &Api, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut section = Section::open(input, ("duckgalaxy", "/events/"), "events", mistakes);
    for event in &facts.events {
        let Some(words) = section.words(event) else { continue };
        let text = section.fill(&EventPage { words: &words, days: facts.events_kept_days });
        section.part(&event.replace('.', "-"), &format!("`{event}`"), &words, text);
    }
    section.close()
}

#[derive(Template)]
#[template(path = "reference/tier.md", escape = "none")]
struct TierPage<'a> {
    tier: &'a Tier,
    words: &'a Words,
    peck_types: Vec<&'a PeckType>,
    calls: Vec<&'a Call>,
}

/// A page for every trust tier.
pub(super) fn tiers(input: &Input, facts: &Api, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut section = Section::open(input, ("spaceduck-bot", "/tiers/"), "tiers", mistakes);
    for tier in &facts.tiers {
        let Some(words) = section.words(&tier.word) else { continue };
        let page = TierPage {
            tier,
            words: &words,
            peck_types: facts.peck_types.iter().filter(|t| t.tier == tier.word).collect(),
            calls: facts.calls.iter().filter(|c| c.tier == tier.word && c.tier != "T0").collect(),
        };
        let text = section.fill(&page);
        section.part(&tier.word.to_lowercase(), &format!("Tier {}", tier.word), &words, text);
    }
    section.close()
}

#[derive(Template)]
#[template(path = "reference/peck_type.md", escape = "none")]
struct PeckTypePage<'a> {
    peck_type: &'a PeckType,
    words: &'a Words,
}

/// A page for every peck type that the galaxy names.
pub(super) fn peck_types(input: &Input, facts: &Api, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let place = ("spaceduck-bot", "/peck-types/");
    let mut section = Section::open(input, place, "peck_types", mistakes);
    for peck_type in &facts.peck_types {
        let Some(words) = section.words(&peck_type.name) else { continue };
        let text = section.fill(&PeckTypePage { peck_type, words: &words });
        section.part(&peck_type.slug(), &format!("`{}`", peck_type.name), &words, text);
    }
    section.close()
}
