//! The flags of skills.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with skills.
#[derive(Debug, Subcommand)]
pub enum SkillWish {
    /// Check a skill and show its manifest
    Check {
        /// Folder containing SKILL.md
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Pack a skill into one reproducible file
    Pack {
        /// Folder containing SKILL.md
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// File to write [default: NAME-VERSION.skill.zip]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show your signing key's fingerprint, creating it if needed
    Key {
        /// Key file [default: publisher.key in ~/.config/spaceduck]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Sign a pack as the duckling whose certificate names your key
    Sign {
        /// Packed skill
        #[arg(value_name = "PACK")]
        pack: PathBuf,
        /// Birth certificate, or an API answer that holds it
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
        /// Key file [default: publisher.key in ~/.config/spaceduck]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// File to write [default: PACK.sig]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Sign even if the certificate does not name the key
        #[arg(long)]
        unnamed: bool,
    },
    /// Verify who published a skill
    Verify(Check),
}

/// How a signature is judged.
#[derive(Debug, Args)]
pub struct Check {
    /// Packed skill, or its folder
    #[arg(value_name = "PACK|FOLDER")]
    pub skill: PathBuf,
    /// Signature file [default: PACK.sig]
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// Base URL of the API of the galaxy you trust
    #[arg(long, value_name = "URL", required_unless_present = "jwks")]
    pub galaxy: Option<String>,
    /// Saved key set of that galaxy, to verify offline
    #[arg(long, value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    /// Require this publisher
    #[arg(long, value_name = "DUCKLING_ID")]
    pub publisher: Option<String>,
    /// Require this fingerprint of the publisher's key
    #[arg(long, value_name = "MARK")]
    pub publisher_key: Option<String>,
}
