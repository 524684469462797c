//! Questions for the person, and the flags that answer them beforehand.

use std::io::IsTerminal as _;

use crate::catalog;
use crate::cli::Shared;
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, Secret};
use crate::ports::World;
use crate::prompt;

/// The one question of an installation.
pub(super) async fn agreed(shared: &Shared, question: &str) -> Result<bool, Failure> {
    if shared.yes {
        return Ok(true);
    }
    let answer = ask(&format!("{question} [y/N] "), "pass --yes").await?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Data goes: the galaxy's name has to be typed.
pub(super) async fn named(
    galaxy: &GalaxyName,
    keep_data: bool,
    confirm: Option<&str>,
) -> Result<bool, Failure> {
    let what = if keep_data {
        "This removes the API with its address, and the sites. The data stays."
    } else {
        "This removes all ducklings, bonds and certificates."
    };
    let typed = match confirm {
        Some(name) => name.to_owned(),
        None => {
            ask(
                &format!("{what} Type `{galaxy}` to remove it: "),
                &format!("name the galaxy with --confirm {galaxy}"),
            )
            .await?
        }
    };
    if typed.trim() == galaxy.as_str() {
        return Ok(true);
    }
    let message = format!("`{}` is not the galaxy's name; nothing was removed", typed.trim());
    Err(Failure::new(Kind::Refused, message).help(format!("the name is `{galaxy}`")))
}

/// Whether the SES identity of a domain goes with its galaxy. Asked only on a terminal; otherwise
/// it stays.
pub(super) async fn removes_identity(domain: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let question = format!(
        "{domain} stays verified in SES, where other senders may use it. Remove it, too? [y/N] "
    );
    let answer = ask(&question, "answer it beforehand with --mail keep or --mail remove").await?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// A galaxy from before there were records gets one: its name has to be typed once.
pub(super) async fn own(galaxy: &GalaxyName, confirm: Option<&str>) -> Result<(), Failure> {
    let typed = match confirm {
        Some(name) => name.to_owned(),
        None => {
            ask(
                &format!("Type `{galaxy}` to confirm that all of this is the galaxy's: "),
                &format!("name the galaxy with --confirm {galaxy}"),
            )
            .await?
        }
    };
    if typed.trim() == galaxy.as_str() {
        return Ok(());
    }
    let message = format!("`{}` is not the galaxy's name; nothing was changed", typed.trim());
    Err(Failure::new(Kind::Refused, message).help(format!("it is called `{galaxy}`")))
}

/// What is adopted: each thing has to be typed.
pub(super) async fn things(things: &[String], confirm: Option<&str>) -> Result<(), Failure> {
    let wanted = things.join(" ");
    let typed = match confirm {
        Some(text) => text.to_owned(),
        None => {
            ask(
                &format!(
                    "The galaxy will manage these like its own resources. Type `{wanted}` to \
            confirm: "
                ),
                &format!("name them with --confirm '{wanted}'"),
            )
            .await?
        }
    };
    let mut typed: Vec<&str> = typed.split_whitespace().collect();
    let mut expected: Vec<&str> = wanted.split_whitespace().collect();
    typed.sort_unstable();
    expected.sort_unstable();
    if typed == expected {
        return Ok(());
    }
    Err(Failure::new(Kind::Refused, "the names do not match; nothing was adopted")
        .help(format!("type `{wanted}`")))
}

/// Consent that no flag can give: a sentence has to be typed.
pub(super) async fn typed(sentence: &str, why: &str, otherwise: &str) -> Result<bool, Failure> {
    let answer = ask(&format!("{why} Type `{sentence}` to send it: "), otherwise).await?;
    Ok(answer.trim().eq_ignore_ascii_case(sentence))
}

/// Turnstile's secret, where its site key is set, the secret is nowhere, and stdin is a terminal.
/// It is not shown while it is typed; an empty answer leaves it out.
pub(super) async fn captcha_secret(
    shared: &Shared,
    world: &World,
    config: &Config,
) -> Result<Option<Secret>, Failure> {
    let wanted = config.turnstile_site_key.is_some() && config.turnstile_secret.is_none();
    let nobody = shared.yes || shared.rehearse || !std::io::stdin().is_terminal();
    let path = catalog::turnstile_path(&config.name);
    if !wanted || nobody || world.secrets.read(&path).await?.is_some() {
        return Ok(None);
    }
    let question = "Turnstile secret for the site key (not shown; Enter for none): ";
    let unread = Failure::new(Kind::Refused, "the secret can't be read; nothing was changed")
        .help("set SPACEDUCK_TURNSTILE_SECRET instead");
    let typed = prompt::hidden(question, unread).await?;
    let typed = typed.trim();
    Ok((!typed.is_empty()).then(|| Secret::new(typed.to_owned())))
}

async fn ask(question: &str, otherwise: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            Kind::Refused,
            "confirmation needed, but stdin is not a \
        terminal; nothing was changed",
        )
        .help(otherwise));
    }
    let unread = Failure::new(Kind::Refused, "the answer can't be read; nothing was changed")
        .help(otherwise);
    prompt::line(question, unread).await
}
