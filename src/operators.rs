//! `spaceduck operator`: who may see all ducklings and grant T2, in AWS or in a local galaxy.

use std::path::Path;

use beak_core::person::{Email, hex};

use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, Outputs, Place, Secret, Stack};
use crate::ports::{Joined, Offer, Show, World};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Make this person an operator.
    Add(Email),
    /// Make this operator an ordinary person.
    Remove(Email),
    /// Remove this person's second factor.
    ResetFactor(Email),
    /// List them.
    List,
}

/// What it came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// Done; the password was shown, if an account was made for it.
    Added,
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
            .help("for example: spaceduck operator add ada@example.com")
    })
}

/// Fulfils a wish in an account. A new password is shown before it counts.
pub async fn in_account(
    world: &World,
    galaxy: &GalaxyName,
    wish: &Wish,
    show: Show<'_>,
) -> Result<Told, Failure> {
    let name = Stack::Auth.name(galaxy);
    let seen = world.stacks.find(Place::Home, &name).await?;
    let outputs: Outputs = seen.map(|stack| stack.outputs).unwrap_or_default();
    let pool = outputs.get("UserPoolId").ok_or_else(|| {
        let message = format!("no galaxy called `{galaxy}` is installed here");
        Failure::new(Kind::Refused, message)
            .help("name it in galaxy.yaml, choose its --region, or run `spaceduck install` first")
    })?;
    let ledger = format!("{galaxy}-ledger");
    match wish {
        Wish::Add(email) => {
            let password = password()?;
            let offer = Offer::new(&password, show);
            Ok(match world.people.add(pool, &ledger, email.as_str(), offer).await? {
                Joined::Already => Told::Unchanged,
                Joined::Member | Joined::New => Told::Added,
            })
        }
        Wish::Remove(email) => {
            let was = world.people.remove(pool, &ledger, email.as_str()).await?;
            Ok(if was { Told::Removed } else { Told::Unchanged })
        }
        Wish::ResetFactor(email) => {
            let had = world.people.reset_factor(pool, &ledger, email.as_str()).await?;
            Ok(if had { Told::Removed } else { Told::Unchanged })
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
pub async fn in_folder(data: &Path, wish: &Wish, show: Show<'_>) -> Result<Told, Failure> {
    let failed = |error: beak_local::LocalError| {
        Failure::new(Kind::Input, error.to_string()).help(error.help())
    };
    match wish {
        Wish::Add(email) => {
            let show = |password: &str| show(&Secret::new(password.to_owned()));
            let added = beak_local::operators::add(data, email, show).await.map_err(failed)??;
            Ok(if added { Told::Added } else { Told::Unchanged })
        }
        Wish::Remove(email) => {
            let was = beak_local::operators::remove(data, email).await.map_err(failed)?;
            Ok(if was { Told::Removed } else { Told::Unchanged })
        }
        Wish::ResetFactor(email) => {
            let had = beak_local::operators::reset_factor(data, email).await.map_err(failed)?;
            Ok(if had { Told::Removed } else { Told::Unchanged })
        }
        Wish::List => Ok(Told::Operators(beak_local::operators::list(data).map_err(failed)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Region};
    use crate::rehearse::Account;

    #[tokio::test]
    async fn without_a_galaxy_there_are_no_operators() {
        let id = AccountId::parse("111122223333").unwrap();
        let world = Account::new(id, Region::parse("eu-central-1").unwrap()).world();
        let galaxy = GalaxyName::parse("pond").unwrap();
        let (email, show) = (address("ada@example.com").unwrap(), |_: &Secret| Ok(()));
        let reset = Wish::ResetFactor(email.clone());
        for wish in [Wish::List, Wish::Add(email.clone()), Wish::Remove(email), reset] {
            let failure = in_account(&world, &galaxy, &wish, &show).await.err().unwrap();
            assert_eq!(failure.kind, Kind::Refused, "as every other command says it");
            assert_eq!(failure.message(), "no galaxy called `pond` is installed here");
        }
    }
}
