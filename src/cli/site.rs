//! Flags of the commands for your own pages.

use clap::Subcommand;

/// Commands for your own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum SiteWish {
    /// Check the folder that `pages` in galaxy.yaml names
    Check,
    /// Publish changed pages to the sites of an installed galaxy
    Publish,
}
