//! The flags of what comes before an installation.

use clap::Args;

/// What the person knows already about a new galaxy.
#[derive(Debug, Args)]
pub struct Init {
    /// Galaxy name; prefixes every resource name in the account
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Set a value, such as `api.memory_mb=512` (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// What is to be looked at.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print the IAM policy for installing; needs no credentials
    #[arg(long)]
    pub print_policy: bool,
    /// Account ID for the policy [default: ask AWS]
    #[arg(long, value_name = "ID", requires = "print_policy")]
    pub account: Option<String>,
}
