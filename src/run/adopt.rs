//! The command that takes over what has the galaxy's names and is not on its record.

use super::home::{self, Start};
use super::{ask, back, life};
use crate::cli::{Adopt, Shared};
use crate::event::{Event, Events, Outcome};
use crate::failure::Failure;
use crate::lock;

pub(super) async fn adopt(shared: &Shared, wish: &Adopt, events: &Events) -> Result<(), Failure> {
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Empty, events).await?;
    let job = back::blank(&home, config, events);
    life::tell_start("adopt", &job);
    let ownership = &home.world.ownership;
    for one in ownership.fit(&wish.things).await? {
        let text = format!("{}: {}. {}.", one.thing, one.what, one.why);
        events.emit(Event::Note { text });
    }
    ask::things(&wish.things, wish.confirm.as_deref()).await?;
    let name = &job.facts.config.name;
    lock::holding(&home.world, name, "adopt", ownership.adopt(&wish.things)).await?;
    let next = vec![
        "`spaceduck install` brings them to this release.".into(),
        "`spaceduck teardown` deletes them only if each is named with --adopted.".into(),
    ];
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next });
    Ok(())
}
