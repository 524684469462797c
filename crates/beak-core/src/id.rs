//! Ids: a prefix that says what it names, and a ULID, which sorts by the time it was made.

use std::fmt;

use time::OffsetDateTime;
use ulid::Ulid;

use crate::error::{BeakError, Result};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $field:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A new id of this moment; `random` makes it unlike all others.
            #[must_use]
            pub fn new(now: OffsetDateTime, random: [u8; 16]) -> Self {
                Self(format!("{}{}", $prefix, ulid_of(now, random)))
            }

            /// Parses an id from a request.
            pub fn parse(text: &str) -> Result<Self> {
                let ulid = text.strip_prefix($prefix).filter(|rest| is_ulid(rest));
                if ulid.is_some() {
                    return Ok(Self(text.to_owned()));
                }
                Err(BeakError::invalid($field, not_an_id(text, $prefix, $what)))
            }

            /// When it was made, to the millisecond.
            #[must_use]
            pub fn made_at(&self) -> OffsetDateTime {
                let ulid = Ulid::from_string(&self.0[$prefix.len()..]);
                let since = ulid.map_or(0, |ulid| i128::from(ulid.timestamp_ms()) * 1_000_000);
                OffsetDateTime::from_unix_timestamp_nanos(since)
                    .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A duckling.
    DucklingId, "dkl_", "duckling_id", "a duckling id"
}
id! {
    /// A birth certificate.
    CertId, "crt_", "cert_id", "a certificate id"
}
id! {
    /// A peck, and the bond it may become.
    PeckId, "pck_", "peck_id", "a peck id"
}
id! {
    /// An event of the audit.
    EventId, "evt_", "event_id", "an event id"
}

id! {
    /// An attempt to hatch.
    HatchId, "htc_", "hatch_id", "a hatch id"
}

/// Why a text is no id, and what one looks like. The text is repeated only where it has the prefix
/// of an id: anything else may be a secret that went into the wrong field.
fn not_an_id(text: &str, prefix: &str, what: &str) -> String {
    let like = format!("`{prefix}` and 26 digits and capital letters, such as `{prefix}{EXAMPLE}`");
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    let is_short = (1..=40).contains(&rest.len());
    if is_short && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return format!("`{text}` is not {what}; one is {like}");
    }
    format!("{what} is {like}")
}

/// The example of the ULID specification.
const EXAMPLE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn ulid_of(now: OffsetDateTime, random: [u8; 16]) -> Ulid {
    let milliseconds = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    Ulid::from_parts(milliseconds, u128::from_be_bytes(random))
}

/// The canonical spelling: upper case, no look-alikes. Otherwise one object would have two ids.
fn is_ulid(text: &str) -> bool {
    Ulid::from_string(text).is_ok_and(|ulid| ulid.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_sorts_by_time() {
        let early = OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a time");
        let late = early + time::Duration::milliseconds(1);
        let (first, second) = (PeckId::new(early, [255; 16]), PeckId::new(late, [0; 16]));
        assert!(first < second, "{first} {second}");
        assert_eq!((first.made_at(), second.made_at()), (early, late));
        assert_eq!(PeckId::parse(first.as_str()), Ok(first));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let good = DucklingId::new(OffsetDateTime::UNIX_EPOCH, [7; 16]).to_string();
        let bad = [
            String::new(),
            "dkl_".into(),
            "dkl_abc123".into(),
            good.replace("dkl_", "pck_"),
            good.to_lowercase(),
            format!("{good}0"),
            format!(" {good}"),
        ];
        for text in bad {
            assert!(DucklingId::parse(&text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_error_shows_what_an_id_looks_like() {
        let said = |text: &str| PeckId::parse(text).expect_err("no id").to_string();
        let like = "`pck_` and 26 digits and capital letters, such as \
                    `pck_01ARZ3NDEKTSV4RRFFQ69G5FAV`";
        assert_eq!(said("pck_abc123"), format!("`pck_abc123` is not a peck id; one is {like}"));
        // A key in the wrong field is not repeated.
        assert_eq!(said("sd_bk_secret"), format!("a peck id is {like}"));
        assert!(PeckId::parse(&format!("pck_{EXAMPLE}")).is_ok());
    }
}
