//! Every galaxy that the account's registry knows, broken records included.

use std::collections::BTreeMap;

use super::{GALAXIES, Record};
use crate::failure::Failure;
use crate::model::GalaxyName;
use crate::ports::World;

/// What the registry says about a galaxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Its record.
    Known(Box<Record>),
    /// Its record can't be read, and why.
    Broken(String),
}

impl Row {
    /// Where it lives, to follow its name.
    #[must_use]
    pub fn whereabouts(&self) -> String {
        match self {
            Self::Known(record) => format!(" in {}", record.home),
            Self::Broken(_) => " with a record that can't be read".to_owned(),
        }
    }
}

/// All of the account's galaxies that have a record, by name.
pub async fn galaxies(world: &World) -> Result<BTreeMap<String, Row>, Failure> {
    let entries = world.registry.list(GALAXIES).await?;
    let row = |(path, entry): (&String, &crate::ports::Entry)| {
        let name = path.strip_prefix(GALAXIES)?.strip_prefix('/')?.strip_suffix("/record")?;
        let record = GalaxyName::parse(name).map_err(|invalid| invalid.to_string());
        let record = record.and_then(|galaxy| {
            Record::parse(&galaxy, &entry.text).map_err(|failure| {
                failure.cause.clone().unwrap_or_else(|| failure.message().to_owned())
            })
        });
        let row = record.map_or_else(Row::Broken, |record| Row::Known(Box::new(record)));
        Some((name.to_owned(), row))
    };
    Ok(entries.iter().filter_map(row).collect())
}
