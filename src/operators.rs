//! `spaceduck operator`: who may see all ducklings and grant T2, in AWS or in a local galaxy.

use std::path::Path;

use beak_core::person::{Email, hex};

use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, Outputs, Place, Secret, Stack};
use crate::ports::{Joined, World};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Make this person an operator.
    Add(Email),
    /// Make this operator an ordinary person.
    Remove(Email),
    /// List them.
    List,
}

/// What it came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// Done, with a password if an account was made for it.
    Added(Option<Secret>),
    /// Done.
    Removed,
    /// It was so before.
    Unchanged,
    /// The operators' addresses.
    Operators(Vec<String>),
}

/// Reads an address as it was typed.
pub fn address(text: &str) -> Result<Email, Failure> {
    Email::parse(text).map_err(|_| {
        Failure::new(Kind::Usage, format!("`{text}` is not an e-mail address"))
            .help("for example: spaceduck operator add somebody@example.com")
    })
}

/// Fulfils a wish in an account.
pub async fn in_account(world: &World, galaxy: &GalaxyName, wish: &Wish) -> Result<Told, Failure> {
    let name = Stack::Auth.name(galaxy);
    let seen = world.stacks.find(Place::Home, &name).await?;
    let outputs: Outputs = seen.map(|stack| stack.outputs).unwrap_or_default();
    let pool = outputs.get("UserPoolId").ok_or_else(|| {
        Failure::new(
            Kind::Input,
            format!("there is no galaxy `{galaxy}` in this account and Region"),
        )
        .help("name it in galaxy.yaml, choose its --region, or run `spaceduck install` first")
    })?;
    match wish {
        Wish::Add(email) => {
            let password = password()?;
            Ok(match world.people.add(pool, email.as_str(), &password).await? {
                Joined::Already => Told::Unchanged,
                Joined::Member => Told::Added(None),
                Joined::New => Told::Added(Some(password)),
            })
        }
        Wish::Remove(email) => {
            let was = world.people.remove(pool, email.as_str()).await?;
            Ok(if was { Told::Removed } else { Told::Unchanged })
        }
        Wish::List => Ok(Told::Operators(world.people.operators(pool).await?)),
    }
}

/// A password that nobody could guess.
pub fn password() -> Result<Secret, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Failure::bug(error.to_string()))?;
    Ok(Secret::new(hex(&random)))
}

/// Fulfils a wish in a local galaxy that is not running.
pub async fn in_folder(data: &Path, wish: &Wish) -> Result<Told, Failure> {
    let failed = |error: beak_local::LocalError| {
        Failure::new(Kind::Input, error.to_string()).help(error.help())
    };
    match wish {
        Wish::Add(email) => {
            let added = beak_local::operators::add(data, email).await.map_err(failed)?;
            Ok(added.map_or(Told::Unchanged, |password| Told::Added(password.map(Secret::new))))
        }
        Wish::Remove(email) => {
            let was = beak_local::operators::remove(data, email).await.map_err(failed)?;
            Ok(if was { Told::Removed } else { Told::Unchanged })
        }
        Wish::List => Ok(Told::Operators(beak_local::operators::list(data).map_err(failed)?)),
    }
}
