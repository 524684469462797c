//! The flags of the commands that write a report.

use std::path::PathBuf;

use clap::Args;

/// What is verified.
#[derive(Debug, Args)]
pub struct Verify {
    /// Also write the report to a file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also send three emails to Amazon's mailbox simulator
    #[arg(long)]
    pub send: bool,
}

/// What is packed for support.
#[derive(Debug, Args)]
pub struct Support {
    /// File to write
    #[arg(value_name = "FILE", default_value = "spaceduck-support.txt")]
    pub file: PathBuf,
    /// Trace to include [default: newest in this folder]
    #[arg(long, value_name = "FILE")]
    pub attach: Option<PathBuf>,
}
