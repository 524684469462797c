//! The OpenAPI document and the facts of the reference, made of the table of calls and the types
//! in `wire`.
//!
//! Only tests carry this: what is made is checked in, as `openapi.json` and
//! `pages/facts/api.json`; a test fails when it is out of date, and with `UPDATE_DOCS=1` (or
//! `cargo xtask docs`) writes it.

mod facts;
pub(crate) mod text;

use std::collections::{BTreeMap, BTreeSet};

use beak_core::access::Who;
use beak_core::tier::Tier;
use beak_core::{BeakError, Duration, GALAXY_VERSION};
use schemars::generate::{Contract, SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::call::{Call, Row};
use crate::calls;
use crate::problem::{self, Body};

type Make = fn(&mut SchemaGenerator) -> Schema;

/// What a row says for documents only.
#[derive(Default)]
pub(crate) struct Words {
    takes: Option<Make>,
    asks: Vec<Make>,
    gives: Vec<(u16, Make)>,
    gives_page: bool,
    also_for_people: bool,
    fails: &'static [&'static str],
}

fn make<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Call {
    pub(crate) fn takes<T: JsonSchema>(mut self) -> Self {
        self.words.takes = Some(make::<T>);
        self
    }

    pub(crate) fn asks<T: JsonSchema>(mut self) -> Self {
        self.words.asks.push(T::json_schema);
        self
    }

    pub(crate) fn gives<T: JsonSchema>(mut self, status: u16) -> Self {
        self.words.gives.push((status, make::<T>));
        self
    }

    pub(crate) fn also_for_people(mut self) -> Self {
        self.words.also_for_people = true;
        self
    }

    pub(crate) fn gives_page(mut self) -> Self {
        self.words.gives_page = true;
        self
    }

    pub(crate) fn fails(mut self, codes: &'static [&'static str]) -> Self {
        self.words.fails = codes;
        self
    }
}

impl JsonSchema for crate::wire::Document {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::try_from(json!({"type": "object"})).expect("a schema")
    }
}

/// One error of each code, to look its status up.
fn errors() -> Vec<BeakError> {
    vec![
        BeakError::Invalid { field: None, message: String::new() },
        BeakError::OtpMismatch,
        BeakError::OtpExpired,
        BeakError::CaptchaFailed,
        BeakError::Unauthorized,
        BeakError::Forbidden(""),
        BeakError::TierTooLow(Tier::T1),
        BeakError::NotFound(""),
        BeakError::MethodNotAllowed,
        BeakError::AlreadyExists(""),
        BeakError::Conflict { status: None, message: "" },
        BeakError::TooLarge,
        BeakError::UnsupportedMediaType,
        BeakError::WeakPassword(""),
        BeakError::RateLimited { retry_after: Duration::ZERO },
        BeakError::Internal(String::new()),
        BeakError::Unavailable(String::new()),
    ]
}

/// All codes that a call may fail with.
fn codes(call: &Call) -> BTreeSet<&'static str> {
    let (row, words) = (&call.row, &call.words);
    let mut codes = BTreeSet::from(["internal", "unavailable"]);
    if words.takes.is_some() {
        codes.extend(["invalid_request", "too_large", "unsupported_media_type"]);
    }
    if !words.asks.is_empty() {
        codes.insert("invalid_request");
    }
    match row.who {
        Who::Anyone => {}
        Who::AnyoneMoreForOperators => {
            codes.insert("unauthorized");
        }
        _ => codes.extend(["unauthorized", "forbidden", "rate_limited"]),
    }
    if row.tier > Tier::T0 {
        codes.insert("tier_too_low");
    }
    if row.per_address.is_some() {
        codes.insert("rate_limited");
    }
    if words.also_for_people {
        codes.insert("unauthorized");
    }
    codes.extend(words.fails);
    codes
}

fn operation_id(row: &Row) -> String {
    let words = row.path.trim_start_matches("/beak/").replace(['{', '}'], "");
    format!("{}_{}", row.method.as_str().to_lowercase(), words.replace(['/', '.'], "_"))
}

fn limit(row: &Row) -> String {
    match (row.per_address, row.who) {
        (Some(limit), _) => format!("{} a minute by address", limit.limit),
        (None, Who::Anyone) => "none of its own".into(),
        (None, _) => "by tier".into(),
    }
}

fn operation(
    call: &Call,
    asked: &mut SchemaGenerator,
    given: &mut SchemaGenerator,
    shared: &mut Map<String, Value>,
) -> Value {
    let (row, words) = (&call.row, &call.words);
    let tier = if row.tier > Tier::T0 { format!(", from {}", row.tier) } else { String::new() };
    let mut operation = json!({
        "operationId": operation_id(row),
        "summary": row.does,
        "description": format!("For: {}{tier}. Limit: {}.", row.who.words(), limit(row)),
        "x-who": row.who.words(),
        "x-tier": row.tier.word(),
    });
    let schemes: &[&str] = match row.who {
        Who::Anyone => &[],
        Who::Key => &["beakKey"],
        Who::Person | Who::Operator | Who::AnyoneMoreForOperators => &["accessToken"],
        Who::KeyOrPerson | Who::KeyOrPersonLeaving | Who::KeyOrOperator => {
            &["beakKey", "accessToken"]
        }
    };
    let mut security: Vec<Value> = schemes.iter().map(|scheme| json!({*scheme: []})).collect();
    if words.also_for_people {
        security.push(json!({"accessToken": []}));
    }
    if row.who.is_open() && !security.is_empty() {
        security.insert(0, json!({}));
    }
    operation["security"] = security.into();
    let parameters: Vec<Value> =
        words.asks.iter().flat_map(|make| parameters(row, &make(asked))).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(make) = words.takes {
        let schema = make(asked);
        let content = json!({"application/json": {"schema": schema}});
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation["responses"] = responses(call, given, shared);
    operation
}

/// In the path where the path names it, a header where it is written like one, else a query.
fn parameters(row: &Row, schema: &Schema) -> Vec<Value> {
    let schema = schema.as_value();
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name))
    };
    let parameter = |(name, schema): (&String, &Value)| {
        let place = match name {
            name if row.path.contains(&format!("{{{name}}}")) => "path",
            name if name.contains('-') => "header",
            _ => "query",
        };
        let mut schema = schema.clone();
        // What is not there is not `null` in a query.
        if let Some(kinds) = schema["type"].as_array().cloned() {
            schema["type"] = kinds.into_iter().find(|kind| kind != "null").expect("a type");
        }
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.retain(|word| !word.is_null());
        }
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let required = place == "path" || required(name);
        let mut parameter =
            json!({"name": name, "in": place, "required": required, "schema": schema});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    };
    // By name: the order of a map depends on which crates are built together.
    let sorted: BTreeMap<&String, &Value> =
        schema["properties"].as_object().into_iter().flatten().collect();
    sorted.into_iter().map(parameter).collect()
}

fn responses(call: &Call, given: &mut SchemaGenerator, shared: &mut Map<String, Value>) -> Value {
    let words = &call.words;
    let limited = codes(call).contains("rate_limited");
    let mut responses = BTreeMap::<String, Value>::new();
    let mut successes: BTreeMap<u16, Map<String, Value>> = BTreeMap::new();
    for (status, make) in &words.gives {
        let schema = json!({"schema": make(given)});
        successes.entry(*status).or_default().insert("application/json".into(), schema);
    }
    let page = || json!({"schema": {"type": "string"}});
    if words.gives_page {
        successes.entry(200).or_default().insert("text/html".into(), page());
    }
    for (status, content) in successes {
        let mut response = json!({"description": "Done", "content": content});
        if limited {
            response["headers"] = json!({
                "RateLimit-Policy": {"$ref": "#/components/headers/RateLimit-Policy"},
                "RateLimit": {"$ref": "#/components/headers/RateLimit"},
            });
        }
        responses.insert(status.to_string(), response);
    }
    let mut failures = BTreeMap::<u16, Vec<&str>>::new();
    for error in errors() {
        if codes(call).contains(error.code()) {
            failures.entry(problem::status(&error).as_u16()).or_default().push(error.code());
        }
    }
    for (status, codes) in failures {
        let page = status == 404 && words.gives_page;
        let mut name = format!("{status}_{}", codes.join("_or_"));
        if page {
            name += "_or_page";
        }
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        shared.entry(name).or_insert_with(|| failure(status, &codes, page, given));
        responses.insert(status.to_string(), reference);
    }
    json!(responses)
}

/// An answer that many calls share.
fn failure(status: u16, codes: &[&str], page: bool, given: &mut SchemaGenerator) -> Value {
    let schema = json!({
        "allOf": [given.subschema_for::<Body<'_>>()],
        "properties": {"error": {"enum": codes}},
    });
    let mut content = json!({"application/json": {"schema": schema}});
    if page {
        content["text/html"] = json!({"schema": {"type": "string"}});
    }
    let words: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    let mut response = json!({"description": words.join(", "), "content": content});
    match status {
        401 => {
            response["headers"] = json!({"WWW-Authenticate": {"schema": {"type": "string"}}});
        }
        429 => {
            let seconds = json!({"description": "Seconds", "schema": {"type": "integer"}});
            response["headers"] = json!({"Retry-After": seconds});
        }
        _ => {}
    }
    response
}

fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.contract = contract;
    settings.meta_schema = None;
    SchemaGenerator::new(settings)
}

fn document() -> Value {
    let (mut asked, mut given) = (generator(Contract::Deserialize), generator(Contract::Serialize));
    let (mut paths, mut shared) = (Map::new(), Map::new());
    for call in calls::all() {
        let operation = operation(&call, &mut asked, &mut given, &mut shared);
        let path = paths.entry(call.row.path.clone()).or_insert_with(|| json!({}));
        path[call.row.method.as_str().to_lowercase()] = operation;
    }
    let mut schemas = given.take_definitions(true);
    for schema in schemas.values_mut() {
        if schema.get("properties").is_some() {
            // An answer holds what is documented, and nothing else.
            schema["additionalProperties"] = json!(false);
        }
    }
    schemas.extend(asked.take_definitions(true));
    let header =
        |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let bearer =
        |description: &str| json!({"type": "http", "scheme": "bearer", "description": description});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The Beak of a Space Duck galaxy",
            "version": GALAXY_VERSION,
            "description": "Identities for AI agents: hatch a duckling, ask others for bonds, \
                            climb the trust tiers. Bodies are JSON of at most 16 KiB; unknown \
                            fields are refused.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "https://api.example/prod"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": shared,
            "headers": {
                "RateLimit-Policy": header("The limit, as `\"name\";q=calls;w=seconds`"),
                "RateLimit": header("What is left, as `\"name\";r=calls;t=seconds`"),
            },
            "securitySchemes": {
                "beakKey": bearer("A duckling's Beak Key"),
                "accessToken": bearer("A person's access token, from `signin`"),
            },
        },
    })
}

mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// Compares a checked-in file with what it should be, or writes it. As values, not as texts:
    /// whether JSON keeps the order of its keys depends on which crates are built together.
    #[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
    fn fresh(path: &Path, wanted: &Value) {
        let there = || -> Option<Value> { serde_json::from_slice(&std::fs::read(path).ok()?).ok() };
        if std::env::var_os("UPDATE_DOCS").is_some() && there().as_ref() != Some(wanted) {
            let text = serde_json::to_string_pretty(wanted).expect("written") + "\n";
            std::fs::write(path, text).expect("written");
        }
        let fresh = there().as_ref() == Some(wanted);
        assert!(fresh, "{} is out of date: cargo xtask docs", path.display());
    }

    #[test]
    fn the_openapi_document_is_fresh() {
        fresh(&root().join("crates/beak-api/openapi.json"), &document());
    }

    #[test]
    fn the_facts_of_the_reference_are_fresh() {
        fresh(&root().join("pages/facts/api.json"), &facts::facts());
    }

    #[test]
    fn every_code_and_every_call_is_known_once() {
        let known: BTreeSet<_> = errors().iter().map(BeakError::code).collect();
        assert_eq!(known.len(), errors().len());
        let mut seen = BTreeSet::new();
        for call in calls::all() {
            let row = &call.row;
            assert!(codes(&call).is_subset(&known), "{} {}", row.method, row.path);
            assert!(seen.insert((row.method.as_str().to_owned(), row.path.clone())));
            assert!(!row.does.is_empty() && !row.does.ends_with('.'), "{}", row.path);
        }
    }
}
