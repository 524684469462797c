//! Whether a galaxy can live in a Region, before anything is created there.

use crate::event::{Event, Events};
use crate::failure::{Failure, Kind};
use crate::model::Region;
use crate::provider::Suits;

/// Refuses a Region that lacks what a galaxy needs; one that is newer than this program is noted.
pub(super) fn check(region: &Region, events: &Events) -> Result<(), Failure> {
    let suits = Suits::of(region);
    let Some(sentence) = suits.sentence(region) else { return Ok(()) };
    if let Suits::Lacks(_) = suits {
        let message = format!("a galaxy can't live in this Region: {sentence}");
        return Err(Failure::new(Kind::Input, message).help(
            "choose another Region, such as eu-central-1, with `region` in galaxy.yaml, --region \
             or AWS_REGION; nothing was changed",
        ));
    }
    events.emit(Event::Note { text: format!("note: {sentence}") });
    Ok(())
}
