//! One HTTP router for the Beak, on Lambda and on your own machine.
//!
//! A home makes a [`beak_core::Galaxy`] of its adapters and serves [`router`] of it.

pub mod captcha;
mod extract;
mod handlers;
pub mod jws;
mod problem;
mod request;
mod router;
pub mod system;
mod wire;

pub use extract::ClientAddress;
pub use request::RequestId;
pub use router::router;
