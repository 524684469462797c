//! The installer of Space Duck: one command from an AWS account to a galaxy of your own.
//!
//! Data goes one way: flags and `galaxy.yaml` → what is there → a plan → rendered templates →
//! effects → events → people or JSON Lines. `ARCHITECTURE.md` shows the map.

pub mod archive;
pub mod aws;
pub mod back;
pub mod catalog;
pub mod causes;
pub mod cli;
pub mod config;
pub mod cost;
pub mod doctor;
pub mod domains;
pub mod drift;
pub mod environment;
pub mod escape;
pub mod event;
pub mod execute;
pub mod failure;
pub mod files;
pub mod iam;
pub mod identity;
pub mod init;
pub mod lock;
pub mod mail;
pub mod model;
pub mod observe;
pub mod operators;
pub mod pace;
pub mod plan;
pub mod policy;
pub mod ports;
pub mod progress;
pub mod prompt;
pub mod provider;
pub mod publish;
pub mod receipt;
pub mod rehearse;
pub mod release;
pub mod render;
pub mod run;
pub mod scrub;
pub mod shield;
pub mod site;
pub mod stored;
pub mod verify;
pub mod yaml;
pub mod zones;
