//! One small function per call: JSON → nouns → galaxy → JSON.

pub(crate) mod certificates;
pub(crate) mod factor;
pub(crate) mod galaxy;
pub(crate) mod hatch;
pub(crate) mod newsletter;
pub(crate) mod operators;
pub(crate) mod others;
pub(crate) mod pecks;
pub(crate) mod people;

use std::sync::Arc;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beak_core::ports::Page;
use beak_core::{BeakError, Galaxy};

use crate::problem::Problem;

pub(crate) type Beak = State<Arc<Galaxy>>;
type Answer<T> = Result<T, Problem>;

/// Where a list goes on. The cursor is the last entry's id, wrapped so that nobody builds on it.
fn page(limit: Option<&str>, cursor: Option<&str>) -> Result<Page, BeakError> {
    let out_of_range = || BeakError::invalid("limit", "a limit is a number from 1 to 100");
    let limit = match limit {
        None => 20,
        Some(text) => text.parse().map_err(|_| out_of_range())?,
    };
    if !(1..=100).contains(&limit) {
        return Err(out_of_range());
    }
    let after = cursor.map(unwrap_cursor).transpose()?;
    Ok(Page { limit, after })
}

fn unwrap_cursor(text: &str) -> Result<String, BeakError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let id = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    // An id, or a time and an id.
    let known = |id: &String| matches!(id.len(), 30 | 46) && id.is_ascii();
    id.filter(known).ok_or_else(|| BeakError::invalid("cursor", "this cursor is not from here"))
}

fn wrap_cursor(next: Option<String>) -> Option<String> {
    next.map(|id| URL_SAFE_NO_PAD.encode(id))
}
