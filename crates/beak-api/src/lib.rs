//! One HTTP router for the Beak, on Lambda and on your own machine.
//!
//! A home makes a [`beak_core::Galaxy`] of its adapters and serves [`router()`] of it.

mod burst;
mod cached;
mod call;
mod calls;
pub mod captcha;
pub mod cors;
mod extract;
mod fixed_time;
pub mod front;
mod gate;
mod handlers;
pub mod jws;
#[cfg(test)]
mod openapi;
mod page;
mod problem;
mod request;
mod root;
mod router;
pub mod system;
mod wire;

pub use cached::is_known;
pub use call::{PerAddress, Row, Throttle};
pub use calls::table;
pub use extract::ClientAddress;
pub use request::RequestId;
pub use router::{router, router_within};
