//! Names with a digest: `shared/style.css` becomes `shared/style.5d41402abc.css`, and every
//! reference to it follows. Such a file may be cached for ever: another content is another file,
//! and a page of an older release still finds its own.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::Mistake;

/// A file with its path, such as `duckcontrol/control.js` or `shared/style.css`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its path.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether its path contains its digest.
    pub lasts: bool,
}

/// The types of files that get such a name.
const ENDINGS: [&str; 4] = ["css", "js", "png", "svg"];

/// The search index, which has one name for all of its files.
const INDEX: &str = "shared/search/";

/// How much of a digest a name carries.
const DIGITS: usize = 10;

/// Renames every file that may get such a name, and updates the references to it.
pub fn by_content(files: BTreeMap<String, Vec<u8>>) -> Result<Vec<Asset>, Mistake> {
    let files: BTreeMap<String, Vec<u8>> =
        files.into_iter().map(|(path, bytes)| (path.clone(), light(&path, bytes))).collect();
    let named = Cow::Owned(BTreeMap::new());
    let mut naming = Naming { files: &files, named, open: BTreeSet::new() };
    naming.index();
    let mut done = Vec::new();
    for (path, bytes) in &files {
        let bytes = naming.rewritten(path, bytes)?.into_owned();
        let named = naming.name(path)?;
        let lasts = named != *path;
        done.push(Asset { path: named, bytes, lasts });
    }
    done.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(done)
}

/// Code without indentation and without comments that have a line of their own: browsers need
/// neither. Where a text in a script goes over more than one line, the script stays as it is.
fn light(path: &str, bytes: Vec<u8>) -> Vec<u8> {
    let ending = path.rsplit('.').next().unwrap_or_default();
    let Ok(text) = std::str::from_utf8(&bytes) else { return bytes };
    let whole = |line: &str| line.matches('`').count().is_multiple_of(2) && !line.ends_with('\\');
    let is_comment = |line: &str| match ending {
        "js" => line.starts_with("//"),
        _ => line.starts_with("/*") && line.find("*/") == Some(line.len() - 2),
    };
    if !["css", "js"].contains(&ending) || !text.lines().all(whole) {
        return bytes;
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line)) {
        out.push_str(line);
        out.push('\n');
    }
    out.into_bytes()
}

/// The content of an operator's own file, with references to our files by their published names.
/// `named` maps the names in the checkout to those. Borrowed where the file refers to none.
#[must_use]
pub fn rewritten<'b>(
    path: &str,
    bytes: &'b [u8],
    named: &BTreeMap<String, String>,
) -> Cow<'b, [u8]> {
    let files = BTreeMap::new();
    let named = Cow::Borrowed(named);
    let mut naming = Naming { files: &files, named, open: BTreeSet::new() };
    naming.rewritten(path, bytes).unwrap_or(Cow::Borrowed(bytes))
}

/// What a file was called before it got its name, if it got one.
#[must_use]
pub fn plain(path: &str) -> Option<String> {
    let is_digits = |part: &str| {
        part.len() == DIGITS
            && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let inside = path.strip_prefix(INDEX.trim_end_matches('/')).and_then(|r| r.strip_prefix('.'));
    if let Some((digits, rest)) = inside.and_then(|inside| inside.split_once('/')) {
        return is_digits(digits).then(|| format!("{INDEX}{rest}"));
    }
    let (stem, ending) = path.rsplit_once('.')?;
    let (stem, digits) = stem.rsplit_once('.')?;
    is_digits(digits).then(|| format!("{stem}.{ending}"))
}

struct Naming<'f> {
    files: &'f BTreeMap<String, Vec<u8>>,
    /// Path, or a folder's with a slash at its end → its name.
    named: Cow<'f, BTreeMap<String, String>>,
    /// What is being named right now.
    open: BTreeSet<String>,
}

impl Naming<'_> {
    fn index(&mut self) {
        let mut sha = Sha256::new();
        for (path, bytes) in self.files.iter().filter(|(path, _)| path.starts_with(INDEX)) {
            sha.update(path.as_bytes());
            sha.update(Sha256::digest(bytes));
        }
        let name = format!("{}.{}/", INDEX.trim_end_matches('/'), digits(&sha.finalize()));
        self.named.to_mut().insert(INDEX.to_owned(), name);
    }

    /// What a path is called.
    fn name(&mut self, path: &str) -> Result<String, Mistake> {
        if let Some(name) = self.named.get(path) {
            return Ok(name.clone());
        }
        if let (Some(rest), Some(folder)) = (path.strip_prefix(INDEX), self.named.get(INDEX)) {
            return Ok(format!("{folder}{rest}"));
        }
        let Some((stem, ending)) = path.rsplit_once('.').filter(|(_, e)| ENDINGS.contains(e))
        else {
            return Ok(path.to_owned());
        };
        if !self.open.insert(path.to_owned()) {
            return Err(Mistake::new(path, "files that name each other can't be named by content"));
        }
        let files = self.files;
        let bytes = self.rewritten(path, files.get(path).map_or(&[], Vec::as_slice))?;
        self.open.remove(path);
        let name = format!("{stem}.{}.{ending}", digits(&Sha256::digest(&bytes)));
        self.named.to_mut().insert(path.to_owned(), name.clone());
        Ok(name)
    }

    /// The content of a file with the names of others as they are.
    fn rewritten<'b>(&mut self, path: &str, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Mistake> {
        let ending = path.rsplit('.').next().unwrap_or_default();
        if !["html", "css", "js"].contains(&ending) {
            return Ok(Cow::Borrowed(bytes));
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return Ok(Cow::Borrowed(bytes)) };
        let site = path.split('/').next().unwrap_or_default();
        let mut out = String::new();
        let mut done = 0;
        for slash in memchr::memchr_iter(b'/', bytes) {
            // A quotation mark that ends a name does not begin another one.
            let Some(mark) = slash.checked_sub(1).filter(|mark| *mark >= done) else { continue };
            if !matches!(bytes[mark], b'"' | b'\'' | b'(') {
                continue;
            }
            let rest = &text[slash + 1..];
            let end = rest.find(['"', '\'', ')', '\n']).unwrap_or(rest.len());
            let Some(file) = self.meant(site, &rest[..end]) else { continue };
            let name = self.name(&file)?;
            out.push_str(&text[done..=slash]);
            let from_root = format!("{site}/");
            let own = name.strip_prefix(&from_root).filter(|_| site != "shared");
            out.push_str(own.unwrap_or(&name));
            let close = slash + 1 + end;
            done = text.len().min(close + 1);
            out.push_str(&text[close..done]);
        }
        if done == 0 {
            return Ok(Cow::Borrowed(bytes));
        }
        out.push_str(&text[done..]);
        Ok(Cow::Owned(out.into_bytes()))
    }

    /// The file that an address means, where it is one that gets a name.
    fn meant(&self, site: &str, address: &str) -> Option<String> {
        let own = if address.starts_with("shared/") {
            address.to_owned()
        } else {
            format!("{site}/{address}")
        };
        let named = own == INDEX || ENDINGS.contains(&own.rsplit('.').next().unwrap_or_default());
        let there = self.named.contains_key(&own) || self.files.contains_key(&own);
        (named && there).then_some(own)
    }
}

fn digits(digest: &[u8]) -> String {
    let mut text = String::new();
    for byte in &digest[..DIGITS / 2] {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(files: &[(&str, &str)]) -> Result<BTreeMap<String, String>, Mistake> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into())).collect();
        let text = |asset: Asset| (asset.path, String::from_utf8(asset.bytes).expect("text"));
        by_content(files).map(|assets| assets.into_iter().map(text).collect())
    }

    const SITE: [(&str, &str); 5] = [
        ("duck/index.html", "<link href=\"/shared/s.css\"><script src=\"/own.js\"></script>"),
        ("duck/own.js", "import { a } from '/shared/a.js'; fetch('/config.json');"),
        ("shared/a.js", "const BASE = '/shared/search/';"),
        ("shared/s.css", "b { background: url(/shared/m.svg) }"),
        ("shared/m.svg", "<svg/>"),
    ];

    #[test]
    fn whoever_names_a_file_names_it_by_its_content() {
        let mut files = SITE.to_vec();
        files.push(("shared/search/1.json", "{}"));
        let found = named(&files).expect("names");
        let name = |start: &str| {
            let found = found.keys().find(|path| path.starts_with(start));
            found.unwrap_or_else(|| panic!("no {start}")).clone()
        };
        let page = &found["duck/index.html"];
        for (start, in_file) in [("shared/s.", page), ("shared/m.", &found[&name("shared/s.")])] {
            assert!(in_file.contains(&format!("/{}", name(start))), "{in_file}");
        }
        assert!(
            page.contains(&format!("src=\"{}\"", &name("duck/own.")["duck".len()..])),
            "{page}"
        );
        let own = &found[&name("duck/own.")];
        assert!(own.contains(&format!("'/{}'", name("shared/a."))), "{own}");
        assert!(own.contains("'/config.json'"), "{own}");
        let index = name("shared/search.");
        let folder = index.strip_suffix("1.json").expect("the index");
        assert!(found[&name("shared/a.")].contains(&format!("'/{folder}'")), "{found:?}");
    }

    /// What a file names is part of what it is.
    #[test]
    fn another_content_far_below_is_another_name_above() {
        let before = named(&SITE).expect("names");
        let mut files = SITE.to_vec();
        files[4].1 = "<svg></svg>";
        let after = named(&files).expect("names");
        let same = before.keys().filter(|path| after.contains_key(*path)).count();
        assert_eq!(same, 3, "page, and the two scripts: {before:?} {after:?}");
        assert_ne!(before["duck/index.html"], after["duck/index.html"]);
    }

    #[test]
    fn a_name_tells_what_it_was_before() {
        let mut files = SITE.to_vec();
        files.push(("shared/search/1.json", "{}"));
        let found = named(&files).expect("names");
        let before: Vec<_> = found.keys().filter_map(|path| plain(path)).collect();
        let wanted = ["duck/own.js", "shared/a.js", "shared/m.svg", "shared/s.css"];
        assert_eq!(before[..3], wanted[..3], "{found:?}");
        assert!(before.contains(&"shared/search/1.json".to_owned()), "{before:?}");
        for path in ["duck/index.html", "duck/app.min.js", "shared/search/1.json", "a"] {
            assert_eq!(plain(path), None, "{path}");
        }
    }

    /// Theirs keep their names; ours in them get theirs.
    #[test]
    fn a_file_of_somebody_else_names_ours_as_they_are() {
        let named =
            BTreeMap::from([("shared/s.css".to_owned(), "shared/s.0123456789.css".to_owned())]);
        let page = b"<link href=\"/shared/s.css\"><link href=\"/own.css\">";
        let found = rewritten("duck/own.html", page, &named);
        let wanted = b"<link href=\"/shared/s.0123456789.css\"><link href=\"/own.css\">";
        assert_eq!(*found, *wanted);
        let other = rewritten("duck/own.html", b"<link href=\"/own.css\">", &named);
        assert!(matches!(other, Cow::Borrowed(_)), "it names none of ours");
    }

    #[test]
    fn code_goes_without_what_browsers_do_not_need() {
        let text = |path: &str, text: &str| {
            String::from_utf8(light(path, text.as_bytes().to_vec())).expect("text")
        };
        assert_eq!(text("a.js", "// Why\n\n  f();  // how\n"), "f();  // how\n");
        assert_eq!(text("a.css", "/* why */\nb {\n  c: d;\n}\n"), "b {\nc: d;\n}\n");
        assert_eq!(text("a.css", "/* a */ b { }\n/*\nlong\n*/\n"), "/* a */ b { }\n/*\nlong\n*/\n");
        for kept in ["f(`a\n  b`);\n", "x = 'a\\\n  b';\n"] {
            assert_eq!(text("a.js", kept), kept);
        }
        assert_eq!(text("a.html", "  <p>\n"), "  <p>\n");
    }

    #[test]
    fn a_circle_is_a_mistake() {
        let files = [("shared/a.js", "'/shared/b.js'"), ("shared/b.js", "'/shared/a.js'")];
        assert!(named(&files).unwrap_err().message.contains("name each other"));
    }
}
