//! Flags of the commands that bring a galaxy up and extend it.

use clap::Args;

/// How a galaxy is brought up.
#[derive(Clone, Debug, Default, Args)]
pub struct Install {
    /// Allow replacing this protected resource (repeatable)
    #[arg(long, value_name = "STACK.RESOURCE")]
    pub replace: Vec<String>,
    /// Wait until every domain is attached and responds
    #[arg(long)]
    pub watch: bool,
    /// Confirm the record of a galaxy from before 0.2
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

/// What a galaxy takes over.
#[derive(Clone, Debug, Args)]
pub struct Adopt {
    /// Resource as `plan` lists it, such as table:eggs
    #[arg(value_name = "THING", required = true)]
    pub things: Vec<String>,
    /// Confirm with the same resources, separated by spaces
    #[arg(long, value_name = "THINGS")]
    pub confirm: Option<String>,
}
