//! The installer of Space Duck: one command from an AWS account to a galaxy of your own.
//!
//! Data goes one way: flags and `galaxy.yaml` → what is there → a plan → rendered templates →
//! effects → events → people or JSON Lines. `ARCHITECTURE.md` shows the map.

pub mod render;
pub mod yaml;
