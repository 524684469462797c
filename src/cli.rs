//! The command line: names, flags and help. Looks nothing up.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

mod setup;
mod site;
mod skill;

pub use setup::{Doctor, Init};
pub use site::SiteWish;
pub use skill::{Check, SkillWish};

/// Installs and removes a Space Duck galaxy in your own AWS account, or runs one right here.
#[derive(Debug, Parser)]
#[command(name = "spaceduck", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done or nothing to do, 1 config or input wrong, 2 usage, \
3 refused, 4 a step failed, 5 credentials or permission, 6 drift found, 7 mail not finished, \
70 our bug, 130 interrupted.")]
pub struct Cli {
    /// What all commands share.
    #[command(flatten)]
    pub shared: Shared,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that stands for itself")]
pub struct Shared {
    /// Configuration file; without it and without a galaxy.yaml the defaults rule
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON object a line instead of text; the last one tells the outcome
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer yes to the one question; never names what is to be deleted
    #[arg(long, global = true)]
    pub yes: bool,
    /// Play it through in an account in memory, in compressed time; needs no AWS account
    #[arg(long, global = true)]
    pub rehearse: bool,
    /// AWS Region of the galaxy
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// AWS profile
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Say only what went wrong
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// Probe API and sites at this address over plain HTTP, keeping their host names
    #[arg(long, global = true, value_name = "HOST:PORT", env = "SPACEDUCK_CONNECT_TO")]
    pub connect_to: Option<String>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a galaxy.yaml from a few questions or from flags, never with a secret in it
    Init(Init),
    /// Find what would stop an installation, with its cure; exits with 1 if there is something
    Doctor(Doctor),
    /// Show what `install` would do, what it costs and how long it takes; changes nothing
    Plan,
    /// Create the galaxy in AWS, or bring it to this release
    #[command(visible_alias = "upgrade")]
    Install {
        /// A protected resource that may be replaced or removed; may be given several times
        #[arg(long, value_name = "STACK.RESOURCE")]
        replace: Vec<String>,
        /// Stay until every domain has its certificate, is attached and answers
        #[arg(long)]
        watch: bool,
    },
    /// Put an earlier release back, function and sites together
    Rollback {
        /// Its name or number; without one it is the release before the current one
        #[arg(value_name = "RELEASE")]
        release: Option<String>,
    },
    /// Tell what is installed and whether it answers
    Status,
    /// Find what is no longer as it was installed: resources, function, pages, record, secrets
    Drift {
        /// Tell only what is new since the last look with this flag
        #[arg(long)]
        since_last: bool,
    },
    /// Put back what has drifted
    Repair {
        /// What `drift` calls it, or the stack or site it is in; without any, all of it
        #[arg(value_name = "ITEM")]
        items: Vec<String>,
    },
    /// Remove the galaxy from AWS with all its data
    Teardown(Teardown),
    /// Write all data into a file: tables and accounts
    Export {
        /// File to write
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Read what `export` has written into a galaxy that is still empty
    Import {
        /// File to read
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show what the function has logged
    Logs {
        /// How far back: seconds, or a number with s, m, h or d
        #[arg(long, value_name = "TIME", default_value = "15m")]
        since: String,
        /// Only lines that have this in them
        #[arg(long, value_name = "TEXT")]
        grep: Option<String>,
        /// The gateway's log of calls instead of the function's
        #[arg(long)]
        access: bool,
        /// Go on showing lines as they come, until Ctrl-C
        #[arg(long, short)]
        follow: bool,
    },
    /// Open a site in the browser
    Open {
        /// Which: a site's name or `api`; without one it is mightyspaceduck
        #[arg(value_name = "SITE")]
        site: Option<String>,
    },
    /// Write the CloudFormation templates for reading; needs no network and no credentials
    Render {
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Print the JSON Schema of galaxy.yaml, for editors
    Schema,
    /// Print the completions for a shell
    Completions {
        /// Which
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write man pages, one for each command
    Man {
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Say who may see all ducklings and grant tier T2
    Operator {
        /// What to do
        #[command(subcommand)]
        wish: OperatorWish,
    },
    /// Show where each domain stands, and every DNS record that is wanted, with how it is now
    Domains(Domains),
    /// Walk through what mail needs: records, Amazon's review, tests
    Mail(Mail),
    /// Check, pack, sign and verify skills for agents; needs no AWS account
    Skill {
        /// What to do
        #[command(subcommand)]
        wish: SkillWish,
    },
    /// Check and publish pages of your own, without an installation
    Site {
        /// What to do
        #[command(subcommand)]
        wish: SiteWish,
    },
    /// Run a whole galaxy on this machine; needs no AWS account
    Local {
        /// Port; 0 takes any free one
        #[arg(long, value_name = "N", default_value_t = beak_local::DEFAULT_PORT)]
        port: u16,
        /// Folder that holds everything
        #[arg(long, value_name = "DIR", default_value = beak_local::DEFAULT_DATA)]
        data: PathBuf,
        /// Do not limit how often the API may be called
        #[arg(long)]
        no_limits: bool,
    },
}

/// How a galaxy is removed.
#[derive(Clone, Debug, Default, Args)]
pub struct Teardown {
    /// The galaxy's name, typed here instead of at the question
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Keep tables, accounts and key; a later `install` takes them up again
    #[arg(long)]
    pub keep_data: bool,
    /// File that the data is written to before it goes; without it one is made here
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_export", "keep_data"])]
    pub export: Option<PathBuf>,
    /// Write no data down before it goes
    #[arg(long, conflicts_with = "keep_data")]
    pub no_export: bool,
}

/// The sheet of records.
#[derive(Debug, Args)]
pub struct Domains {
    /// Also write a BIND zone file
    #[arg(long, value_name = "FILE")]
    pub zone: Option<PathBuf>,
    /// Go on looking, and show what changes, until all is done or Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// The walk of mail.
#[derive(Debug, Args)]
pub struct Mail {
    /// Go on looking, and show what changes, until all is done or Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// With --rehearse: the state of Amazon's review to play
    #[arg(long, value_name = "STATE", global = true)]
    pub play: Option<PlayedReview>,
    /// What to do instead of the walk
    #[command(subcommand)]
    pub wish: Option<MailWish>,
}

/// A state of the review to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlayedReview {
    /// Nobody has asked
    NeverAsked,
    /// It is being read
    Pending,
    /// It was granted
    Granted,
    /// It was refused
    Denied,
    /// It never arrived
    Failed,
    /// The account is watched
    Probation,
    /// The account is stopped
    Shutdown,
    /// Sending is switched off
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
    /// Ask Amazon to let mail out to everybody; shows all and sends only after typed consent
    Apply(Apply),
    /// Let one person receive mail while the account is in the sandbox
    Invite {
        /// The person's address
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// List every DNS record that is wanted, and how it is right now
    Records {
        /// Also write a BIND zone file
        #[arg(long, value_name = "FILE")]
        zone: Option<PathBuf>,
    },
    /// Play a delivery, a bounce and a complaint with Amazon's mailbox simulator
    Test,
    /// Answer an item that only a person can answer
    Confirm {
        /// The item's name
        #[arg(value_name = "ITEM")]
        item: String,
    },
}

/// The application.
#[derive(Debug, Args)]
pub struct Apply {
    /// How many mails a day you expect at first
    #[arg(long, value_name = "N")]
    pub per_day: Option<u32>,
    /// An address that Amazon tells how it goes, too; up to four
    #[arg(long, value_name = "ADDRESS")]
    pub contact: Vec<String>,
    /// Read the text from a file instead of opening an editor
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Show draft and score, and send nothing
    #[arg(long, conflicts_with = "text")]
    pub draft: bool,
}

/// What to do with operators.
#[derive(Debug, Subcommand)]
pub enum OperatorWish {
    /// Make a person an operator; without an account one is made, and its password shown once
    Add {
        /// The person's address
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Where.
        #[command(flatten)]
        home: Home,
    },
    /// Make an operator an ordinary person
    Remove {
        /// The operator's address
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Where.
        #[command(flatten)]
        home: Home,
    },
    /// List all operators
    List {
        /// Where.
        #[command(flatten)]
        home: Home,
    },
}

/// Which galaxy.
#[derive(Debug, Args)]
pub struct Home {
    /// Folder of a local galaxy that is not running; without it the galaxy in AWS is meant
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Command {
    /// The command's name as it is typed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Doctor(_) => "doctor",
            Self::Plan => "plan",
            Self::Install { .. } => "install",
            Self::Rollback { .. } => "rollback",
            Self::Status => "status",
            Self::Drift { .. } => "drift",
            Self::Repair { .. } => "repair",
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
            Self::Local { .. } => "local",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
