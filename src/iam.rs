//! IAM's answer to a request, given policy documents. Pure.
//!
//! By hand: there is no kept Rust crate for it, and a rehearsal has to give the answer without a
//! network. Covered is what our own policies use; a condition operator that is not known here
//! matches nothing in an `Allow` and everything in a `Deny`.
//! Source: "Policy evaluation logic", IAM User Guide.

use std::collections::BTreeMap;

use serde_json::Value;

/// Keys of a request with their values, such as `iam:PassedToService`.
pub type Context = BTreeMap<String, Vec<String>>;

/// A request to IAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The action, such as `s3:CreateBucket`.
    pub action: String,
    /// The ARN that it is on; `*` where the action knows none.
    pub resource: String,
    /// What else is known of the request.
    pub context: Context,
}

/// What IAM answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it.
    Denied,
}

/// Decides by policies of one kind: those of an identity, or its permissions boundary.
#[must_use]
pub fn decide(documents: &[Value], request: &Request) -> Decision {
    let mut decision = Decision::NotAllowed;
    for statement in documents.iter().flat_map(|document| many(&document["Statement"])) {
        let denies = statement["Effect"] == "Deny";
        if !concerns(statement, request, denies) {
            continue;
        }
        if denies {
            return Decision::Denied;
        }
        decision = Decision::Allowed;
    }
    decision
}

/// Decides by an identity's policies and its boundary: both have to allow.
#[must_use]
pub fn decide_within(identity: &[Value], boundary: &[Value], request: &Request) -> Decision {
    match (decide(identity, request), decide(boundary, request)) {
        (Decision::Allowed, by_boundary) => by_boundary,
        (by_identity, _) => by_identity,
    }
}

/// Whether a service may assume a role by its trust policy, given the keys that the service sends.
#[must_use]
pub fn trusts(trust: &Value, service: &str, context: &Context) -> bool {
    let trusted = |statement: &&Value| {
        let named = many(&statement["Principal"]["Service"]).any(|one| one == service);
        named && holds(&statement["Condition"], context, false)
    };
    let mut statements = many(&trust["Statement"]);
    statements.any(|statement| trusted(&statement) && statement["Effect"] == "Allow")
}

/// One or several; JSON of policies may leave out the list around a single value.
fn many(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(values) => Box::new(values.iter()),
        Value::Null => Box::new(std::iter::empty()),
        one => Box::new(std::iter::once(one)),
    }
}

fn concerns(statement: &Value, request: &Request, denies: bool) -> bool {
    // Actions are the same in any case, ARNs are not.
    let any = |key: &str, text: &str, fold: bool| {
        many(&statement[key])
            .any(|pattern| matches_in(pattern.as_str().unwrap_or_default(), text, fold))
    };
    let action = if statement.get("NotAction").is_some() {
        !any("NotAction", &request.action, true)
    } else {
        any("Action", &request.action, true)
    };
    let on = |key: &str| any(key, &request.resource, false);
    let resource = match statement.get("NotResource") {
        Some(_) => !on("NotResource"),
        None => on("Resource"),
    };
    action && resource && holds(&statement["Condition"], &request.context, denies)
}

/// Whether a text fits a pattern with `*` and `?`.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    matches_in(pattern, text, false)
}

fn matches_in(pattern: &str, text: &str, fold: bool) -> bool {
    let same = |one: u8, other: u8| one == other || fold && one.eq_ignore_ascii_case(&other);
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(one) if *one == b'?' || same(*one, text[t]) => (p, t) = (p + 1, t + 1),
            _ => {
                // The last star takes one more.
                let Some((at, taken)) = star else { return false };
                (p, t, star) = (at + 1, taken + 1, Some((at, taken + 1)));
            }
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

/// Whether all conditions hold.
fn holds(conditions: &Value, context: &Context, unknown: bool) -> bool {
    let Some(conditions) = conditions.as_object() else { return true };
    conditions.iter().all(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        let mut each = keys.map(|(key, wanted)| {
            let given = context.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
            one_holds(operator, given.map(|(_, values)| values.as_slice()), wanted)
        });
        each.all(|holds| holds.unwrap_or(unknown))
    })
}

/// Whether one condition holds; nothing where its operator is not known.
fn one_holds(operator: &str, given: Option<&[String]>, wanted: &Value) -> Option<bool> {
    let (set, operator) = operator.split_once(':').map_or(("", operator), |(set, op)| (set, op));
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let test: fn(&str, &str) -> bool = match operator {
        "StringEquals" | "StringNotEquals" | "Bool" => |wanted, given| wanted == given,
        "StringLike" | "ArnLike" | "ArnEquals" => matches,
        _ => return None,
    };
    let fits = |given: &String| {
        many(wanted).any(|wanted| test(wanted.as_str().unwrap_or_default(), given))
    };
    let negated = operator == "StringNotEquals";
    Some(match (set, given) {
        // Of no values, all fit.
        ("ForAllValues", given) => given.unwrap_or_default().iter().all(|one| fits(one) != negated),
        (_, None) => if_exists || negated,
        (_, Some(given)) => given.iter().any(fits) != negated,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(action: &str, resource: &str, context: &[(&str, &str)]) -> Request {
        let value = |(key, value): &(&str, &str)| ((*key).to_owned(), vec![(*value).to_owned()]);
        let context = context.iter().map(value).collect();
        Request { action: action.into(), resource: resource.into(), context }
    }

    fn policy(statements: &Value) -> Vec<Value> {
        vec![json!({"Version": "2012-10-17", "Statement": statements})]
    }

    #[test]
    fn patterns() {
        for (pattern, text) in [("*", ""), ("a*c", "abbc"), ("a?c", "abc"), ("*:*-an", "x:y-z-an")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a*c", "abcd"), ("a?c", "ac"), ("pond-?", "pond-")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_denial_comes_before_everything() {
        let documents = policy(&json!([
            {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "arn:aws:s3:::kept"},
        ]));
        let asked = |action, resource| decide(&documents, &request(action, resource, &[]));
        assert_eq!(asked("s3:deletebucket", "arn:aws:s3:::other"), Decision::Allowed);
        assert_eq!(asked("s3:DeleteBucket", "arn:aws:s3:::kept"), Decision::Denied);
        assert_eq!(asked("ses:SendEmail", "*"), Decision::NotAllowed);
    }

    #[test]
    fn what_is_excepted_is_not_allowed() {
        let documents = policy(&json!({
            "Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::kept"
        }));
        let asked = |action, resource| decide(&documents, &request(action, resource, &[]));
        assert_eq!(asked("s3:GetObject", "arn:aws:s3:::other"), Decision::Allowed);
        assert_eq!(asked("s3:GetObject", "arn:aws:s3:::kept"), Decision::NotAllowed);
        assert_eq!(asked("iam:GetRole", "arn:aws:s3:::other"), Decision::NotAllowed);
    }

    #[test]
    fn conditions_hold_as_in_aws() {
        let rows = [
            (json!({"StringEquals": {"k": ["a", "b"]}}), Some("b"), true),
            (json!({"StringEquals": {"k": "a"}}), None, false),
            (json!({"StringEqualsIfExists": {"k": "a"}}), None, true),
            (json!({"StringEqualsIfExists": {"k": "a"}}), Some("b"), false),
            (json!({"StringNotEquals": {"k": "a"}}), Some("a"), false),
            (json!({"StringNotEquals": {"k": "a"}}), None, true),
            (json!({"ArnLike": {"k": "arn:*:stack/pond-*/*"}}), Some("arn:x:stack/pond-a/1"), true),
            (json!({"ForAllValues:StringEquals": {"k": ["a"]}}), None, true),
            (json!({"ForAllValues:StringEquals": {"k": ["a"]}}), Some("b"), false),
            (json!({"StringEquals": {"K": "a"}}), Some("a"), true),
            (json!({"DateGreaterThan": {"k": "a"}}), Some("a"), false),
        ];
        for (condition, given, allowed) in rows {
            let documents = policy(&json!([
                {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
            ]));
            let context: Vec<(&str, &str)> = given.map(|given| ("k", given)).into_iter().collect();
            let decision = decide(&documents, &request("s3:GetObject", "*", &context));
            assert_eq!(decision == Decision::Allowed, allowed, "{condition} {given:?}");
        }
    }

    #[test]
    fn a_boundary_allows_nothing_by_itself() {
        let all = policy(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
        let some = policy(&json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]));
        let within = |identity, boundary, action| {
            decide_within(identity, boundary, &request(action, "*", &[]))
        };
        assert_eq!(within(&all, &some, "s3:GetObject"), Decision::Allowed);
        assert_eq!(within(&all, &some, "ses:SendEmail"), Decision::NotAllowed);
        assert_eq!(within(&some, &all, "ses:SendEmail"), Decision::NotAllowed);
    }

    #[test]
    fn trust_is_by_service_and_condition() {
        let trust = |operator: &str| {
            json!({"Statement": [{
                "Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"},
                "Action": "sts:AssumeRole", "Condition": {operator: {"aws:SourceAccount": "1"}}
            }]})
        };
        let of =
            |account: &str| Context::from([("aws:SourceAccount".into(), vec![account.into()])]);
        let service = "cloudformation.amazonaws.com";
        for (operator, context, trusted) in [
            ("StringEquals", of("1"), true),
            ("StringEquals", Context::new(), false),
            ("StringEqualsIfExists", Context::new(), true),
            ("StringEqualsIfExists", of("2"), false),
        ] {
            assert_eq!(trusts(&trust(operator), service, &context), trusted, "{operator}");
        }
        assert!(!trusts(&trust("StringEquals"), "lambda.amazonaws.com", &of("1")));
    }
}
