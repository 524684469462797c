//! The two proofs: the ARN is on the galaxy's record, and the resource carries the mark. Pure.

use std::fmt;

use super::{Held, Mark, Record};
use crate::model::{ID_TAG, STACK_TAG, TAG, Tags};

/// What was read about a resource.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Its ARN.
    pub arn: &'a str,
    /// Its tags.
    pub tags: &'a Tags,
    /// Whether `CloudFormation` lists it among the resources of a stack on record.
    pub member: bool,
}

/// Why a resource does not count as the galaxy's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Neither proof.
    Unknown,
    /// It carries the galaxy's tag, and is not on its record.
    NotRecorded,
    /// It is on record, and carries no mark.
    NotMarked,
    /// The record names another resource of this name.
    Another(String),
    /// It carries the id of another galaxy.
    OfAnother(String),
    /// It was made by a stack that is not the galaxy's.
    MadeBy(String),
}

impl Doubt {
    /// Whether its ARN is on record: one proof of two.
    #[must_use]
    pub fn is_recorded(&self, held: Option<&Held>, arn: &str) -> bool {
        held.is_some_and(|held| held.arn == arn)
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                f.write_str("it is not on the galaxy's record and does not carry its tag")
            }
            Self::NotRecorded => {
                f.write_str("it carries the galaxy's tag, but is not on the galaxy's record")
            }
            Self::NotMarked => {
                f.write_str("it is on the galaxy's record, but does not carry its tag")
            }
            Self::Another(arn) => write!(f, "the galaxy's record names another one, {arn}"),
            Self::OfAnother(id) => write!(f, "its tag `{ID_TAG}` names another galaxy, {id}"),
            Self::MadeBy(arn) => write!(f, "AWS says that another stack made it, {arn}"),
        }
    }
}

/// Whether a resource is the galaxy's. Marks that contradict each other are no mark.
pub fn judge(record: &Record, held: Option<&Held>, evidence: Evidence<'_>) -> Result<(), Doubt> {
    let Evidence { arn, tags, member } = evidence;
    let id = tags.get(ID_TAG);
    let marked = id == Some(&record.id);
    let Some(held) = held else {
        return Err(match id {
            Some(_) if marked => Doubt::NotRecorded,
            Some(other) => Doubt::OfAnother(other.clone()),
            None => Doubt::Unknown,
        });
    };
    if held.arn != arn {
        return Err(Doubt::Another(held.arn.clone()));
    }
    if held.mark == Mark::Typed {
        return Ok(());
    }
    if let (Some(other), false) = (id, marked) {
        return Err(Doubt::OfAnother(other.clone()));
    }
    let maker = tags.get(STACK_TAG);
    if let Some(other) = maker.filter(|arn| !record.knows_stack(arn)) {
        return Err(Doubt::MadeBy(other.clone()));
    }
    let other = match held.mark {
        Mark::Install => tags.get(TAG) == Some(&record.name),
        Mark::Named | Mark::Listed => true,
        Mark::Id | Mark::Typed => false,
    };
    if marked || maker.is_some() || member || other { Ok(()) } else { Err(Doubt::NotMarked) }
}

#[cfg(test)]
mod tests;
