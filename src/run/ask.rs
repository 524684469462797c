//! The questions a person is asked, and how they are answered beforehand.

use std::io::{IsTerminal as _, Write as _};

use crate::catalog;
use crate::cli::Shared;
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, Secret};
use crate::ports::World;

/// The one question of an installation.
pub(super) fn agreed(shared: &Shared, question: &str) -> Result<bool, Failure> {
    if shared.yes {
        return Ok(true);
    }
    let answer = ask(&format!("{question} [y/N] "), "answer it beforehand with --yes")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Data goes: the galaxy's name has to be typed.
pub(super) fn named(
    galaxy: &GalaxyName,
    keep_data: bool,
    confirm: Option<&str>,
) -> Result<bool, Failure> {
    let what = if keep_data {
        "API and sites go, and the API's address with them; the data stays."
    } else {
        "All ducklings, bonds and certificates go."
    };
    let typed = match confirm {
        Some(name) => name.to_owned(),
        None => ask(
            &format!("{what} Type `{galaxy}` to remove it: "),
            &format!("name the galaxy with --confirm {galaxy}"),
        )?,
    };
    if typed.trim() == galaxy.as_str() {
        return Ok(true);
    }
    let message = format!("`{}` is not the galaxy's name; nothing was removed", typed.trim());
    Err(Failure::new(Kind::Refused, message).help(format!("it is called `{galaxy}`")))
}

/// Consent that nothing else stands for: a sentence has to be typed.
pub(super) fn typed(sentence: &str, why: &str, otherwise: &str) -> Result<bool, Failure> {
    let answer = ask(&format!("{why} Type `{sentence}` to send it: "), otherwise)?;
    Ok(answer.trim().eq_ignore_ascii_case(sentence))
}

/// Turnstile's secret, where its site key is known, the secret is nowhere, and somebody is there to
/// be asked. It is not shown while it is typed; nothing typed leaves it out.
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
    let question =
        "Turnstile's secret, which belongs to the site key (not shown; Enter for none): ";
    let typed = rpassword::prompt_password(question).map_err(|error| {
        Failure::new(Kind::Refused, "the secret can't be read; nothing was changed")
            .cause(error.to_string())
            .help("set SPACEDUCK_TURNSTILE_SECRET instead")
    })?;
    let typed = typed.trim();
    Ok((!typed.is_empty()).then(|| Secret::new(typed.to_owned())))
}

fn ask(question: &str, otherwise: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Kind::Refused, "there is nobody to ask; nothing was changed")
            .help(otherwise));
    }
    let mut err = anstream::stderr();
    let _ = write!(err, "{question}").and_then(|()| err.flush());
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| {
        Failure::new(Kind::Refused, "the answer can't be read; nothing was changed")
            .cause(error.to_string())
    })?;
    Ok(answer)
}
