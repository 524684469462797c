//! What a site's bucket holds against what it is to hold: what goes up, in which order, what goes,
//! and what the edge has to forget. Pure.
//!
//! A file is known by its content and its headers, never by its size or its age.

use std::collections::{BTreeMap, BTreeSet};

use crate::release::FileRecord;

/// Path → the file.
pub type Files = BTreeMap<String, FileRecord>;

/// More single paths than this are invalidated by their folders.
const SINGLE: usize = 20;

/// More folders than this are invalidated as one `/*`. Source: "Quotas", Amazon `CloudFront`
/// Developer Guide: 15 paths with a wildcard at one time.
const FOLDERS: usize = 15;

/// What is to be done with a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Paths that are not there or that no release has had, so that no one can be reading them.
    pub fresh: Vec<String>,
    /// Paths that visitors may be reading.
    pub live: Vec<String>,
    /// Paths that are to go.
    pub gone: Vec<String>,
}

/// Compares. `before` is what was last published as a whole, where that is known: a listing has
/// contents, by their MD5, and no headers.
#[must_use]
pub fn changes(
    wanted: &Files,
    before: Option<&Files>,
    there: &BTreeMap<String, String>,
) -> Changes {
    let mut changes = Changes::default();
    for (path, file) in wanted {
        let has_content = there.get(path).map(|etag| *etag == file.md5);
        let known = before.map(|before| before.get(path));
        match (has_content, known) {
            (None, _) | (_, Some(None)) => changes.fresh.push(path.clone()),
            (Some(true), Some(Some(known))) if known == file => {}
            _ => changes.live.push(path.clone()),
        }
    }
    changes.gone = there.keys().filter(|path| !wanted.contains_key(*path)).cloned().collect();
    changes
}

/// The paths of the release before that stay for one release more: what its pages may still ask
/// for by a name that never means another content.
#[must_use]
pub fn kept(wanted: &Files, before: Option<&Files>) -> Vec<String> {
    let files = before.into_iter().flatten();
    let kept = files.filter(|(path, file)| file.is_immutable() && !wanted.contains_key(*path));
    kept.map(|(path, _)| path.clone()).collect()
}

/// Puts what pages need before the pages.
#[must_use]
pub fn in_order(files: &Files, mut paths: Vec<String>) -> Vec<Vec<String>> {
    paths.sort();
    let is_page = |path: &String| {
        files.get(path).is_some_and(|file| file.content_type.starts_with("text/html"))
    };
    let (pages, others) = paths.into_iter().partition(is_page);
    vec![others, pages]
}

/// What to invalidate at the edge: what it may cache for a while and has changed. It revalidates
/// pages by itself, and never had what is new.
#[must_use]
pub fn to_forget(wanted: &Files, before: Option<&Files>, changes: &Changes) -> Vec<String> {
    let Some(before) = before else { return vec!["/*".to_owned()] };
    let lasting = |path: &&String| {
        let of = |files: &Files| files.get(*path).map(FileRecord::is_asked_for_anew);
        of(before).or_else(|| of(wanted)) != Some(true)
    };
    let paths = changes.live.iter().chain(&changes.gone).filter(lasting);
    fold(paths.map(|path| format!("/{path}")).collect())
}

/// Few paths by themselves, many by their folders, very many as everything.
fn fold(paths: Vec<String>) -> Vec<String> {
    if paths.len() <= SINGLE {
        return paths;
    }
    let folder = |path: &String| path.rfind('/').map_or("/", |at| &path[..=at]).to_owned();
    let folders: BTreeSet<String> = paths.iter().map(folder).collect();
    // A folder's wildcard means the folders in it too.
    let within = |inner: &&String| {
        !folders.iter().any(|outer| outer != *inner && inner.starts_with(outer.as_str()))
    };
    let outer: Vec<String> = folders.iter().filter(within).map(|f| format!("{f}*")).collect();
    if outer.len() > FOLDERS { vec!["/*".to_owned()] } else { outer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str, cache_control: &str) -> FileRecord {
        FileRecord {
            sha256: content.into(),
            md5: format!("md5-{content}"),
            content_type: "text/html; charset=utf-8".into(),
            cache_control: cache_control.into(),
        }
    }

    fn files(all: &[(&str, &str, &str)]) -> Files {
        let one = |(path, content, cache): &(&str, &str, &str)| {
            ((*path).to_owned(), file(content, cache))
        };
        all.iter().map(one).collect()
    }

    fn listing(files: &Files) -> BTreeMap<String, String> {
        files.iter().map(|(path, file)| (path.clone(), file.md5.clone())).collect()
    }

    const PAGE: &str = "no-cache";
    const SHORT: &str = "public, max-age=300";
    const FOR_EVER: &str = "public, max-age=31536000, immutable";

    #[test]
    fn only_what_differs_in_content_or_headers_goes_up() {
        let before =
            files(&[("a", "1", PAGE), ("b", "1", PAGE), ("c", "1", PAGE), ("d", "1", PAGE)]);
        let there = listing(&before);
        assert_eq!(changes(&before, Some(&before), &there), Changes::default());
        let wanted =
            files(&[("a", "1", PAGE), ("b", "2", PAGE), ("c", "1", SHORT), ("e", "1", PAGE)]);
        let found = changes(&wanted, Some(&before), &there);
        assert_eq!(
            (found.fresh, found.live, found.gone),
            (vec!["e".to_owned()], vec!["b".to_owned(), "c".to_owned()], vec!["d".to_owned()],)
        );
    }

    #[test]
    fn a_bucket_that_somebody_else_changed_is_believed_and_not_the_record() {
        let before = files(&[("a", "1", PAGE), ("b", "1", PAGE)]);
        let mut there = listing(&before);
        there.insert("a".into(), "another's".into());
        there.remove("b");
        there.insert("x".into(), "a stranger's".into());
        let found = changes(&before, Some(&before), &there);
        assert_eq!(
            (found.fresh.as_slice(), found.live.as_slice(), found.gone.as_slice()),
            (["b".to_owned()].as_slice(), ["a".to_owned()].as_slice(), ["x".to_owned()].as_slice(),)
        );
        // A listing has no headers: after an interruption all files are uploaded again.
        let found = changes(&before, None, &listing(&before));
        assert_eq!(found.live, ["a", "b"]);
    }

    #[test]
    fn what_older_pages_ask_for_by_its_content_stays_for_one_release() {
        let one = files(&[("s.1.css", "1", FOR_EVER), ("index.html", "1", PAGE)]);
        let two = files(&[("s.2.css", "2", FOR_EVER), ("index.html", "2", PAGE)]);
        assert_eq!(kept(&two, Some(&one)), ["s.1.css"]);
        assert_eq!(kept(&one, Some(&one)), Vec::<String>::new());
        assert_eq!(kept(&one, None), Vec::<String>::new());
    }

    #[test]
    fn what_pages_need_comes_before_them() {
        let mut all = files(&[("a.html", "1", PAGE), ("z.css", "1", SHORT)]);
        all.get_mut("z.css").expect("it").content_type = "text/css".into();
        let order = in_order(&all, vec!["a.html".into(), "z.css".into()]);
        assert_eq!(order, [["z.css".to_owned()], ["a.html".to_owned()]]);
    }

    #[test]
    fn the_edge_forgets_what_it_would_keep_and_no_more() {
        let before = files(&[("a.html", "1", PAGE), ("r.txt", "1", SHORT), ("o.xml", "1", SHORT)]);
        let wanted = files(&[("a.html", "2", PAGE), ("r.txt", "2", SHORT), ("n.xml", "1", SHORT)]);
        let found = changes(&wanted, Some(&before), &listing(&before));
        assert_eq!(to_forget(&wanted, Some(&before), &found), ["/r.txt", "/o.xml"]);
        assert_eq!(to_forget(&wanted, None, &found), ["/*"]);
        let many = |folder: &'static str| (0..30).map(move |at| format!("/{folder}/{at}.json"));
        assert_eq!(
            fold(many("s").chain(many("s/inner")).chain(many("t")).collect()),
            ["/s/*", "/t/*"]
        );
        let wide = (0..30).map(|at| format!("/{at}/x.json")).collect();
        assert_eq!(fold(wide), ["/*"]);
    }
}
