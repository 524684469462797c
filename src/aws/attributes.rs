//! `DynamoDB` values and their JSON, in the form of the service's wire format and exports, so that
//! a round trip loses nothing.
//!
//! By hand, because libraries for it convert values to ordinary JSON, which has neither sets nor
//! bytes nor exact numbers. Source: "`AttributeValue`", Amazon `DynamoDB` API Reference.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Nothing for a type that the SDK does not know yet.
pub(super) fn to_json(value: &AttributeValue) -> Option<Value> {
    Some(match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        AttributeValue::Null(is) => json!({ "NULL": is }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(all) => {
            let all: Vec<String> = all.iter().map(|bytes| STANDARD.encode(bytes)).collect();
            json!({ "BS": all })
        }
        AttributeValue::L(list) => {
            json!({ "L": list.iter().map(to_json).collect::<Option<Vec<_>>>()? })
        }
        AttributeValue::M(map) => {
            let one =
                |(name, value): (&String, &AttributeValue)| Some((name.clone(), to_json(value)?));
            json!({ "M": map.iter().map(one).collect::<Option<Map<_, _>>>()? })
        }
        _ => return None,
    })
}

/// Nothing for what is no such value.
pub(super) fn from_json(value: &Value) -> Option<AttributeValue> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let (kind, value) = object.iter().next()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let texts = |value: &Value| value.as_array()?.iter().map(text).collect::<Option<Vec<_>>>();
    let bytes = |value: &Value| Some(Blob::new(STANDARD.decode(value.as_str()?).ok()?));
    Some(match kind.as_str() {
        "S" => AttributeValue::S(text(value)?),
        "N" => AttributeValue::N(text(value)?),
        "BOOL" => AttributeValue::Bool(value.as_bool()?),
        "NULL" => AttributeValue::Null(value.as_bool()?),
        "B" => AttributeValue::B(bytes(value)?),
        "SS" => AttributeValue::Ss(texts(value)?),
        "NS" => AttributeValue::Ns(texts(value)?),
        "BS" => AttributeValue::Bs(value.as_array()?.iter().map(bytes).collect::<Option<_>>()?),
        "L" => AttributeValue::L(value.as_array()?.iter().map(from_json).collect::<Option<_>>()?),
        "M" => {
            let one = |(name, value): (&String, &Value)| Some((name.clone(), from_json(value)?));
            AttributeValue::M(value.as_object()?.iter().map(one).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_as_it_was() {
        let all = AttributeValue::M(
            [
                ("s".to_owned(), AttributeValue::S("ä".into())),
                ("n".to_owned(), AttributeValue::N("12345678901234567890.5".into())),
                ("b".to_owned(), AttributeValue::B(Blob::new([0, 255]))),
                ("bool".to_owned(), AttributeValue::Bool(true)),
                ("null".to_owned(), AttributeValue::Null(true)),
                ("ss".to_owned(), AttributeValue::Ss(vec!["a".into()])),
                ("ns".to_owned(), AttributeValue::Ns(vec!["1".into()])),
                ("bs".to_owned(), AttributeValue::Bs(vec![Blob::new([7])])),
                ("l".to_owned(), AttributeValue::L(vec![AttributeValue::S(String::new())])),
            ]
            .into(),
        );
        let json = to_json(&all).expect("known types");
        let text = json.to_string();
        let back = from_json(&serde_json::from_str(&text).expect("json")).expect("a value");
        assert_eq!(back, all);
    }

    #[test]
    fn what_is_no_value_is_none() {
        for text in [r#""a""#, "{}", r#"{"S":1}"#, r#"{"X":"a"}"#, r#"{"S":"a","N":"1"}"#] {
            let value: Value = serde_json::from_str(text).expect("json");
            assert_eq!(from_json(&value), None, "{text}");
        }
    }
}
