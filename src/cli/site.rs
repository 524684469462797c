//! Flags of the commands about pages of one's own.

use clap::Subcommand;

/// What to do with pages of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum SiteWish {
    /// Read the folder that `pages` in galaxy.yaml names, and tell every mistake in it
    Check,
    /// Put what has changed in pages onto the sites, and nothing else; needs an installed galaxy
    Publish,
}
