//! The flags of `drift` and `repair`.

use clap::Args;

/// How drift is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct Drift {
    /// Show only findings new since the last run with this flag
    #[arg(long)]
    pub since_last: bool,
    /// Exit with 6 for failed checks too
    #[arg(long)]
    pub strict: bool,
}

/// What is put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Repair {
    /// Finding, stack or site [default: everything]
    #[arg(value_name = "ITEM", required_if_eq("keep", "true"))]
    pub items: Vec<String>,
    /// Accept these findings as the new normal; change nothing
    #[arg(long)]
    pub keep: bool,
}
