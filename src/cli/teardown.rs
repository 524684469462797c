//! The flags of a removal.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How a galaxy is removed.
#[derive(Clone, Debug, Default, Args)]
pub struct Teardown {
    /// Confirm with the galaxy's name instead of typing it
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Keep tables, accounts and key for a later `install`
    #[arg(long)]
    pub keep_data: bool,
    /// Export the data to this file first [default: a new file]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_export", "keep_data"])]
    pub export: Option<PathBuf>,
    /// Delete without exporting the data
    #[arg(long, conflicts_with = "keep_data")]
    pub no_export: bool,
    /// What to do with the SES identity [default: ask, else keep]
    #[arg(long, value_enum, value_name = "CHOICE")]
    pub mail: Option<MailChoice>,
    /// Also delete this adopted resource (repeatable)
    #[arg(long, value_name = "THING", conflicts_with = "keep_data")]
    pub adopted: Vec<String>,
}

/// What becomes of the mail domain's SES identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MailChoice {
    /// Keep it verified; mail from the domain keeps working
    Keep,
    /// Remove it; the domain has to be verified again
    Remove,
}
