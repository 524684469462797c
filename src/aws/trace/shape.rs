//! What is left of a request or a response: its keys, the types of its values, its words of state.
//!
//! A value is shown only if it can't identify anyone: a word of state such as `CREATE_COMPLETE`, a
//! name from our own templates, a boolean. Everything else becomes a pseudonym or its type.

use serde_json::{Map, Value, json};

use super::pseudonym::Pseudonyms;

/// So many entries of a list are shown; of the others only how many they are.
const SHOWN: usize = 32;

/// Longer texts are no identifiers.
const LONGEST: usize = 200;

/// Keys with words of AWS's own, such as `StackStatus` and `KeyType`.
const WORDS: &[&str] =
    &["status", "state", "type", "action", "decision", "code", "replacement", "mode", "scope"];

/// Keys with names from our templates.
const NAMES: &[&str] = &["outputkey", "parameterkey", "logicalresourceid", "propertypath"];

/// Keys whose values are never even given a pseudonym.
const SECRET: &[&str] =
    &["secret", "password", "credential", "sessiontoken", "blob", "signature", "plaintext", "body"];

/// JSON as it is, redacted.
pub(super) fn of_json(value: &Value, pseudonyms: &Pseudonyms) -> Value {
    shape("", value, pseudonyms)
}

/// XML as JSON, redacted: repeated elements are a list.
pub(super) fn of_xml(text: &str, pseudonyms: &Pseudonyms) -> Option<Value> {
    let document = roxmltree::Document::parse(text).ok()?;
    let root = document.root_element();
    let inner = element(root, "", pseudonyms);
    Some(Value::Object(Map::from_iter([(root.tag_name().name().to_owned(), inner)])))
}

/// The fields of a form, redacted.
pub(super) fn of_form(text: &str, pseudonyms: &Pseudonyms) -> Value {
    let field = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        let last = key.rsplit('.').find(|part| part.parse::<u32>().is_err()).unwrap_or(key);
        Some((key.to_owned(), scalar(last, &decoded(value), pseudonyms)))
    };
    Value::Object(text.split('&').filter_map(field).collect())
}

/// A value of a form without its escapes.
pub(in crate::aws) fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn shape(key: &str, value: &Value, pseudonyms: &Pseudonyms) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(_) => json!("number"),
        Value::String(text) => scalar(key, text, pseudonyms),
        Value::Array(items) => {
            let one = |item: &Value| shape(key, item, pseudonyms);
            list(items.iter().take(SHOWN).map(one).collect(), items.len())
        }
        Value::Object(fields) => {
            let one = |(name, value): (&String, &Value)| {
                (shown_key(name, pseudonyms), shape(name, value, pseudonyms))
            };
            Value::Object(fields.iter().map(one).collect())
        }
    }
}

fn list(mut shown: Vec<Value>, length: usize) -> Value {
    if length > shown.len() {
        shown.push(json!(format!("and {} more", length - shown.len())));
    }
    Value::Array(shown)
}

/// Keys are words of AWS's models, but for those of maps, which can be anything.
fn shown_key(key: &str, pseudonyms: &Pseudonyms) -> String {
    let is_word = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && key.chars().any(|c| c.is_ascii_alphabetic());
    if is_word { key.to_owned() } else { pseudonyms.of(key) }
}

fn element(node: roxmltree::Node, above: &str, pseudonyms: &Pseudonyms) -> Value {
    let own = node.tag_name().name();
    // The entries of a list are called `member` or `item`; the list's name says what they are.
    let key = if ["member", "item", "Item", "entry"].contains(&own) { above } else { own };
    let mut fields: Map<String, Value> = Map::new();
    let mut lengths: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for child in node.children().filter(roxmltree::Node::is_element) {
        let name = child.tag_name().name();
        let length = lengths.entry(name).or_default();
        *length += 1;
        if *length > SHOWN {
            continue;
        }
        let value = element(child, key, pseudonyms);
        match fields.get_mut(name) {
            Some(Value::Array(items)) => items.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => {
                fields.insert(name.to_owned(), value);
            }
        }
    }
    for (name, length) in lengths {
        if let (true, Some(Value::Array(items))) = (length > SHOWN, fields.get_mut(name)) {
            items.push(json!(format!("and {} more", length - SHOWN)));
        }
    }
    if fields.is_empty() {
        return scalar(key, node.text().unwrap_or_default(), pseudonyms);
    }
    Value::Object(fields)
}

/// One text: as it is, as a pseudonym, or as its type.
fn scalar(key: &str, text: &str, pseudonyms: &Pseudonyms) -> Value {
    let key = key.to_lowercase();
    let text = text.trim();
    let ends = |endings: &[&str]| endings.iter().any(|ending| key.ends_with(ending));
    let kind = if text.is_empty() || text == "true" || text == "false" {
        return json!(text);
    } else if SECRET.iter().any(|word| key.contains(word)) {
        "string"
    } else if text.contains('@') {
        "address"
    } else if (ends(WORDS) && is_word(text)) || (ends(NAMES) && is_name(text)) {
        return json!(text);
    } else if is_time(text) {
        "time"
    } else if is_identifier(&key, text) {
        return json!(pseudonyms.of(text));
    } else if text.parse::<f64>().is_ok() {
        "digits"
    } else {
        "string"
    };
    json!(kind)
}

/// Letters and what joins them, as in `CREATE_COMPLETE` and `AWS::S3::Bucket`. Only words with
/// few digits: those of keys and tokens have many.
fn is_word(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_:.#-".contains(c);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(fits)
        && digits <= 2
}

/// A logical id, or the path of a property, of our templates.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '/';
    text.len() <= 128 && text.chars().all(fits) && !text.chars().all(|c| c.is_ascii_digit())
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 19
        && bytes.iter().take(4).all(u8::is_ascii_digit)
        && (bytes[4], bytes[7], bytes[10]) == (b'-', b'-', b'T')
}

/// What things are called by. Values of parameters, of attributes and of items are not.
fn is_identifier(key: &str, text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_./:+=*\"-".contains(c);
    let is_value = ["value", "message", "s", "n", "b", "expectedvalue", "actualvalue"];
    // An account is a number.
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= LONGEST
        && text.chars().all(fits)
        && !is_value.contains(&key)
        && (is_account || text.parse::<f64>().is_err() || key.ends_with("id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_keeps_its_form_and_loses_what_it_says() {
        let pseudonyms = Pseudonyms::new().expect("a key");
        let secret = json!({
            "Parameter": {"Name": "/pond/turnstile", "Type": "SecureString", "Value": "s3cr3t"},
            "Items": [{"email": {"S": "ann@example.com"}, "n": {"N": "7"}}],
            "pond-eggs": 1, "Username": "ann@example.com", "ClientSecret": "abcdef",
            "Account": "111122223333", "Enabled": true, "StackStatus": "CREATE_COMPLETE",
            "OutputKey": "BucketName", "OutputValue": "pond-artifacts", "At": 12.5, "Zone": null,
            "CreationTime": "2026-11-29T10:00:00Z", "KeyStatus": "AKIAIOSFODNN7EXAMPLE0123",
        });
        let shown = of_json(&secret, &pseudonyms);
        let text = shown.to_string();
        for word in ["s3cr3t", "ann", "111122223333", "pond", "abcdef", "2026", "AKIA", "12.5"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert_eq!(shown["StackStatus"], "CREATE_COMPLETE");
        assert_eq!(shown["Parameter"]["Type"], "SecureString");
        assert_eq!(shown["Parameter"]["Value"], "string");
        assert_eq!(shown["Items"][0]["email"]["S"], "address");
        assert_eq!(shown["OutputKey"], "BucketName");
        assert_eq!(shown["OutputValue"], pseudonyms.of("pond-artifacts"));
        assert_eq!(shown["Enabled"], true);
        assert_eq!(shown["CreationTime"], "time");
    }

    #[test]
    fn lists_say_how_long_they_are() {
        let pseudonyms = Pseudonyms::new().expect("a key");
        let long: Vec<u32> = (0..100).collect();
        let shown = of_json(&json!({ "Sizes": long }), &pseudonyms);
        assert_eq!(shown["Sizes"].as_array().map(Vec::len), Some(SHOWN + 1));
        assert_eq!(shown["Sizes"][SHOWN], "and 68 more");
        let keys: Vec<String> = (0..100).map(|n| format!("<Key>a{n}</Key>")).collect();
        let shown = of_xml(&format!("<R>{}</R>", keys.concat()), &pseudonyms).expect("xml");
        assert_eq!(shown["R"]["Key"].as_array().map(Vec::len), Some(SHOWN + 1));
        assert_eq!(shown["R"]["Key"][SHOWN], "and 68 more");
    }

    #[test]
    fn forms_and_xml_are_read_like_json() {
        let pseudonyms = Pseudonyms::new().expect("a key");
        let form =
            "Action=CreateStack&StackName=pond%2Ddata&TemplateBody=a+b&Tags.member.1.Value=x";
        let shown = of_form(form, &pseudonyms);
        assert_eq!(shown["Action"], "CreateStack");
        assert_eq!(shown["StackName"], pseudonyms.of("pond-data"));
        assert_eq!(shown["TemplateBody"], "string");
        assert_eq!(shown["Tags.member.1.Value"], "string");
        let text = "<A><Stacks><member><StackId>arn:aws:cloudformation:eu-west-1:111122223333:\
                    stack/pond/1</StackId></member><member><StackId>x</StackId></member></Stacks>\
                    <IsTruncated>false</IsTruncated></A>";
        let shown = of_xml(text, &pseudonyms).expect("xml");
        let id = shown["A"]["Stacks"]["member"][0]["StackId"].as_str().expect("an id");
        assert!(id.starts_with("arn:aws:cloudformation:eu-west-1:id:"), "{id}");
        assert_eq!(shown["A"]["IsTruncated"], "false");
        assert_eq!(of_xml("<A>", &pseudonyms), None);
    }
}
