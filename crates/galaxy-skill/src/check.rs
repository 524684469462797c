//! Whether a tree is a skill; every mistake at once.

use beak_core::id::DucklingId;
use beak_core::tier::Tier;

use crate::fields::{Field, METADATA, OURS, STANDARD};
use crate::mistake::{Mistake, Source};
use crate::tree::{MAIN_FILE, Tree};
use crate::yaml::{self, At, Node};
use crate::{links, text};

/// `SKILL.md` is read as a whole by every agent that uses the skill.
const MAIN_LINES: usize = 500;

/// What a skill says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// Its name and its folder's.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// Its version.
    pub version: String,
    /// What an agent can do with it.
    pub capabilities: Vec<String>,
    /// The tier that a duckling needs for all of it.
    pub tier: Tier,
    /// What it needs of the machine and the duckling.
    pub permissions: Vec<String>,
    /// Who is to have signed it.
    pub publisher: Option<DucklingId>,
}

/// Checks the files of a skill in a folder of this name.
pub fn check(folder: &str, tree: &Tree) -> Result<Skill, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    for (path, bytes) in tree.files() {
        if let Ok(text) = std::str::from_utf8(bytes) {
            mistakes.extend(text::faults(Source { file: path, text }));
        } else {
            // Secrets are ASCII and can be found in any bytes.
            let text = String::from_utf8_lossy(bytes);
            mistakes.extend(text::secrets(Source { file: path, text: &text }));
        }
    }
    let skill = main_file(folder, tree, &mut mistakes);
    // Unchanged from the file.
    let place =
        |mistake: &Mistake| mistake.at.as_ref().map(|at| (at.file.clone(), at.line, at.column));
    mistakes.sort_by_key(place);
    match skill {
        Some(skill) if mistakes.is_empty() => Ok(skill),
        _ => Err(mistakes),
    }
}

/// The first mistake, where one is enough.
pub(crate) fn only<T>(checked: Result<T, Vec<Mistake>>) -> Result<T, Mistake> {
    let none = || Mistake::new("this is no skill");
    checked.map_err(|mistakes| mistakes.into_iter().next().unwrap_or_else(none))
}

fn main_file(folder: &str, tree: &Tree, mistakes: &mut Vec<Mistake>) -> Option<Skill> {
    let Some(bytes) = tree.file(MAIN_FILE) else {
        let mistake = Mistake::new(format!("there is no {MAIN_FILE}"));
        mistakes.push(mistake.help("name the folder that has it, and write the name in capitals"));
        return None;
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        mistakes.push(Mistake::new(format!("{MAIN_FILE} is not UTF-8")));
        return None;
    };
    let source = Source { file: MAIN_FILE, text };
    let (front, body) = match split(source) {
        Ok(parts) => parts,
        Err(mistake) => {
            mistakes.push(mistake);
            return None;
        }
    };
    body_faults(source, body, tree, mistakes);
    match yaml::read(source, &text[..front]) {
        Ok(root) => Reader { source, mistakes }.skill(folder, &root),
        Err(mistake) => {
            mistakes.push(mistake);
            None
        }
    }
}

/// Where the front matter ends and the body begins, in bytes.
fn split(source: Source<'_>) -> Result<(usize, usize), Mistake> {
    let help = "begin the file with a line `---`, then the fields, then another line `---`";
    let mut at = 0;
    for (number, line) in source.text.split_inclusive('\n').enumerate() {
        let is_fence = line.trim_end() == "---";
        if number == 0 && !is_fence {
            let mistake = Mistake::new(format!("{MAIN_FILE} does not begin with front matter"));
            return Err(mistake.help(help).at(source, (1, 1), 1));
        }
        if number > 0 && is_fence {
            return Ok((at, at + line.len()));
        }
        // Some readers end the front matter at the first `---` they meet, wherever it is.
        if let (true, Some(column)) = (number > 0, line.find("---")) {
            let mistake = Mistake::new("`---` within the front matter ends it for some readers");
            let place = (number + 1, line[..column].chars().count() + 1);
            return Err(mistake.help("write it otherwise").at(source, place, 3));
        }
        at += line.len();
    }
    Err(Mistake::new("the front matter does not end").help(help).at(source, (1, 1), 3))
}

fn body_faults(source: Source<'_>, body: usize, tree: &Tree, mistakes: &mut Vec<Mistake>) {
    if source.text[body..].trim().is_empty() {
        let message = format!("{MAIN_FILE} has no instructions");
        mistakes.push(Mistake::new(message).help("say below the front matter what is to be done"));
    }
    let lines = source.text.lines().count();
    if lines > MAIN_LINES {
        let message = format!("{MAIN_FILE} has {lines} lines, {MAIN_LINES} are allowed");
        mistakes.push(Mistake::new(message).help("move details into files of their own"));
    }
    mistakes.extend(links::faults(source, body, tree));
}

struct Reader<'a, 'm> {
    source: Source<'a>,
    mistakes: &'m mut Vec<Mistake>,
}

impl Reader<'_, '_> {
    fn skill(&mut self, folder: &str, root: &At) -> Option<Skill> {
        let mut found = Found::default();
        let Node::Map(entries) = &root.node else {
            let mistake = Mistake::new("the front matter has no fields");
            self.mistakes.push(mistake.help("write `name: …` and so on").at(
                self.source,
                root.place,
                1,
            ));
            return None;
        };
        let metadata = entries.iter().find(|(key, _)| key.key() == "metadata");
        let others = entries.iter().filter(|(key, _)| key.key() != "metadata");
        self.fields(&STANDARD, others, &mut found);
        match metadata.map(|(_, value)| &value.node) {
            Some(Node::Map(entries)) => self.fields(&METADATA, entries.iter(), &mut found),
            Some(_) => {
                let (key, _) = metadata?;
                let mistake = Mistake::new("`metadata` holds no fields");
                let mistake = mistake.help("write its fields below it, further to the right");
                self.mistakes.push(mistake.at(self.source, key.place, "metadata".len()));
            }
            None => self.fields(&METADATA, [].iter(), &mut found),
        }
        if let Some((name, place)) = found.get("name")
            && name != folder
        {
            let message = format!("the name is `{name}` and the folder's is `{folder}`");
            let mistake = Mistake::new(message).help("name both alike: agents look for that");
            self.mistakes.push(mistake.at(self.source, place, name.chars().count()));
        }
        found.skill()
    }

    /// Reads the fields of one map.
    fn fields<'e>(
        &mut self,
        known: &[Field],
        entries: impl Iterator<Item = &'e (At, At)>,
        found: &mut Found,
    ) {
        let mut seen = Vec::new();
        for (key, value) in entries {
            let name = key.key();
            seen.push(name.to_owned());
            match known.iter().find(|field| field.key == name) {
                Some(field) => self.field(field, key, value, found),
                None => self.other(known, key, value),
            }
        }
        let missing = known.iter().filter(|f| f.required && !seen.iter().any(|s| s == f.key));
        for field in missing {
            let place = if known[0].key == METADATA[0].key { " in `metadata`" } else { "" };
            let mistake = Mistake::new(format!("`{}` is missing{place}", field.key));
            self.mistakes.push(mistake.help(field.write).at(self.source, (1, 1), 3));
        }
    }

    fn field(&mut self, field: &Field, key: &At, value: &At, found: &mut Found) {
        let text = match &value.node {
            Node::Text(text) => text,
            Node::Plain(text) => {
                let message = format!("`{}` is not text: it has no quotes", field.key);
                let mistake = Mistake::new(message).help("write the value in quotes");
                let width = text.chars().count();
                self.mistakes.push(mistake.at(self.source, value.place, width));
                return;
            }
            Node::Null | Node::List | Node::Map(_) => {
                let mistake = Mistake::new(format!("`{}` is not text", field.key));
                let width = key.key().chars().count();
                self.mistakes.push(mistake.help(field.write).at(self.source, key.place, width));
                return;
            }
        };
        match field.fault(text) {
            None => found.0.push((field.key, text.clone(), value.place)),
            Some((message, part)) => {
                let place = self.within(value.place, &part);
                let width = part.lines().next().unwrap_or_default().chars().count().clamp(1, 60);
                let mistake = Mistake::new(message).help(field.write);
                self.mistakes.push(mistake.at(self.source, place, width));
            }
        }
    }

    /// Where a part of a value is, if it is on the line where the value begins.
    fn within(&self, (line, column): (usize, usize), part: &str) -> (usize, usize) {
        let text = self.source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let start = text.char_indices().nth(column.saturating_sub(1)).map_or(0, |(at, _)| at);
        let found = text[start..].match_indices(part).find(|(at, _)| {
            let end = text[start + at + part.len()..].chars().next();
            let before = text[start..start + at].chars().next_back();
            [before, end]
                .iter()
                .all(|c| c.is_none_or(|c| c.is_whitespace() || c == '"' || c == '\''))
        });
        let more = found.map_or(0, |(at, _)| text[start..start + at].chars().count());
        (line, column + more)
    }

    /// A field that is not in the table.
    fn other(&mut self, known: &[Field], key: &At, value: &At) {
        let name = key.key();
        let width = name.chars().count().max(1);
        let in_metadata = known[0].key == METADATA[0].key;
        if in_metadata && !name.starts_with(OURS) {
            if !matches!(value.node, Node::Text(_)) {
                let message = format!("`{name}` in `metadata` is not text");
                let mistake = Mistake::new(message).help("write the value in quotes");
                self.mistakes.push(mistake.at(self.source, key.place, width));
            }
            return;
        }
        let names = known.iter().map(|field| field.key).collect::<Vec<_>>().join("`, `");
        let help = if in_metadata {
            format!("known are `{names}`")
        } else if METADATA.iter().any(|field| field.key == name) {
            "move it into `metadata`".to_owned()
        } else {
            format!("known are `{names}` and `metadata`; put others into `metadata`")
        };
        let mistake = Mistake::new(format!("there is no field `{}`", name.escape_debug()));
        self.mistakes.push(mistake.help(help).at(self.source, key.place, width));
    }
}

/// Fields that are as they should be.
#[derive(Default)]
struct Found(Vec<(&'static str, String, (usize, usize))>);

impl Found {
    fn get(&self, key: &str) -> Option<(&str, (usize, usize))> {
        let found = self.0.iter().find(|(found, ..)| *found == key);
        found.map(|(_, text, place)| (text.as_str(), *place))
    }

    fn skill(&self) -> Option<Skill> {
        let text = |key| self.get(key).map(|(text, _)| text.to_owned());
        let words = |key| {
            let (text, _) = self.get(key)?;
            Some(text.split_whitespace().map(str::to_owned).collect())
        };
        Some(Skill {
            name: text("name")?,
            description: text("description")?,
            version: text("version")?,
            capabilities: words("galaxy-capabilities")?,
            tier: Tier::parse(self.get("galaxy-tier")?.0)?,
            permissions: words("galaxy-permissions")?,
            publisher: self.get("galaxy-publisher").and_then(|(id, _)| DucklingId::parse(id).ok()),
        })
    }
}

#[cfg(test)]
mod tests;
