//! Texts with a form. They stand in the schemas where the code has a `String` that `beak-core`
//! reads.

use std::borrow::Cow;

use beak_core::audit::EventKind as Kind;
use beak_core::certificate::CertStatus as Cert;
use beak_core::peck::PeckStatus as Peck;
use beak_core::ports::AlarmState as Alarm;
use beak_core::tier::Tier as Trust;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;

macro_rules! text {
    ($($name:ident: $make:expr;)+) => {$(
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                Schema::try_from($make).expect("a schema")
            }
        }
    )+};
}

text! {
    Email: json!({"type": "string", "format": "email", "maxLength": 254});
    Password: json!({"type": "string", "format": "password", "minLength": 12, "maxLength": 128});
    PasswordTried: json!({"type": "string", "format": "password", "maxLength": 128});
    DisplayName: json!({"type": "string", "minLength": 1, "maxLength": 64});
    // Spaces and dashes are ignored.
    // Six digits, or twelve letters and digits of a recovery code. Spaces and dashes are ignored.
    FactorCodeTyped: json!({
        "type": "string",
        "pattern": "^[ -]*(([0-9][ -]*){6}|([A-Za-z2-7][ -]*){12})$",
        "maxLength": 32,
    });
    CodeTyped: json!({"type": "string", "pattern": "^[ -]*([0-9][ -]*){6}$", "maxLength": 32});
    BeakKey: json!({"type": "string", "pattern": "^sd_bk_[0-9A-Za-z]{49}$"});
    HatchId: json!({"type": "string", "pattern": "^htc_[0-7][0-9A-HJKMNP-TV-Z]{25}$"});
    DucklingId: json!({"type": "string", "pattern": "^dkl_[0-7][0-9A-HJKMNP-TV-Z]{25}$"});
    CertId: json!({"type": "string", "pattern": "^crt_[0-7][0-9A-HJKMNP-TV-Z]{25}$"});
    PeckId: json!({"type": "string", "pattern": "^pck_[0-7][0-9A-HJKMNP-TV-Z]{25}$"});
    EventId: json!({"type": "string", "pattern": "^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$"});
    MailToken: json!({"type": "string", "pattern": "^[0-9a-f]{64}$"});
    PeckType: json!({
        "type": "string", "maxLength": 64,
        "pattern": "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)+$",
        "examples": ["data.read", "data.write", "chat.message", "task.delegate", "notify.send"]
    });
    Message: json!({"type": "string", "maxLength": 500});
    Statement: json!({"type": "string", "minLength": 1, "maxLength": 500});
    IdempotencyKey: json!({"type": "string", "pattern": "^[!-~]{1,255}$"});
    Limit: json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20});
    Cursor: json!({"type": "string", "pattern": "^[0-9A-Za-z_-]{40,62}$"});
    Moment: json!({"type": "string", "format": "date-time"});
    Direction: json!({"type": "string", "enum": ["in", "out"]});
    Decision: json!({"type": "string", "enum": ["grant", "refuse"]});
    Liveness: json!({"type": "string", "enum": ["alive", "slow", "offline"]});
    SystemStatus: json!({"type": "string", "enum": ["operational", "degraded", "outage"]});
    AlarmState: json!({"type": "string", "enum": Alarm::ALL.map(Alarm::word)});
    Tier: json!({"type": "string", "enum": Trust::ALL.map(Trust::word)});
    CertStatus: json!({"type": "string", "enum": Cert::ALL.map(Cert::word)});
    PeckStatus: json!({"type": "string", "enum": Peck::ALL.map(Peck::word)});
    EventKind: json!({"type": "string", "enum": Kind::ALL.map(Kind::word)});
}
