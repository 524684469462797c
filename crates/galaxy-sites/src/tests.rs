//! Every page as a browser would judge it, without a browser.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn config() -> SiteConfig {
    let address = |site: Site| (site.name().to_owned(), format!("https://{}.test", site.name()));
    let sites = Site::ALL.into_iter().map(address).collect();
    SiteConfig { galaxy: "spaceduck".into(), sites, ..SiteConfig::default() }
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
        for path in ["index.html", "404.html", "config.json", "robots.txt", "shared/style.css"] {
            let path = named(path);
            assert!(paths.contains(path.as_str()), "{} has no {path}", site.name());
        }
        assert!(files.is_sorted_by(|a, b| a.path < b.path));
        assert_eq!(Site::parse(site.name()), Some(site));
    }
}

/// Every page that is read, by site and path, with its text.
fn by_path() -> BTreeMap<(&'static str, String), String> {
    let place = |(site, page): (Site, SiteFile)| {
        ((site.name(), format!("/{}", page.path)), text(&page).to_owned())
    };
    pages().into_iter().map(place).collect()
}

/// What is wrong with a link from a page to a path with perhaps a fragment.
fn fault(
    pages: &BTreeMap<(&'static str, String), String>,
    site: &'static str,
    link: &str,
) -> Option<String> {
    let (path, fragment) = link.split_once('#').map_or((link, None), |(p, id)| (p, Some(id)));
    let key = (site, format!("/{}", file_of(path)));
    let Some(page) = pages.get(&key) else { return Some(format!("no page {site}{path}")) };
    let id = fragment.filter(|id| !values(page, "id").contains(id))?;
    Some(format!("{site}{path} has no #{id}"))
}

/// The tags of a page that have an attribute, each up to its end.
fn tags<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let has = format!(" {attribute}=\"");
    let tags = html.split('<').filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag);
    tags.filter(|tag| tag.contains(&has)).collect()
}

fn value<'a>(tag: &'a str, attribute: &str) -> Option<&'a str> {
    values(tag, attribute).into_iter().next()
}

#[test]
fn no_link_is_dead_on_any_of_the_five_sites() {
    let pages = by_path();
    let mut count = 0;
    for ((site, place), html) in &pages {
        let files: BTreeSet<String> =
            site_files(Site::parse(site).expect("a site")).into_iter().map(|f| f.path).collect();
        for tag in tags(html, "href") {
            let link = value(tag, "href").expect("it has one");
            let anchor = tag.starts_with("a ");
            let fault = match link {
                _ if link.starts_with("https://") || link.starts_with("mailto:") => {
                    (!anchor).then(|| "a request to a stranger".to_owned())
                }
                _ if !anchor => (!files.contains(&link[1..])).then(|| "no such file".to_owned()),
                _ if link.starts_with('#') => fault(&pages, site, &format!("{place}{link}")),
                _ if link.starts_with("/config.json") => None,
                _ => fault(&pages, site, link),
            };
            assert_eq!(fault, None, "{site}{place}: {link}");
            // Where a script takes it: to the page itself, on its own site.
            if let Some(other) = value(tag, "data-site") {
                let other = Site::parse(other).expect(other).name();
                let path = value(tag, "data-path").unwrap_or("/");
                assert_eq!(super::tests::fault(&pages, other, path), None, "{site}{place}");
            }
            count += 1;
        }
        for source in tags(html, "src").into_iter().filter_map(|tag| value(tag, "src")) {
            let own = source.starts_with('/') && files.contains(&source[1..]);
            assert!(own, "{site}{place}: {source}");
        }
    }
    assert!(count > 5_000, "{count} links");
}

/// Without scripts a link to another site leads to this site's own list of the five, where that
/// page has its address.
#[test]
fn every_site_tells_the_addresses_that_it_refers_to() {
    for ((site, place), html) in by_path() {
        for tag in tags(&html, "data-site") {
            let link = value(tag, "href").expect("a link");
            assert!(link.starts_with("/sites/#"), "{site}{place}: {link}");
        }
        if place != "/sites/index.html" {
            assert!(!html.contains(ADDRESS_MARK.0), "{site}{place}");
            continue;
        }
        assert!(!html.contains(ADDRESS_MARK.0) && tells_addresses(&place[1..]));
        for other in Site::ALL {
            assert!(html.contains(&format!("href=\"https://{}.test/\"", other.name())), "{site}");
        }
    }
}

#[test]
fn titles_and_descriptions_are_there_once() {
    let mut seen = BTreeMap::new();
    for ((site, place), html) in by_path() {
        // The page for what is not there is one page.
        if place == "/404.html" {
            continue;
        }
        let title = between(&html, "<title>", '<').concat();
        let about = between(&html, "name=\"description\" content=\"", '"').concat();
        for text in [title, about] {
            assert!(text.len() > 10, "{site}{place}: {text}");
            if let Some(other) = seen.insert(text.clone(), format!("{site}{place}")) {
                panic!("{site}{place} and {other}: {text}");
            }
        }
    }
    assert!(seen.len() > 300, "{} titles and descriptions", seen.len());
}

/// The files that a script loads, itself included.
fn scripts<'a>(path: &str, files: &'a [SiteFile], into: &mut BTreeMap<&'a str, usize>) {
    let Some(file) = files.iter().find(|file| file.path == path) else { return };
    if into.insert(&file.path, file.bytes.len()).is_none() {
        for import in between(text(file), "from '/", '\'') {
            scripts(import, files, into);
        }
    }
}

/// What a browser loads for a page, uncompressed.
fn weight(page: &SiteFile, files: &[SiteFile]) -> usize {
    let html = text(page);
    let mut parts = BTreeMap::new();
    for tag in tags(html, "href").into_iter().filter(|tag| tag.starts_with("link ")) {
        scripts(&value(tag, "href").expect("a link")[1..], files, &mut parts);
    }
    for source in values(html, "src") {
        scripts(&source[1..], files, &mut parts);
    }
    let size = |path: &str| files.iter().find(|f| f.path == path).map_or(0, |f| f.bytes.len());
    page.bytes.len() + parts.values().sum::<usize>() + size("config.json")
}

/// What a question adds to it: the list of pages and the two largest drawers of words.
#[test]
fn a_question_is_not_heavy() {
    let files = site_files(Site::DuckGalaxy);
    let index = files.iter().filter(|file| file.path.starts_with("shared/search."));
    let mut sizes: Vec<usize> = index.map(|file| file.bytes.len()).collect();
    sizes.sort_unstable();
    let most: usize = sizes.iter().rev().take(3).sum();
    println!("a question of two words loads at most {most} bytes");
    assert!(sizes.len() > 2 && most <= 100_000, "{most}");
}

#[test]
fn no_page_is_heavy() {
    let mut heaviest = (0, String::new());
    for site in Site::ALL {
        let files = site_files(site);
        for page in files.iter().filter(|file| file.path.ends_with("html")) {
            heaviest =
                heaviest.max((weight(page, &files), format!("{}/{}", site.name(), page.path)));
        }
    }
    println!("the heaviest page is {} with {} bytes", heaviest.1, heaviest.0);
    assert!(heaviest.0 <= 100_000, "{} has {} bytes all told", heaviest.1, heaviest.0);
}

#[test]
fn a_folder_means_its_page() {
    for (path, file) in [
        ("/", "index.html"),
        ("/guide/", "guide/index.html"),
        ("/guide/install", "guide/install/index.html"),
        ("/shared/style.css", "shared/style.css"),
        ("/a.b/c", "a.b/c/index.html"),
        ("", "index.html"),
    ] {
        assert_eq!(file_of(path), file, "{path}");
    }
    for (path, address) in [
        ("/guide", "/guide/"),
        ("/a.b/c", "/a.b/c/"),
        ("//evil", "/evil/"),
        ("/\\\\evil", "/evil/"),
    ] {
        assert_eq!(meant(path), Meant::Folder(address.to_owned()), "{path}");
    }
    let token = ".well-known/acme-challenge/token";
    assert_eq!(meant(&format!("/{token}")), Meant::File(token.to_owned()));
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
            // What the page has, and what it or a script that it imports makes.
            let mut made = between(code, "id: '", '\'');
            for from in between(code, "} from '", '\'') {
                made.extend(between(script(from), "id: '", '\''));
            }
            for id in between(code, "$('", '\'') {
                let there = values(html, "id").contains(&id) || made.contains(&id);
                assert!(there, "{}: {path} seeks #{id}", site.name());
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
            // An operator stays signed in until the tab closes; the script says why that is safe.
            let stays = file.path.starts_with("operators.");
            for forbidden in ["localStorage", "sessionStorage", "document.cookie", "innerHTML"] {
                let may = !script || (stays && forbidden == "sessionStorage");
                assert!(may || !text.contains(forbidden), "{place} uses {forbidden}");
            }
            for (at, _) in text.match_indices("://").filter(|_| script) {
                let allowed = ["https://challenges.cloudflare.com", "http://www.w3.org"];
                let before =
                    text[..at].rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |b| b + 1);
                let fits = allowed.iter().any(|url| text[before..].starts_with(url));
                assert!(fits, "{place}: {}", &text[before..(at + 30).min(text.len())]);
            }
        }
    }
}

#[test]
fn what_may_be_kept_for_ever_has_a_name_of_its_own() {
    let config = SiteConfig { api_base: "https://api.test".into(), ..config() };
    for site in Site::ALL {
        for file in files(site, &config).expect("files") {
            let fresh = file.path.ends_with("html") || file.path == "config.json";
            let plain = galaxy_pages::assets::plain(&file.path);
            assert_eq!(file.cache_control == FRESH, fresh, "{}", file.path);
            assert_eq!(file.cache_control == LASTING, plain.is_some(), "{}", file.path);
            let code = file.path.ends_with("js") || file.path.ends_with("css");
            assert!(!code || file.cache_control == LASTING, "{}", file.path);
        }
    }
}

/// What robots and feed readers ask for, as their own libraries read it.
#[test]
fn maps_and_the_feed_are_read_by_those_who_read_such_things() {
    let mut mapped = 0;
    for site in Site::ALL {
        let files = site_files(site);
        let find = |path: &str| files.iter().find(|file| file.path == path);
        let own = format!("https://{}.test", site.name());
        let robots = text(find("robots.txt").expect("robots.txt"));
        assert!(robots.contains(&format!("\nSitemap: {own}/sitemap.xml\n")), "{robots}");
        let map = roxmltree::Document::parse(text(find("sitemap.xml").expect("a map")));
        let map = map.expect("XML");
        for node in map.descendants().filter(|node| node.has_tag_name((MAPS, "loc"))) {
            let path = node.text().and_then(|text| text.strip_prefix(&own)).expect("its own");
            assert!(find(&file_of(path)).is_some(), "{own}{path}");
            mapped += 1;
        }
        let Some(feed) = find("blog/feed.xml") else { continue };
        assert_eq!(feed.content_type, "application/atom+xml; charset=utf-8");
        let feed: atom_syndication::Feed = text(feed).parse().expect("Atom");
        assert_eq!(feed.id(), format!("{own}/blog/feed.xml"));
        assert!(feed.entries().len() > 5);
        for entry in feed.entries() {
            let path = entry.links()[0].href().strip_prefix(&own).expect("its own");
            assert!(find(&file_of(path)).is_some(), "{path}");
            assert!(feed.updated() >= entry.updated(), "{path}");
        }
    }
    assert!(mapped > 200, "{mapped} pages");
}

/// The namespace of site maps. Source: sitemaps.org, "XML tag definitions".
const MAPS: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// The function at the edge says in JavaScript what [`file_of`] says; here it is read word by word.
/// It is run where there is a browser: `tests/browser/test_edge.py`.
#[test]
fn the_edge_means_the_same_file() {
    let template = include_str!("../../../templates/site.yaml");
    let template = template.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "if (last === '') { request.uri += 'index.html'; }",
        "else if (!last.includes('.') && !request.uri.startsWith('/.well-known/')) {",
        "statusCode: 301,",
        "const address = '/' + request.uri.replace(/^[/\\\\]+/, '') + '/' + query;",
        "ResponsePagePath: /404.html",
    ] {
        assert!(template.contains(part), "{part}");
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

#[test]
fn marks_become_addresses_and_other_text_stays() {
    let page = "%address-of-api%/beak 100% %address-of-duckgalaxy%/a \
                %address-of-none% %address-of-api";
    let sites = [("duckgalaxy".to_owned(), "https://g.test".to_owned())].into();
    let config = SiteConfig { api_base: "https://a.test".into(), sites, ..SiteConfig::default() };
    let told = with_addresses(page.as_bytes(), &config);
    let wanted = "https://a.test/beak 100% https://g.test/a %address-of-none% %address-of-api";
    assert_eq!(String::from_utf8_lossy(&told), wanted);
}
