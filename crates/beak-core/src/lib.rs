//! The Beak's domain: what a duckling, a peck, a bond, a certificate and a tier are, and what may
//! happen to them. Knows nothing of HTTP, JSON, databases or AWS; those come in through `ports`.

pub mod access;
pub mod audit;
pub mod certificate;
pub mod duckling;
pub mod error;
pub mod factor;
pub mod feedback;
pub mod galaxy;
pub mod id;
pub mod key;
pub mod lease;
pub mod mail;
pub mod newsletter;
pub mod peck;
pub mod person;
pub mod ports;
pub mod sealed;
pub mod text;
pub mod tier;

#[cfg(feature = "contract")]
pub mod contract;

/// The version of the galaxy that is spoken here.
pub const GALAXY_VERSION: &str = "1.1.0";

pub use error::{BeakError, Result};
pub use galaxy::{Galaxy, Ports, Settings};
pub use time::{Duration, OffsetDateTime};
