//! Links of the instructions to files of the skill: they lead somewhere, and not outside.

use pulldown_cmark::{Event, Parser, Tag};

use crate::mistake::{Mistake, Source};
use crate::tree::Tree;

/// Every link that leads out of the folder or nowhere.
pub(crate) fn faults(source: Source<'_>, body: usize, tree: &Tree) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (event, range) in Parser::new(&source.text[body..]).into_offset_iter() {
        let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else {
            continue;
        };
        let target = dest_url.split(['#', '?']).next().unwrap_or_default();
        // An address, or a place within the file.
        if target.is_empty() || target.contains(':') {
            continue;
        }
        let (message, help) = if escapes(target) {
            let message = format!("`{target}` leads out of the skill's folder");
            (message, "link to files of the skill, with paths from its folder on")
        } else if tree.file(target).is_none() && !tree.has_folder(target) {
            (format!("there is no file `{target}`"), "write the path from the skill's folder on")
        } else {
            continue;
        };
        let place = source.place(body + range.start);
        let width = source.text[body..][range].lines().next().unwrap_or_default().chars().count();
        mistakes.push(Mistake::new(message).help(help).at(source, place, width));
    }
    mistakes
}

fn escapes(target: &str) -> bool {
    target.starts_with(['/', '\\']) || target.split(['/', '\\']).any(|part| part == "..")
}
