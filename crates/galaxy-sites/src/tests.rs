//! Every page as a browser would judge it, without a browser.

use std::collections::BTreeSet;

use super::*;

fn config() -> SiteConfig {
    SiteConfig { galaxy: "spaceduck".into(), ..SiteConfig::default() }
}

fn site_files(site: Site) -> Vec<SiteFile> {
    files(site, &config()).expect("every file has a type")
}

fn text(file: &SiteFile) -> &str {
    std::str::from_utf8(&file.bytes).expect("text")
}

fn pages() -> Vec<(Site, SiteFile)> {
    let html = |site: Site| {
        let files = site_files(site).into_iter();
        files.filter(|file| file.path.ends_with("html")).map(move |file| (site, file))
    };
    Site::ALL.into_iter().flat_map(html).collect()
}

/// The values of an attribute, wherever it stands.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_site_has_its_pages() {
    for site in Site::ALL {
        let files = site_files(site);
        let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for path in ["index.html", "404.html", "config.json", "shared/style.css"] {
            assert!(paths.contains(path), "{} has no {path}", site.name());
        }
        assert!(files.is_sorted_by(|a, b| a.path < b.path));
        assert_eq!(Site::parse(site.name()), Some(site));
    }
}

#[test]
fn what_a_page_refers_to_is_there() {
    for (site, page) in pages() {
        let paths: BTreeSet<String> = site_files(site).into_iter().map(|file| file.path).collect();
        let html = text(&page);
        for link in values(html, "href").into_iter().chain(values(html, "src")) {
            let there = match link.strip_prefix('/') {
                Some("") => true,
                Some(path) if path.ends_with('/') => paths.contains(&format!("{path}index.html")),
                Some(path) => paths.contains(path),
                None => {
                    let id = link.strip_prefix('#').expect("a link within the site");
                    values(html, "id").contains(&id)
                }
            };
            assert!(there, "{}/{}: {link}", site.name(), page.path);
        }
        for name in values(html, "data-site") {
            assert!(Site::parse(name).is_some(), "{name}");
        }
    }
}

#[test]
fn pages_are_complete_and_hold_no_code() {
    for (site, page) in pages() {
        let html = text(&page);
        let place = format!("{}/{}", site.name(), page.path);
        for needed in [
            "<!doctype html>",
            "<html lang=\"en\">",
            "name=\"viewport\"",
            "name=\"description\"",
            "<title>",
            "class=\"skip\"",
        ] {
            assert!(html.contains(needed), "{place} lacks {needed}");
        }
        for forbidden in ["<style", " style=", " onclick=", " onload=", " onsubmit=", "javascript:"]
        {
            assert!(!html.contains(forbidden), "{place} has {forbidden}");
        }
        for script in html.split("<script").skip(1) {
            assert!(script.contains(" src=\"") && script.contains("></script>"), "{place}");
        }
        for id in values(html, "for") {
            assert!(values(html, "id").contains(&id), "{place}: no field `{id}`");
        }
        let ids = values(html, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{place}: an id twice");
    }
}

/// What stands between `before` and the next `after`, wherever `before` is.
fn between<'a>(text: &'a str, before: &str, after: char) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

/// The names that a script gives away.
fn exports(code: &str) -> BTreeSet<&str> {
    let words = |declaration: &'static str| {
        let ends = |c: char| !c.is_alphanumeric() && c != '_' && c != '$';
        code.split(declaration).skip(1).filter_map(move |rest| rest.split(ends).next())
    };
    let functions = words("export function ").chain(words("export async function "));
    functions.chain(words("export class ")).chain(words("export const ")).collect()
}

#[test]
fn scripts_find_what_they_look_for() {
    for (site, page) in pages() {
        let files = site_files(site);
        let script = |path: &str| {
            let path = path.trim_start_matches('/');
            let file = files.iter().find(|file| file.path == path).map(text);
            file.unwrap_or_else(|| panic!("{}: no {path}", site.name()))
        };
        let html = text(&page);
        let own = |path: &&str| path.rsplit('.').next() == Some("js");
        for path in values(html, "src").into_iter().filter(own) {
            let code = script(path);
            for id in between(code, "$('", '\'') {
                assert!(values(html, "id").contains(&id), "{}: {path} seeks #{id}", site.name());
            }
            for import in between(code, "import {", ';') {
                let (names, from) = import.split_once("} from '").expect("one import");
                let given = exports(script(from.trim_end_matches('\'')));
                for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                    assert!(given.contains(name), "{}: {path} imports {name}", site.name());
                }
            }
        }
    }
}

#[test]
fn every_class_of_a_page_is_in_its_style_sheets() {
    for (site, page) in pages() {
        let files = site_files(site);
        let linked = values(text(&page), "href");
        let style: String = files
            .iter()
            .filter(|file| file.path.rsplit('.').next() == Some("css"))
            .filter(|file| linked.iter().any(|link| link.trim_start_matches('/') == file.path))
            .map(text)
            .collect();
        for class in values(text(&page), "class").into_iter().flat_map(str::split_whitespace) {
            let rule = format!(".{class}");
            let used = style.match_indices(&rule).any(|(at, _)| {
                let next = style[at + rule.len()..].chars().next().unwrap_or(' ');
                !next.is_alphanumeric() && next != '-'
            });
            assert!(used, "{}/{}: {class}", site.name(), page.path);
        }
    }
}

#[test]
fn scripts_keep_no_secret_and_ask_no_stranger() {
    for site in Site::ALL {
        for file in site_files(site) {
            let script = file.content_type.starts_with("text/javascript");
            let text = text(&file);
            let place = format!("{}/{}", site.name(), file.path);
            for forbidden in ["localStorage", "sessionStorage", "document.cookie", "innerHTML"] {
                assert!(!script || !text.contains(forbidden), "{place} uses {forbidden}");
            }
            for (at, _) in text.match_indices("://") {
                let allowed =
                    ["https://challenges.cloudflare.com", "http://www.w3.org", "https://YOUR_API"];
                let before = at.saturating_sub(5);
                let fits = |url: &&str| {
                    text[before..].trim_start_matches(|c: char| c != 'h').starts_with(*url)
                };
                assert!(
                    allowed.iter().any(fits),
                    "{place}: {}",
                    &text[before..(at + 30).min(text.len())]
                );
            }
        }
    }
}

#[test]
fn the_digest_sees_content_and_headers() {
    let files = site_files(Site::DuckControl);
    let same = digest(&files);
    assert_eq!(digest(&site_files(Site::DuckControl)), same);
    let mut changed = files.clone();
    changed[0].cache_control = SHORT;
    assert_ne!(digest(&changed), same);
    let mut changed = files.clone();
    changed[1].bytes = Cow::Borrowed(b"other");
    assert_ne!(digest(&changed), same);
    assert_ne!(digest(&files[1..]), same);
}

#[test]
fn only_addresses_that_may_change_are_asked_for_again() {
    for site in Site::ALL {
        for file in site_files(site) {
            let fresh = file.path.ends_with("html") || file.path == "config.json";
            assert_eq!(file.cache_control == FRESH, fresh, "{}", file.path);
        }
    }
}

/// CloudFront gets its headers from the template; both have to say the same.
#[test]
fn the_template_sends_the_same_headers() {
    let template = include_str!("../../../templates/site.yaml").replace("''", "'");
    let template = template.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, value) in headers("${ConnectSrc}") {
        match name {
            "content-security-policy" | "permissions-policy" | "cross-origin-opener-policy" => {
                assert!(template.contains(&value), "{name}: {value}");
            }
            "referrer-policy" => assert!(template.contains(&format!("ReferrerPolicy: {value}"))),
            "x-frame-options" => assert!(template.contains(&format!("FrameOption: {value}"))),
            "x-content-type-options" => assert!(template.contains("ContentTypeOptions:")),
            other => panic!("{other} is in no template"),
        }
    }
}
