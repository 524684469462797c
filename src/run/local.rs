//! The command that runs a galaxy on this machine, fills one from an export, or exports one.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use beak_local::{Options, OwnPages};

use super::leave::{LEFT_BEHIND, exported};
use crate::archive::{self, Reader};
use crate::cli::Shared;
use crate::event::{Event, Events, Health, Outcome};
use crate::failure::{Failure, Kind};
use crate::files::Access;
use crate::site::{self, own::Own};

/// Fills a new data folder. An export that is not whole changes nothing.
pub(super) fn import(data: &Path, file: &Path, events: &Events) -> Result<(), Failure> {
    let told = Reader::new(exported(file)?).finish()?;
    let note = |text: String| events.emit(Event::Note { text });
    note(format!("From the galaxy `{}`: {}.", told.galaxy, archive::counted(&told.counts)));
    note(LEFT_BEHIND.into());
    for text in archive::into_folder(exported(file)?, data)?.sentences() {
        note(text);
    }
    note(format!(
        "Imported into {}. The codes of `forgot` are in the outbox; `spaceduck operator add` \
         gives an operator a password.",
        data.display()
    ));
    Ok(())
}

/// Exports a data folder to a file that only its owner can read.
pub(super) fn export(
    shared: &Shared,
    data: &Path,
    file: &Path,
    events: &Events,
) -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "a local galaxy has no account, and so no ports")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut draft = super::target(shared, file)?.draft(Access::Private)?;
    let counts = archive::from_folder(data, now, |line| draft.add(line))?;
    draft.keep()?;
    let text = format!("Wrote {} to {}.", archive::counted(&counts), file.display());
    events.emit(Event::Note { text });
    events.emit(Event::Note { text: LEFT_BEHIND.into() });
    let next = vec![
        "The file contains people's addresses: store it where only you can read it.".into(),
        "`spaceduck import FILE` imports it into a galaxy on AWS, `spaceduck local --import FILE` \
         into another folder."
            .into(),
    ];
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next });
    Ok(())
}

pub(super) async fn local(
    shared: &Shared,
    port: u16,
    data: &Path,
    limits: bool,
    events: &Events,
) -> Result<(), Failure> {
    if shared.rehearse {
        return Err(Failure::new(Kind::Usage, "a local galaxy needs no rehearsal")
            .help("leave out --rehearse: it runs on this machine, without an AWS account"));
    }
    let config = super::configuration(shared, events)?;
    let operators_need_factor = config.operators_need_factor;
    let own = match config.pages {
        None => None,
        Some(folder) => {
            let Own { content, notes } = site::own::content(&folder)?;
            for text in notes {
                events.emit(Event::Note { text });
            }
            let read = |folder: &Path| {
                site::own::content(folder).map(|own| own.content).map_err(|f| f.to_text())
            };
            Some(OwnPages { folder, content, read })
        }
    };
    let tell = |text: &str| {
        events.emit(Event::Text { text: text.to_owned() });
        match events.health() {
            Health::Broken(cause) => Err(cause),
            Health::Fine | Health::Closed => Ok(()),
        }
    };
    let data = data.to_owned();
    beak_local::serve(Options { port, data, limits, operators_need_factor, own }, tell)
        .await
        .map_err(|error| Failure::new(Kind::Input, error.to_string()).help(error.help()))?;
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next: vec![] });
    Ok(())
}
