//! The JSON of every call. Field names here are the contract; nothing else of the Beak knows serde.
//! What a schema says besides the types is in `openapi::text`.

mod ducks;
mod factor;
mod galaxy;
mod hatch;
mod pecks;
mod people;

use axum::Json;
use axum::http::StatusCode;
use beak_core::OffsetDateTime;
use beak_core::galaxy::Progress;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;

pub(crate) use self::ducks::*;
pub(crate) use self::factor::*;
pub(crate) use self::galaxy::*;
pub(crate) use self::hatch::*;
pub(crate) use self::pecks::*;
pub(crate) use self::people::*;
#[cfg(test)]
use crate::openapi::text;

/// A moment as RFC 3339 in UTC.
#[derive(Clone, Copy)]
pub(crate) struct Moment(pub(crate) OffsetDateTime);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_offset(time::UtcOffset::UTC).format(&Rfc3339);
        serializer.serialize_str(&text.map_err(serde::ser::Error::custom)?)
    }
}

/// An answer that says only what has become of it.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Status {
    pub(crate) status: &'static str,
}

impl Status {
    /// The answer to a deletion: `deleting` while bonds are left, which end by themselves.
    pub(crate) fn of_deletion(progress: Progress, done: &'static str) -> (StatusCode, Json<Self>) {
        match progress {
            Progress::Done => (StatusCode::OK, Json(Self { status: done })),
            Progress::Continues => (StatusCode::ACCEPTED, Json(Self { status: "deleting" })),
        }
    }
}

/// A mail is on its way.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Mailed {
    pub(crate) status: &'static str,
    /// What to know while this galaxy's mail does not reach everybody. For every address alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<&'static str>,
}

/// Which part of a list.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PageAsked {
    #[cfg_attr(test, schemars(with = "Option<text::Limit>"))]
    pub(crate) limit: Option<String>,
    /// `next_cursor` of the part before.
    #[cfg_attr(test, schemars(with = "Option<text::Cursor>"))]
    pub(crate) cursor: Option<String>,
}
