//! The command line: names, flags and help. Looks nothing up.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

mod help;
mod life;
mod looking;
mod operator;
mod report;
mod setup;
mod site;
mod skill;
mod teardown;

pub use help::{command, parse};
pub use life::{Adopt, Install};
pub use looking::{Drift, Repair};
pub use operator::{Home, OperatorWish};
pub use report::{Support, Verify};
pub use setup::{Doctor, Init};
pub use site::SiteWish;
pub use skill::{Check, SkillWish};
pub use teardown::{MailChoice, Teardown};

/// Run a Space Duck galaxy on this machine or in your AWS account
#[derive(Debug, Parser)]
#[command(name = "spaceduck", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// What all commands share.
    #[command(flatten, next_help_heading = "Shared flags")]
    pub shared: Shared,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each flag is independent")]
pub struct Shared {
    /// Config file [default: galaxy.yaml, if present]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON lines; the last one holds the outcome
    #[arg(long, global = true)]
    pub json: bool,
    /// Skip the confirmation prompt (deletions need --confirm)
    #[arg(long, global = true)]
    pub yes: bool,
    /// Simulate against an in-memory account, 60× faster
    #[arg(long, global = true)]
    pub rehearse: bool,
    /// AWS Region
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// AWS profile
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Print errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// Log each AWS call as a JSON line, without secrets
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "rehearse")]
    pub trace: Option<PathBuf>,
    /// Overwrite files that exist, follow links, write into pipes
    #[arg(long, global = true)]
    pub force: bool,
    /// Probe API and sites at this address, over plain HTTP
    #[arg(long, global = true, value_name = "HOST:PORT", env = "SPACEDUCK_CONNECT_TO")]
    pub connect_to: Option<String>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write galaxy.yaml from a few questions or from flags
    Init(Init),
    /// Check what an install needs, and show how to fix problems
    Doctor(Doctor),
    /// Show what `install` would change, its cost and its duration
    Plan,
    /// Create the galaxy in AWS, or upgrade it to this release
    #[command(visible_alias = "upgrade")]
    Install(Install),
    /// Take over resources that carry the galaxy's names
    Adopt(Adopt),
    /// List the account's galaxies: Region, release, cost, problems
    List,
    /// Roll back the function and the sites to an earlier release
    Rollback {
        /// Release name or number [default: the previous release]
        #[arg(value_name = "RELEASE")]
        release: Option<String>,
        /// List the releases
        #[arg(long, conflicts_with = "release")]
        list: bool,
    },
    /// Show what is installed and whether it responds
    Status,
    /// Find what has changed since the install
    Drift(Drift),
    /// Check an installed galaxy end to end and write a report
    Verify(Verify),
    /// Restore what `drift` found
    Repair(Repair),
    /// Remove the galaxy and its data from AWS
    Teardown(Teardown),
    /// Export all data to a file: tables and accounts
    Export {
        /// File to write, or `-` for stdout; --force overwrites
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Import an export into an empty galaxy
    Import {
        /// File to read
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show the function's logs
    Logs {
        /// Start this far back, such as 90s, 15m, 2h or 1d
        #[arg(long, value_name = "TIME", default_value = "15m")]
        since: String,
        /// Print only lines containing TEXT
        #[arg(long, value_name = "TEXT")]
        grep: Option<String>,
        /// Read the gateway's access log instead
        #[arg(long)]
        access: bool,
        /// Keep printing new lines until Ctrl-C
        #[arg(long, short)]
        follow: bool,
    },
    /// Open a site in the browser
    Open {
        /// Site name or `api` [default: mightyspaceduck]
        #[arg(value_name = "SITE")]
        site: Option<String>,
    },
    /// Write the CloudFormation templates to a folder to read them
    Render {
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Print the JSON Schema of galaxy.yaml, for editors
    Schema,
    /// Print shell completions
    Completions {
        /// Shell name
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write man pages
    Man {
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Add, remove and list operators
    Operator {
        /// What to do
        #[command(subcommand)]
        wish: OperatorWish,
    },
    /// Show the state of each domain and its DNS records
    Domains(Domains),
    /// Show the checklist for sending mail, and work through it
    Mail(Mail),
    /// Check, pack, sign and verify agent skills
    Skill {
        /// What to do
        #[command(subcommand)]
        wish: SkillWish,
    },
    /// Check your own pages, or publish them to an installed galaxy
    Site {
        /// What to do
        #[command(subcommand)]
        wish: SiteWish,
    },
    /// Write a support file: version, settings, plan, drift, trace
    Support(Support),
    /// Run a whole galaxy on this machine, without AWS
    Local {
        /// Port to listen on; 0 picks a free one
        #[arg(long, value_name = "N", default_value_t = beak_local::DEFAULT_PORT)]
        port: u16,
        /// Data folder
        #[arg(long, value_name = "DIR", default_value = beak_local::DEFAULT_DATA)]
        data: PathBuf,
        /// Turn off rate limits
        #[arg(long)]
        no_limits: bool,
        /// Fill a new data folder from an export, then start
        #[arg(long, value_name = "FILE", conflicts_with = "export")]
        import: Option<PathBuf>,
        /// Write the data folder to a new file instead of starting
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
    },
}

/// The sheet of records.
#[derive(Debug, Args)]
pub struct Domains {
    /// Also write the records as a BIND zone file
    #[arg(long, value_name = "FILE")]
    pub zone: Option<PathBuf>,
    /// Keep checking until everything is done or Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// The walk of mail.
#[derive(Debug, Args)]
pub struct Mail {
    /// Keep checking until everything is done or Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Simulate this state of Amazon's review (with --rehearse)
    #[arg(long, value_name = "STATE", global = true)]
    pub play: Option<PlayedReview>,
    /// What to do instead of the walk
    #[command(subcommand)]
    pub wish: Option<MailWish>,
}

/// A state of the review to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlayedReview {
    /// No application was sent
    NeverAsked,
    /// Amazon is reading the application
    Pending,
    /// Amazon granted production access
    Granted,
    /// Amazon denied production access
    Denied,
    /// The application failed to reach Amazon
    Failed,
    /// Amazon put the account on probation
    Probation,
    /// Amazon shut down sending
    Shutdown,
    /// Sending is paused for the account
    Paused,
}

impl PlayedReview {
    /// The state's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NeverAsked => "never_asked",
            Self::Pending => "pending",
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Probation => "probation",
            Self::Shutdown => "shutdown",
            Self::Paused => "paused",
        }
    }
}

/// What to do about mail.
#[derive(Debug, Subcommand)]
pub enum MailWish {
    /// Apply for SES production access; sends after typed consent
    Apply(Apply),
    /// Verify one recipient while the account is in the sandbox
    Invite {
        /// Recipient's email address
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// List each DNS record and its current state
    Records {
        /// Also write the records as a BIND zone file
        #[arg(long, value_name = "FILE")]
        zone: Option<PathBuf>,
    },
    /// Test delivery, bounce and complaint with Amazon's simulator
    Test,
    /// Mark a checklist item as done
    Confirm {
        /// Item name, as the checklist shows it
        #[arg(value_name = "ITEM")]
        item: String,
    },
}

/// The application.
#[derive(Debug, Args)]
pub struct Apply {
    /// Expected emails per day at launch
    #[arg(long, value_name = "N")]
    pub per_day: Option<u32>,
    /// Additional contact address for Amazon; up to four
    #[arg(long, value_name = "ADDRESS")]
    pub contact: Vec<String>,
    /// Read the application from a file instead of an editor
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Show the draft and its score without sending
    #[arg(long, conflicts_with = "text")]
    pub draft: bool,
}

impl Command {
    /// Whether it may talk to AWS or to a galaxy, so that the settings for that have to be right.
    #[must_use]
    pub fn needs_network(&self) -> bool {
        match self {
            Self::Init(_)
            | Self::Render { .. }
            | Self::Schema
            | Self::Completions { .. }
            | Self::Man { .. }
            | Self::Local { .. } => false,
            Self::Skill { wish } => matches!(wish, SkillWish::Verify(_)),
            _ => true,
        }
    }

    /// The command's name as it is typed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Doctor(_) => "doctor",
            Self::Plan => "plan",
            Self::Install(_) => "install",
            Self::Adopt(_) => "adopt",
            Self::List => "list",
            Self::Rollback { .. } => "rollback",
            Self::Status => "status",
            Self::Drift(_) => "drift",
            Self::Repair(_) => "repair",
            Self::Verify(_) => "verify",
            Self::Teardown(_) => "teardown",
            Self::Export { .. } => "export",
            Self::Import { .. } => "import",
            Self::Logs { .. } => "logs",
            Self::Open { .. } => "open",
            Self::Render { .. } => "render",
            Self::Schema => "schema",
            Self::Completions { .. } => "completions",
            Self::Man { .. } => "man",
            Self::Operator { .. } => "operator",
            Self::Domains(_) => "domains",
            Self::Mail(_) => "mail",
            Self::Site { .. } => "site",
            Self::Skill { .. } => "skill",
            Self::Support(_) => "support",
            Self::Local { .. } => "local",
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
