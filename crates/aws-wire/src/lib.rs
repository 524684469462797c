//! Asks AWS services without a client that is generated for each.
//!
//! A generated client has every operation of its service, and takes up to a minute to compile for
//! the three that we call. What makes it work is not generated: credentials, signatures, attempts
//! with their waits, timeouts and clock correction are in the SDK's own runtime, and this crate
//! puts the same parts together. It adds addresses, requests and how answers are read.
//! See ADR 32.

mod address;
mod call;
mod client;
mod parts;
mod services;
mod xml;

pub use address::url;
pub use call::Call;
pub use client::{Client, Refused};
pub use services::*;
pub use xml::Element;
