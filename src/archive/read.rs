//! Reading an export: whole or not at all.

use std::collections::BTreeMap;
use std::io::BufRead;

use sha2::{Digest as _, Sha256};

use super::{FORMAT, Line, OLDEST, VERSION, unfit};
use crate::failure::Failure;
use crate::render::hex;

/// A line longer than this is none of ours: `DynamoDB`'s items have at most 400 KB, which JSON may
/// write six times as long.
const LONGEST: usize = 4 << 20;

/// What an export says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The galaxy that it comes from.
    pub galaxy: String,
    /// How many lines there are of each sort.
    pub counts: BTreeMap<String, u64>,
    /// SHA-256 of its lines.
    pub sha256: String,
}

/// Reads an export line by line. Who wants to know whether it is whole before anything is done
/// reads it twice.
pub struct Reader<R> {
    input: R,
    hash: Sha256,
    galaxy: Option<String>,
    counts: BTreeMap<String, u64>,
    number: u64,
    told: Option<Told>,
}

impl<R: BufRead> Reader<R> {
    /// Begins to read.
    pub fn new(input: R) -> Self {
        let (hash, counts) = (Sha256::new(), BTreeMap::new());
        Self { input, hash, galaxy: None, counts, number: 0, told: None }
    }

    /// Reads to the end, if that was not done yet, and returns what the export says about itself.
    pub fn finish(mut self) -> Result<Told, Failure> {
        while self.told.is_none() && self.next_line()?.is_some() {}
        self.told.ok_or_else(|| unfit("the export has no end".into()))
    }

    /// The next item or person; nothing when the whole export was read and is sound.
    pub fn next_line(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            self.number += 1;
            let Some(text) = next(&mut self.input, self.number)? else {
                let message = "the export has no end: it was cut off while it was made";
                return Err(unfit(message.into()));
            };
            let number = self.number;
            let line: Line = serde_json::from_str(&text)
                .map_err(|error| unfit(format!("line {number} is not of an export: {error}")))?;
            match (&line, &self.galaxy) {
                (Line::Head { format, version, galaxy, .. }, None) if format == FORMAT => {
                    if !(OLDEST..=VERSION).contains(version) {
                        let message =
                            format!("the export has version {version}; this is {VERSION}");
                        return Err(unfit(message));
                    }
                    self.galaxy = Some(galaxy.clone());
                    self.hash.update(text.as_bytes());
                }
                (
                    Line::Item { .. }
                    | Line::Changed { .. }
                    | Line::Gone { .. }
                    | Line::Person { .. },
                    Some(_),
                ) => {
                    *self.counts.entry(line.sort().to_owned()).or_default() += 1;
                    self.hash.update(text.as_bytes());
                    return Ok(Some(line));
                }
                (Line::End { counts, sha256 }, Some(galaxy)) => {
                    let galaxy = galaxy.clone();
                    self.told = Some(self.end(galaxy, counts, sha256)?);
                    return Ok(None);
                }
                _ => return Err(unfit(format!("line {number} does not belong where it is"))),
            }
        }
    }

    fn end(
        &mut self,
        galaxy: String,
        counts: &BTreeMap<String, u64>,
        sha256: &str,
    ) -> Result<Told, Failure> {
        if *counts != self.counts || *sha256 != hex(&self.hash.clone().finalize()) {
            return Err(unfit("the export was changed after it was made".into()));
        }
        if next(&mut self.input, self.number + 1)?.is_some() {
            return Err(unfit("there is data after the export's end".into()));
        }
        Ok(Told { galaxy, counts: counts.clone(), sha256: sha256.to_owned() })
    }
}

/// The next line with its line feed.
fn next(input: &mut impl BufRead, number: u64) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    let mut part = std::io::Read::take(&mut *input, limit);
    part.read_until(b'\n', &mut bytes).map_err(|error| {
        unfit("the export can't be read to its end".into()).cause(error.to_string())
    })?;
    if bytes.len() >= LONGEST {
        return Err(unfit(format!("line {number} is longer than any of an export")));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| unfit(format!("line {number} is no text in UTF-8")))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "{\"line\":\"head\",\"format\":\"spaceduck-export\",\"version\":1,\"galaxy\":\"pond\",\"made_at\":1}\n";
    const PERSON: &str =
        "{\"line\":\"person\",\"email\":\"a@b.c\",\"confirmed\":true,\"operator\":false}\n";

    fn whole() -> String {
        let sha256 = hex(&Sha256::digest(format!("{HEAD}{PERSON}")));
        format!(
            "{HEAD}{PERSON}{{\"line\":\"end\",\"counts\":{{\"people\":1}},\"sha256\":\"{sha256}\"}}\n"
        )
    }

    fn failure(text: &str) -> String {
        Reader::new(text.as_bytes()).finish().expect_err(text).message().to_owned()
    }

    #[test]
    fn a_whole_export_is_read() {
        let told = Reader::new(whole().as_bytes()).finish().expect("whole");
        assert_eq!((told.galaxy.as_str(), told.counts["people"]), ("pond", 1));
    }

    #[test]
    fn half_an_export_a_changed_one_and_no_export_are_refused() {
        let text = whole();
        for at in [0, HEAD.len(), HEAD.len() + PERSON.len(), text.len() - 30] {
            assert!(Reader::new(&text.as_bytes()[..at]).finish().is_err(), "cut at {at}");
        }
        assert!(failure(&text.replace("a@b.c", "x@b.c")).contains("changed"));
        assert!(failure(&text.replace("\"version\":1", "\"version\":9")).contains("version 9"));
        assert!(failure(&format!("{text}{PERSON}")).contains("data after"));
        assert!(failure("hello\n").contains("line 1"));
        assert!(failure(&format!("{PERSON}{HEAD}")).contains("line 1"));
        let twice = format!("{HEAD}{HEAD}");
        assert!(failure(&twice).contains("line 2"));
        assert!(failure(&"x".repeat(LONGEST + 1)).contains("longer"));
    }
}
