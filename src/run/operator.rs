//! `spaceduck operator`: adds, removes and lists operators and resets second factors, in AWS or in
//! a folder.

use super::home::{self, Start};
use crate::cli::{OperatorWish, Shared};
use crate::event::{Event, Events, Health, Outcome};
use crate::failure::{Failure, Kind};
use crate::lock;
use crate::model::Secret;
use crate::operators::{self, Told, Wish};

pub(super) async fn operator(
    shared: &Shared,
    wish: &OperatorWish,
    events: &Events,
) -> Result<(), Failure> {
    let (wish, home) = match wish {
        OperatorWish::Add { email, home } => (Wish::Add(operators::address(email)?), home),
        OperatorWish::Remove { email, home } => (Wish::Remove(operators::address(email)?), home),
        OperatorWish::ResetMfa { email, home } => {
            (Wish::ResetFactor(operators::address(email)?), home)
        }
        OperatorWish::List { home } => (Wish::List, home),
    };
    let show = |password: &Secret| shown(&wish, password, events);
    let told = if let Some(data) = &home.data {
        operators::in_folder(data, &wish, &show).await?
    } else {
        let config = super::configuration(shared, events)?;
        let home = home::reach(shared, &config, Start::Installed, events).await?;
        let (world, name) = (&home.world, &config.name);
        let act = operators::in_account(world, name, &wish, &show);
        match &wish {
            Wish::Add(_) => lock::holding(world, name, "operator add", act).await?,
            Wish::Remove(_) => lock::holding(world, name, "operator remove", act).await?,
            Wish::ResetFactor(_) => lock::holding(world, name, "operator reset-mfa", act).await?,
            Wish::List => act.await?,
        }
    };
    let mut outcome = Outcome::Done;
    match told {
        Told::Operators(operators) => events.emit(Event::Operators { operators }),
        Told::Unchanged => outcome = Outcome::Unchanged,
        Told::Added | Told::Removed => {}
    }
    events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
    Ok(())
}

/// Shows a password. One that can't be shown never counts: it would be lost.
fn shown(wish: &Wish, password: &Secret, events: &Events) -> Result<(), Failure> {
    if let Wish::Add(email) = wish {
        let (email, password) = (email.as_str().to_owned(), password.expose().to_owned());
        events.emit(Event::Account { email, password });
    }
    let cause = match events.health() {
        Health::Fine => return Ok(()),
        Health::Closed => "the program that reads the output has ended".to_owned(),
        Health::Broken(cause) => cause,
    };
    let message = "the new password can't be shown, so no account was made";
    Err(Failure::new(Kind::Input, message)
        .cause(cause)
        .help("make room, or send the output elsewhere, and run the same command again"))
}
