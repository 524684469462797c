//! A galaxy's data as one text: every item of every table and every account, one JSON object a
//! line. It is what `export` writes, `import` reads and a backup is made of. Pure but for the
//! ports that it is given.
//!
//! The first line names the format, the last one counts the lines and has the SHA-256 of all
//! before it, so that half a file is never taken for a whole one.
//!
//! A galaxy changes while it is written down. So after all items come those that changed meanwhile,
//! once more: of several lines about an item the last one counts. See `changes`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::failure::{Failure, Kind};
use crate::ports::{Account, Records};
use crate::render::hex;

mod changes;
mod local;
mod read;
mod restore;
mod spool;

pub use local::{from_folder, into_folder};
pub use read::{Reader, Told};
pub use restore::{Progress, is_empty, restore};
pub use spool::Spool;

/// The name of the format.
const FORMAT: &str = "spaceduck-export";

/// The version of the format, and the oldest that is read: it had no changes.
const VERSION: u32 = 2;
const OLDEST: u32 = 1;

/// In which order tables are written down: what names something comes before what it names, so
/// that what is named is there, or was removed meanwhile.
const ORDER: [&str; 6] = ["eggs", "newsletter", "pecks", "ducklings", "certs", "ledger"];

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// The first.
    Head {
        /// `spaceduck-export`
        format: String,
        /// Version of the format.
        version: u32,
        /// The galaxy that it comes from.
        galaxy: String,
        /// When, in seconds since 1970.
        made_at: u64,
    },
    /// An item of a table.
    Item {
        /// The table: `eggs`, `ducklings`, …
        table: String,
        /// The item as `DynamoDB` writes it in JSON.
        item: Value,
    },
    /// An item as it is after it changed, or that is new.
    Changed {
        /// The table.
        table: String,
        /// The item.
        item: Value,
    },
    /// An item that was removed.
    Gone {
        /// The table.
        table: String,
        /// Its key.
        key: Value,
    },
    /// An account.
    Person {
        /// The address.
        email: String,
        /// Whether the address is the person's.
        confirmed: bool,
        /// Whether the person is an operator.
        operator: bool,
    },
    /// The last.
    End {
        /// How many lines there are of each sort.
        counts: BTreeMap<String, u64>,
        /// SHA-256 of all lines before, as hex.
        sha256: String,
    },
}

impl Line {
    /// The sort that a line is counted under.
    fn sort(&self) -> &str {
        match self {
            Self::Item { table, .. } => table,
            Self::Changed { .. } | Self::Gone { .. } => "changes",
            _ => "people",
        }
    }
}

/// Whether an item of the ledger never leaves its galaxy: which tokens count, second factors, and
/// what sealing keys are made of. They are of no use with another app client's secret.
fn stays(item: &Value) -> bool {
    let pk = item.get("pk").and_then(|pk| pk.get("S")).and_then(Value::as_str);
    pk.is_some_and(|pk| pk.starts_with("signin#") || pk == "journal#sealing")
}

/// Takes lines as they come.
pub trait Sink {
    /// Takes a line with its line feed.
    fn take(&mut self, line: &str) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Where a galaxy keeps its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The galaxy.
    pub galaxy: String,
    /// Table as it is called here → its name in the account.
    pub tables: BTreeMap<String, String>,
    /// The user pool, where there is one.
    pub pool: Option<String>,
}

/// Writes everything down, and then what changed meanwhile; `now` is AWS's time. How many lines
/// there are of each sort.
pub async fn write<S: Sink + Send>(
    records: &dyn Records,
    source: &Source,
    now: u64,
    sink: &mut S,
) -> Result<BTreeMap<String, u64>, Failure> {
    let mut pen = Pen::default();
    sink.take(&pen.head(&source.galaxy, now)?).await?;
    let known = ORDER.into_iter().filter_map(|table| source.tables.get_key_value(table));
    let others = source.tables.iter().filter(|(table, _)| !ORDER.contains(&table.as_str()));
    for (table, name) in known.chain(others) {
        let mut from = None;
        loop {
            let page = records.items(name, from).await?;
            for item in page.items.into_iter().filter(|item| !stays(item)) {
                sink.take(&pen.line(&Line::Item { table: table.clone(), item })?).await?;
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    if let Some(pool) = &source.pool {
        let mut from = None;
        loop {
            let page = records.accounts(pool, from).await?;
            for Account { email, confirmed, operator } in page.items {
                sink.take(&pen.line(&Line::Person { email, confirmed, operator })?).await?;
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    changes::write(records, source, now, (&mut pen, sink)).await?;
    let counts = pen.counts.clone();
    sink.take(&pen.end()?).await?;
    Ok(counts)
}

/// Writes lines, and knows what the last one has to say.
#[derive(Default)]
struct Pen {
    hash: Sha256,
    counts: BTreeMap<String, u64>,
}

impl Pen {
    fn head(&mut self, galaxy: &str, now: u64) -> Result<String, Failure> {
        let (format, galaxy) = (FORMAT.to_owned(), galaxy.to_owned());
        self.text(&Line::Head { format, version: VERSION, galaxy, made_at: now })
    }

    /// An item or a person, counted.
    fn line(&mut self, line: &Line) -> Result<String, Failure> {
        *self.counts.entry(line.sort().to_owned()).or_default() += 1;
        self.text(line)
    }

    fn end(mut self) -> Result<String, Failure> {
        let sha256 = hex(&self.hash.clone().finalize());
        let counts = std::mem::take(&mut self.counts);
        self.text(&Line::End { counts, sha256 })
    }

    fn text(&mut self, line: &Line) -> Result<String, Failure> {
        let mut text = serde_json::to_string(line)
            .map_err(|error| Failure::bug("an export's line").cause(error.to_string()))?;
        text.push('\n');
        self.hash.update(text.as_bytes());
        Ok(text)
    }
}

/// Counts as a person reads them.
#[must_use]
pub fn counted(counts: &BTreeMap<String, u64>) -> String {
    let all: Vec<String> = counts.iter().map(|(sort, n)| format!("{n} {sort}")).collect();
    if all.is_empty() { "nothing".into() } else { all.join(", ") }
}

fn unfit(message: String) -> Failure {
    Failure::new(Kind::Input, message)
        .help("nothing was changed; use another export, or export again")
}
