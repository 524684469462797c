//! What the reference on the sites needs apart from the OpenAPI document.

use beak_core::access::PERSON_PER_MINUTE;
use beak_core::audit::{EventKind, KEPT};
use beak_core::peck::PeckType;
use beak_core::tier::Tier;
use beak_core::{BeakError, GALAXY_VERSION};
use serde_json::{Value, json};

use super::{codes, errors, operation_id};
use crate::call::Call;
use crate::{calls, problem};

/// Everything, in the order of the tables that it comes from.
pub(super) fn facts() -> Value {
    json!({
        "galaxy_version": GALAXY_VERSION,
        "calls": calls::all().iter().map(call).collect::<Vec<_>>(),
        "errors": errors().iter().map(error).collect::<Vec<_>>(),
        "events": EventKind::ALL.map(EventKind::word),
        "events_kept_days": KEPT.whole_days(),
        "tiers": Tier::ALL.map(|tier| json!({
            "tier": tier.word(),
            "bonds": tier.bonds(),
            "requests_per_minute": tier.requests_per_minute(),
        })),
        "peck_types": peck_types(),
        "person_requests_per_minute": PERSON_PER_MINUTE,
    })
}

fn call(call: &Call) -> Value {
    let row = &call.row;
    json!({
        "id": operation_id(row),
        "method": row.method.as_str(),
        "path": row.path,
        "who": row.who.words(),
        "tier": row.tier.word(),
        "per_address": row.per_address.map(|limit| limit.limit),
        "counted_as": row.per_address.map(|limit| limit.name),
        "rate": row.throttle.rate,
        "burst": row.throttle.burst,
        "does": row.does,
        "errors": codes(call),
    })
}

fn error(error: &BeakError) -> Value {
    // These say each time what is wrong.
    let varies = matches!(
        error,
        BeakError::Invalid { .. }
            | BeakError::Forbidden(_)
            | BeakError::NotFound(_)
            | BeakError::AlreadyExists(_)
            | BeakError::Conflict { .. }
            | BeakError::WeakPassword(_)
    );
    json!({
        "code": error.code(),
        "status": problem::status(error).as_u16(),
        "message": (!varies).then(|| error.to_string()),
        "field": error.field(),
    })
}

/// Those that the document names as examples; any other dotted name is as good.
fn peck_types() -> Vec<Value> {
    let document = super::document();
    let schema = &document["components"]["schemas"]["NewPeck"]["properties"]["peck_type"];
    let names = schema["examples"].as_array().expect("examples");
    let peck_type = |name: &Value| {
        let name = name.as_str().expect("a text");
        let needs = PeckType::parse(name).expect("a peck type").asks_for();
        json!({"name": name, "tier": needs.word()})
    };
    names.iter().map(peck_type).collect()
}
