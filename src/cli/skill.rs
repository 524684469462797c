//! The flags of skills.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with skills.
#[derive(Debug, Subcommand)]
pub enum SkillWish {
    /// Tell every mistake of a skill, or what it says of itself
    Check {
        /// The folder with SKILL.md
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Put a skill into one file; the same files give the same bytes
    Pack {
        /// The folder with SKILL.md
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// File to write; without it NAME-VERSION.skill.zip
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Tell the mark of your key for signing; makes the key if there is none
    Key {
        /// The key; without it publisher.key in `SPACEDUCK_HOME` or ~/.config/spaceduck
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Sign a pack as the duckling whose certificate names your key
    Sign {
        /// What `pack` has written
        #[arg(value_name = "PACK")]
        pack: PathBuf,
        /// The birth certificate, or an answer of the API that holds it
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
        /// The key; without it publisher.key in `SPACEDUCK_HOME` or ~/.config/spaceduck
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// File to write; without it PACK.sig
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Sign although the certificate does not name the key
        #[arg(long)]
        unnamed: bool,
    },
    /// Tell who has published a skill, or why that is not certain
    Verify(Check),
}

/// How a signature is judged.
#[derive(Debug, Args)]
pub struct Check {
    /// What `pack` has written, or the folder of a skill
    #[arg(value_name = "PACK|FOLDER")]
    pub skill: PathBuf,
    /// The signature; without it PACK.sig
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// The galaxy whose word counts: the base URL of its API
    #[arg(long, value_name = "URL", required_unless_present = "jwks")]
    pub galaxy: Option<String>,
    /// The galaxy's keys, saved before; then nobody is asked
    #[arg(long, value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    /// Who must have published it
    #[arg(long, value_name = "DUCKLING_ID")]
    pub publisher: Option<String>,
    /// The mark of the publisher's key, if you have it from the publisher
    #[arg(long, value_name = "MARK")]
    pub publisher_key: Option<String>,
}
