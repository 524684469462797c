//! Mail and domains of a galaxy, as far as they can be thought about without an AWS account: which
//! DNS records are wanted and how they are right now, what is still to be done before Amazon lets
//! mail out to everybody, and the letter that asks for it.
//!
//! Everything but [`dns`] is pure.

pub mod checklist;
pub mod dmarc;
pub mod dns;
pub mod facts;
pub mod items;
pub mod judge;
pub mod name;
pub mod near;
pub mod records;
pub mod request;
pub mod review;
pub mod sheet;
pub mod spf;
