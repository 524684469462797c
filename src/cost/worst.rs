//! The worst month: what a galaxy would cost if every ceiling were hit for a whole month.
//!
//! Each figure follows from the rendered templates, so that a ceiling that is changed changes the
//! figure. List prices of us-east-1, in US cents, free allowances left out unless they are large.
//! Sources: the pricing pages of Amazon API Gateway (HTTP APIs), AWS Lambda, Amazon `DynamoDB` (on
//! demand), Amazon Cognito, AWS KMS, Amazon SES, Amazon `CloudWatch` and Amazon EC2 (data transfer
//! out), 2026.

use std::collections::BTreeMap;

use crate::model::Stack;
use crate::render::Rendered;
use crate::yaml::Node;

/// Seconds of a month of 30 days.
const MONTH: f64 = 2_592_000.0;

/// An HTTP API's price a million calls: the first 300 million, and all others.
const CALLS: (f64, f64) = (100.0, 90.0);
/// Lambda: a million calls, and a GB-second.
const FUNCTION: (f64, f64) = (20.0, 0.001_666_67);
/// A new account's concurrency is at most this much. Source: "Lambda quotas".
const CONCURRENCY: f64 = 1000.0;
/// `DynamoDB`: a million units read, a million written, a GB kept a month with its recovery.
const TABLES: (f64, f64, f64) = (12.5, 62.5, 45.0);
/// A million asymmetric signatures.
const SIGNATURES: f64 = 1500.0;
/// Write units that a call that signs takes in the ledger at least, a signature: an approval that
/// lifts both sides takes 8 and signs twice.
const WRITES_A_SIGNATURE: f64 = 4.0;
/// A thousand mails.
const MAILS: f64 = 10.0;
/// Mails a day of an account that has left the sandbox. Source: "Service quotas in Amazon SES".
const MAILS_A_DAY: f64 = 50_000.0;
/// A GB of logs, ingested.
const LOGS: f64 = 50.0;
/// What a call leaves in both log groups, in bytes.
const LOGGED: f64 = 1200.0;
/// A GB that leaves AWS.
const EGRESS: f64 = 9.0;
/// The largest answer that anyone can get, `openapi.json`, in bytes; a test holds it to that.
pub const LARGEST_ANSWER_BYTES: u32 = 163_840;

/// Cents a monthly active user, each up to so many users. Source: "Amazon Cognito pricing".
const LITE: &[(f64, f64)] = &[
    (10_000.0, 0.0),
    (100_000.0, 0.55),
    (1_000_000.0, 0.46),
    (10_000_000.0, 0.325),
    (f64::INFINITY, 0.25),
];
const ESSENTIALS: &[(f64, f64)] = &[(10_000.0, 0.0), (f64::INFINITY, 1.5)];
const PLUS: &[(f64, f64)] = &[(f64::INFINITY, 2.0)];

/// One ceiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// What is billed.
    pub what: &'static str,
    /// What holds it.
    pub held_by: String,
    /// The worst month.
    pub dollars: u64,
}

/// Every ceiling with its worst month, the dearest first. A stack that is not rendered has none.
#[must_use]
pub fn worst(rendered: &BTreeMap<Stack, Rendered>) -> Vec<Ceiling> {
    let root = |stack: Stack| rendered.get(&stack).and_then(|one| Node::parse(&one.body).ok());
    let (Some(api), Some(data), Some(auth)) =
        (root(Stack::Api), root(Stack::Data), root(Stack::Auth))
    else {
        return Vec::new();
    };
    let rates = Rates::of(&api);
    let mut ceilings = calls(&api, &rates);
    ceilings.extend(tables(&data));
    ceilings.extend(people(&auth, &rates, &data));
    ceilings.sort_by_key(|ceiling| std::cmp::Reverse(ceiling.dollars));
    ceilings
}

/// How often the gateway lets calls through, a second.
struct Rates {
    all: f64,
    any: f64,
    hatch: f64,
}

impl Rates {
    fn of(api: &Node) -> Self {
        let stage = of_kind(api, "AWS::ApiGatewayV2::Stage");
        let stage = stage.first().and_then(|stage| stage.get("Properties"));
        let rate = |node: &Node| number(node.get("ThrottlingRateLimit"));
        let any = stage.and_then(|s| s.get("DefaultRouteSettings")).map_or(0.0, rate);
        let routes = stage.and_then(|s| s.get("RouteSettings"));
        let routes = routes.map_or(&[][..], Node::entries);
        let hatch = routes.iter().find(|(route, _)| route == "POST /beak/hatch");
        let own: f64 = routes.iter().map(|(_, node)| rate(node)).sum();
        Self { all: any + own, any, hatch: hatch.map_or(any, |(_, node)| rate(node)) }
    }
}

fn calls(api: &Node, rates: &Rates) -> Vec<Ceiling> {
    let calls = rates.all * MONTH;
    let millions = calls / 1e6;
    let gateway = millions.min(300.0) * CALLS.0 + (millions - 300.0).max(0.0) * CALLS.1;
    let function = of_kind(api, "AWS::Lambda::Function");
    let of = |name: &str| {
        number(function.first().and_then(|f| f.get("Properties")).and_then(|p| p.get(name)))
    };
    let (memory, timeout) = (of("MemorySize"), of("Timeout"));
    let reserved = of("ReservedConcurrentExecutions");
    let most = if reserved > 0.0 { reserved } else { CONCURRENCY };
    let at_once = (rates.all * timeout).min(most);
    let seconds = at_once * MONTH * memory / 1024.0;
    let function = millions * FUNCTION.0 + seconds * FUNCTION.1;
    let out = rates.any * MONTH * f64::from(LARGEST_ANSWER_BYTES) / 1e9 * EGRESS;
    let throttles = format!("{} calls a second at the gateway", rates.all);
    let slow = format!("{at_once} calls at once, {memory} MB each, {timeout} s each");
    vec![
        ceiling("API", throttles.clone(), gateway),
        ceiling("function", slow, function),
        ceiling("logs of the API", throttles, calls * LOGGED / 1e9 * LOGS),
        ceiling("data out of the API", format!("{} largest answers a second", rates.any), out),
    ]
}

fn tables(data: &Node) -> Vec<Ceiling> {
    let (mut reads, mut writes, mut count) = (0.0, 0.0, 0);
    for table in of_kind(data, "AWS::DynamoDB::Table") {
        let Some(properties) = table.get("Properties") else { continue };
        let indexes = match properties.get("GlobalSecondaryIndexes") {
            Some(Node::List(indexes)) => indexes.as_slice(),
            _ => &[],
        };
        for one in std::iter::once(properties).chain(indexes) {
            let most = one.get("OnDemandThroughput");
            reads += number(most.and_then(|most| most.get("MaxReadRequestUnits")));
            writes += number(most.and_then(|most| most.get("MaxWriteRequestUnits")));
            count += 1;
        }
    }
    // A unit writes 1 KB; on average what is written is kept for half of the month.
    let kept = writes * MONTH * 1024.0 / 1e9 / 2.0 * TABLES.2;
    let units = |units: f64| format!("{units} units a second, {count} tables and indexes together");
    vec![
        ceiling("reading the tables", units(reads), reads * MONTH / 1e6 * TABLES.0),
        ceiling("writing the tables", units(writes), writes * MONTH / 1e6 * TABLES.1),
        ceiling("what was written, kept", units(writes), kept),
    ]
}

fn people(auth: &Node, rates: &Rates, data: &Node) -> Vec<Ceiling> {
    let pool = of_kind(auth, "AWS::Cognito::UserPool");
    let tier = pool.first().and_then(|pool| pool.get("Properties")?.get("UserPoolTier"));
    let default = || auth.get("Parameters")?.get("Tier")?.get("Default")?.text();
    // An existing pool keeps its tier, so the template leaves it open.
    let tier = tier.and_then(Node::text).or_else(default).unwrap_or("ESSENTIALS");
    let steps = match tier {
        "LITE" => LITE,
        "PLUS" => PLUS,
        _ => ESSENTIALS,
    };
    let accounts = rates.hatch * MONTH;
    let ledger = of_kind(data, "AWS::DynamoDB::Table").into_iter().find(|table| {
        let name = table.get("Properties").and_then(|p| p.get("TableName")).and_then(Node::text);
        name.is_some_and(|name| name.ends_with("-ledger"))
    });
    let most = ledger.and_then(|table| table.get("Properties")?.get("OnDemandThroughput"));
    let writes = number(most.and_then(|most| most.get("MaxWriteRequestUnits")));
    // An approval that lifts both sides is the call that signs most.
    let (ledger, gateway) = (writes / WRITES_A_SIGNATURE, 2.0 * rates.any);
    let held_by = if ledger < gateway {
        format!("{writes} units a second of the ledger")
    } else {
        format!("{} calls a second at the gateway, two for each", rates.any)
    };
    let signatures = ledger.min(gateway) * MONTH / 1e6 * SIGNATURES;
    let mails = MAILS_A_DAY * 30.0 / 1000.0 * MAILS;
    vec![
        ceiling(
            "accounts",
            format!("{} hatches a second, Cognito's tier {tier}", rates.hatch),
            stepped(steps, accounts),
        ),
        ceiling("signatures", held_by, signatures),
        ceiling("mails", format!("Amazon's own limit of {MAILS_A_DAY} mails a day"), mails),
    ]
}

/// Cents for so many users.
fn stepped(steps: &[(f64, f64)], users: f64) -> f64 {
    let mut below = 0.0;
    let mut cents = 0.0;
    for (up_to, price) in steps {
        cents += (users.min(*up_to) - below).max(0.0) * price;
        below = *up_to;
    }
    cents
}

fn of_kind<'n>(root: &'n Node, kind: &str) -> Vec<&'n Node> {
    let resources = root.get("Resources").map_or(&[][..], Node::entries);
    let is_it = |node: &&Node| node.get("Type").and_then(Node::text) == Some(kind);
    resources.iter().map(|(_, node)| node).filter(is_it).collect()
}

fn number(node: Option<&Node>) -> f64 {
    match node {
        Some(Node::Int(number)) => f64::from(i32::try_from(*number).unwrap_or(i32::MAX)),
        Some(Node::Float(number)) => *number,
        Some(Node::Text(text)) => text.parse().unwrap_or_default(),
        _ => 0.0,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "prices are positive, and far below 2^53 dollars"
)]
fn ceiling(what: &'static str, held_by: String, cents: f64) -> Ceiling {
    Ceiling { what, held_by, dollars: (cents / 100.0).round() as u64 }
}

/// The table that the documentation prints, in Markdown.
#[must_use]
pub fn table(ceilings: &[Ceiling]) -> String {
    let mut lines = vec!["| what | held by | worst month |".to_owned(), "|---|---|--:|".to_owned()];
    let row = |what: &str, held: &str, dollars: u64| {
        format!("| {what} | {held} | ${} |", thousands(dollars))
    };
    lines.extend(ceilings.iter().map(|one| row(one.what, &one.held_by, one.dollars)));
    let sum = ceilings.iter().map(|one| one.dollars).sum();
    lines.push(row("all of it together", "", sum));
    lines.join("\n")
}

#[cfg(test)]
pub(super) mod growth;

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
