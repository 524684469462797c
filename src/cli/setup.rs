//! The flags of what comes before an installation.

use clap::Args;

/// What the person knows already about a new galaxy.
#[derive(Debug, Args)]
pub struct Init {
    /// The galaxy's name; it starts every name in the account
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A setting and its value, such as `api.memory_mb=512`; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
}

/// What is to be looked at.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print the policy that install, upgrade, drift, rollback and teardown need, and look at
    /// nothing
    #[arg(long)]
    pub print_policy: bool,
    /// The account that the policy is for; without it AWS is asked
    #[arg(long, value_name = "ID", requires = "print_policy")]
    pub account: Option<String>,
}
