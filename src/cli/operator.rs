//! What to do with operators, and of which galaxy.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with operators.
#[derive(Debug, Subcommand)]
pub enum OperatorWish {
    /// Make someone an operator, creating an account if needed
    Add {
        /// Email address
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Where.
        #[command(flatten)]
        home: Home,
    },
    /// Remove operator rights from an account
    Remove {
        /// Email address
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Where.
        #[command(flatten)]
        home: Home,
    },
    /// Remove an account's second factor and sign it out everywhere
    ResetMfa {
        /// Email address
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Where.
        #[command(flatten)]
        home: Home,
    },
    /// List operators
    List {
        /// Where.
        #[command(flatten)]
        home: Home,
    },
}

/// Which galaxy.
#[derive(Debug, Args)]
pub struct Home {
    /// Data folder of a stopped local galaxy [default: AWS]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}
