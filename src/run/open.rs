//! `spaceduck open`: a site in the browser.

use galaxy_sites::Site;

use super::home::{self, Home, Start};
use super::{back, life, look};
use crate::cli::Shared;
use crate::config::Config;
use crate::event::{Event, Events, Outcome, Url};
use crate::execute;
use crate::failure::{Failure, Kind};
use crate::observe::observe;

pub(super) async fn open(
    shared: &Shared,
    site: Option<&str>,
    events: &Events,
) -> Result<(), Failure> {
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Installed, events).await?;
    let url = address(&home, config, site, events).await?;
    // A program that reads our events wants the address, and a rehearsal's leads nowhere.
    let mut next = Vec::new();
    if !shared.json && !shared.rehearse && ::open::that_detached(&url.url).is_err() {
        next.push("There is no browser here: open the address on another machine.".into());
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![url], next });
    Ok(())
}

/// The address of a site, or of the API. Only its own stack has to be there.
pub(super) async fn address(
    home: &Home,
    config: Config,
    site: Option<&str>,
    events: &Events,
) -> Result<Url, Failure> {
    let config = life::with_domains(home, config).await?;
    let job = back::blank(home, config, events);
    let observed = observe(&job).await?;
    if !look::is_there(&observed) {
        return Err(back::not_installed(&job));
    }
    let wanted = site.unwrap_or(Site::MightySpaceDuck.name());
    let urls = execute::known_urls(&job);
    if let Some(url) = urls.iter().find(|url| url.name == wanted) {
        return Ok(url.clone());
    }
    if execute::unknown_urls(&urls).contains(&wanted) {
        let message = format!(
            "the address of `{wanted}` is unknown: its stack has no output \
        for it"
        );
        return Err(Failure::new(Kind::Refused, message)
            .help("`spaceduck status` shows the stack's state; `spaceduck install` restores it"));
    }
    let mut names: Vec<&str> = vec!["api"];
    names.extend(Site::ALL.into_iter().map(Site::name));
    let message = format!("there is no site `{wanted}`");
    Err(Failure::new(Kind::Usage, message).help(format!("there are: {}", names.join(", "))))
}
