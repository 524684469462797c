//! A page for every call of the Beak.

use askama::Template;
use serde_json::Value;

use super::facts::{Api, Call};
use super::schema::{Document, Field};
use super::{Section, Words};
use crate::page::Page;
use crate::{Input, Mistake};

#[derive(Template)]
#[template(path = "reference/call.md", escape = "none")]
struct CallPage<'a> {
    call: &'a Call,
    words: &'a Words,
    limit: String,
    parameters: Vec<Field>,
    body: Vec<Field>,
    curl: String,
    answers: Vec<Answer>,
    errors: Vec<(u16, String)>,
}

struct Answer {
    status: String,
    fields: Vec<Field>,
    example: String,
    is_page: bool,
}

pub(super) fn pages(input: &Input, facts: &Api, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let document = match Document::parse(&input.openapi) {
        Ok(document) => document,
        Err(error) => {
            mistakes.push(Mistake::new("crates/beak-api/openapi.json", error));
            return Vec::new();
        }
    };
    let mut section = Section::open(input, ("duckgalaxy", "/api/"), "calls", mistakes);
    for call in &facts.calls {
        let Some(words) = section.words(&call.title()) else { continue };
        let operation = document.operation(&call.method, &call.path);
        let status = |code: &String| {
            let error = facts.errors.iter().find(|error| error.code == *code);
            error.map(|error| (error.status, code.clone()))
        };
        let mut errors: Vec<(u16, String)> = call.errors.iter().filter_map(status).collect();
        errors.sort();
        let page = CallPage {
            call,
            words: &words,
            limit: limit(call, facts),
            parameters: parameters(&document, operation),
            body: document
                .fields(&operation["requestBody"]["content"]["application/json"]["schema"]),
            curl: curl(call, &document, operation),
            answers: answers(&document, operation),
            errors,
        };
        let body = section.fill(&page);
        let short = call.path.trim_start_matches("/beak");
        let words = Words { nav: Some(format!("`{} {short}`", call.method)), ..words };
        section.add(&call.slug(), &format!("`{}`", call.title()), &words, body);
    }
    section.close()
}

fn limit(call: &Call, facts: &Api) -> String {
    match (call.per_address, call.who.as_str()) {
        (Some(limit), _) => {
            let name = call.counted_as.clone().unwrap_or_default();
            format!("{limit} a minute from one address, counted as “{name}”")
        }
        (None, "anyone") => "none of its own".into(),
        (None, _) => {
            let of = |tier: &super::facts::Tier| {
                format!("{} at {}", tier.requests_per_minute, tier.word)
            };
            let tiers: Vec<String> = facts.tiers.iter().map(of).collect();
            let person = facts.person_requests_per_minute;
            format!("calls a minute by tier: {}; {person} for a person", tiers.join(", "))
        }
    }
}

fn parameters(document: &Document, operation: &Value) -> Vec<Field> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|parameter| {
        let wrapped = serde_json::json!({"properties": {"x": parameter["schema"]}});
        let form = document.fields(&wrapped).pop().map(|field| field.form).unwrap_or_default();
        let place = parameter["in"].as_str().unwrap_or_default();
        Field {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            form: format!("{place}; {form}"),
            required: parameter["required"] == true,
            about: parameter["description"].as_str().unwrap_or_default().to_owned(),
        }
    })
    .collect()
}

/// The call as one types it.
fn curl(call: &Call, document: &Document, operation: &Value) -> String {
    let mut path = call.path.clone();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let value = document.example(&parameter["schema"], name);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &value);
        } else if parameter["in"] == "query" && parameter["required"] == true {
            query.push(format!("{name}={value}"));
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let mut lines = vec![match call.method.as_str() {
        "GET" => format!("curl \"https://YOUR_API{path}\""),
        method => format!("curl -X {method} \"https://YOUR_API{path}\""),
    }];
    let token = match call.who.as_str() {
        "anyone" | "anyone, more for an operator" => None,
        "person" | "operator" => Some("$ACCESS_TOKEN"),
        _ => Some("$BEAK_KEY"),
    };
    lines.extend(token.map(|token| format!("  -H \"Authorization: Bearer {token}\"")));
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !schema.is_null() {
        lines.push("  -H \"Content-Type: application/json\"".into());
        let body = serde_json::to_string_pretty(&document.example(schema, ""));
        lines.push(format!("  -d '{}'", body.unwrap_or_default()));
    }
    lines.join(" \\\n")
}

fn answers(document: &Document, operation: &Value) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        if !status.starts_with('2') {
            continue;
        }
        let schema = &response["content"]["application/json"]["schema"];
        let example = document.example(schema, "");
        let long = serde_json::to_string_pretty(&example).unwrap_or_default();
        answers.push(Answer {
            status: status.clone(),
            fields: document.fields(schema),
            example: if schema.is_null() || long == "{}" { String::new() } else { long },
            is_page: response["content"]["text/html"].is_object(),
        });
    }
    answers
}
