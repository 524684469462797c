//! What no file of a skill may contain: secrets, and characters that hide text from people.

use beak_core::text::hidden_marks;

use crate::mistake::{Mistake, Source};

/// How a Beak Key starts.
const KEY: &str = "sd_bk_";
/// What follows in a whole one: 43 characters of secret and 6 of checksum. One that was cut by a
/// few characters is still nearly the secret.
const KEY_LENGTH: usize = 40;

/// Every mistake in the text of a file.
pub(crate) fn faults(source: Source<'_>) -> Vec<Mistake> {
    let mut mistakes = secrets(source);
    mistakes.extend(hidden(source));
    mistakes
}

/// Every secret.
pub(crate) fn secrets(source: Source<'_>) -> Vec<Mistake> {
    let mut mistakes = keys(source);
    mistakes.extend(private_keys(source));
    mistakes
}

fn keys(source: Source<'_>) -> Vec<Mistake> {
    let text = source.text;
    let one = |at: usize| {
        let rest = &text[at + KEY.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        (end >= KEY_LENGTH).then(|| {
            let width = KEY.len() + end;
            let mistake = Mistake::new("this looks like a Beak Key")
                .help("take it out and make a new one with POST /beak/keys/rotate")
                .at(source, source.place(at), width);
            without_secrets(mistake)
        })
    };
    text.match_indices(KEY).filter_map(|(at, _)| one(at)).collect()
}

/// The line is shown, and what is secret in it is not.
fn without_secrets(mut mistake: Mistake) -> Mistake {
    if let Some(place) = &mut mistake.at {
        let mut shown = String::new();
        for (nth, part) in place.text.split(KEY).enumerate() {
            if nth == 0 {
                shown.push_str(part);
                continue;
            }
            let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
            shown.push_str(KEY);
            shown.extend(std::iter::repeat_n('*', end));
            shown.push_str(&part[end..]);
        }
        place.text = shown;
    }
    mistake
}

fn private_keys(source: Source<'_>) -> Vec<Mistake> {
    let starts = source.text.match_indices("-----BEGIN ");
    let private = starts.filter(|(at, _)| {
        let line = source.text[*at..].lines().next().unwrap_or_default();
        line.contains("PRIVATE KEY-----")
    });
    private
        .map(|(at, begin)| {
            Mistake::new("this is a private key")
                .help("keep it outside of the folder, readable by you only")
                .at(source, source.place(at), begin.len())
        })
        .collect()
}

/// An untrusted text as one line in which nothing is hidden, neither from people nor from a
/// terminal.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for (at, mark) in hidden_marks(text) {
        shown.push_str(&text[end..at]);
        shown.push('\u{fffd}');
        end = at + mark.len_utf8();
    }
    shown.push_str(&text[end..]);
    shown.replace('\n', "\u{fffd}")
}

fn hidden(source: Source<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut line = 0;
    for (at, mark) in hidden_marks(source.text).filter(|(_, mark)| *mark != '\r') {
        let place = source.place(at);
        // One for each line is enough.
        if place.0 == line {
            continue;
        }
        line = place.0;
        let code = u32::from(mark);
        let mistake = Mistake::new(format!("an invisible character, U+{code:04X}"))
            .help("take it out: what an agent reads, people must be able to read");
        mistakes.push(mistake.at(source, place, 1));
    }
    mistakes
}
