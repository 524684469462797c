//! What programs look for: `security.txt` (RFC 9116), `api-catalog` (RFC 9727), `llms.txt` and
//! `llms-full.txt` (llmstxt.org). Addresses are filled in by `galaxy-sites`, as in [`crate::HUB`].

use std::fmt::Write as _;

use serde_json::json;

use crate::app::App;
use crate::layout::plain;
use crate::links::Link;
use crate::nav::Tree;
use crate::page::Made;
use crate::sites::{SITES, SiteHead};
use crate::{ADDRESS_MARK, API_MARK, Text};

/// When `security.txt` expires: RFC 9116 asks for a date within a year. A page that is made twice
/// must be the same, so no clock sets it; `cargo xtask dist` refuses a stale one.
pub const SECURITY_EXPIRES: &str = "2027-11-01T00:00:00Z";

/// The files of all sites.
pub(crate) fn files(made: &[Made], apps: &[App], tree: &Tree<'_>) -> Vec<Text> {
    let mut files = Vec::new();
    for site in &SITES {
        let file = |path: &str, text| Text { path: format!("{}/{path}", site.name), text };
        files.push(file(".well-known/security.txt", security(site)));
        files.push(file(".well-known/api-catalog", catalog()));
        files.push(file("llms.txt", index(site, apps, tree)));
        files.push(file("llms-full.txt", full(site, made)));
    }
    files
}

fn address(site: &str, path: &str) -> String {
    format!("{}{site}{}{path}", ADDRESS_MARK.0, ADDRESS_MARK.1)
}

fn security(site: &SiteHead) -> String {
    format!(
        "Contact: {}\nExpires: {SECURITY_EXPIRES}\nPolicy: {}\nCanonical: {}\n\
         Preferred-Languages: en\n",
        address("duckgalaxy", "/legal/contact/"),
        address("duckgalaxy", "/legal/security/"),
        address(site.name, "/.well-known/security.txt"),
    )
}

/// One API, with its description for programs, its description for people and its state.
fn catalog() -> String {
    let link =
        |path: &str, kind: &str| json!([{"href": format!("{API_MARK}{path}"), "type": kind}]);
    let api = json!({
        "anchor": format!("{API_MARK}/beak"),
        "service-desc": link("/beak/openapi.json", "application/json"),
        "service-doc": [{"href": address("duckgalaxy", "/api/"), "type": "text/html"}],
        "status": link("/beak/system/status", "application/json"),
    });
    format!("{:#}\n", json!({ "linkset": [api] }))
}

/// The pages of a site by section, each with its description.
fn index(site: &SiteHead, apps: &[App], tree: &Tree<'_>) -> String {
    let mut text = format!("# {}\n\n> {}\n", site.title, site.about);
    let own = apps.iter().filter(|app| app.site.name == site.name && app.path.ends_with('/'));
    text.push_str("\n## Start\n\n");
    for app in own {
        line(&mut text, &app.front.title, &address(site.name, &app.path), &app.front.description);
    }
    let mut sections = Vec::new();
    for section in tree.sections(site, "") {
        let pages = tree.groups(site, &section.path, "");
        let pages: Vec<_> = pages.into_iter().flat_map(|group| group.entries).collect();
        let is_app =
            apps.iter().any(|app| (app.site.name, &app.path) == (site.name, &section.path));
        if !pages.is_empty() {
            sections.push((section, pages));
        } else if !is_app {
            line(&mut text, &section.title, &address(site.name, &section.path), &section.about);
        }
    }
    for (section, pages) in sections {
        // Writing to a String can't fail.
        let _ = write!(text, "\n## {}\n\n", plain(&section.title));
        for entry in &pages {
            line(&mut text, &entry.title, &address(site.name, &entry.path), &entry.about);
        }
    }
    text.push_str("\n## Optional\n\n");
    line(
        &mut text,
        "All pages in one file",
        &address(site.name, "/llms-full.txt"),
        "The text of every page of this site as Markdown.",
    );
    text
}

fn line(text: &mut String, title: &str, address: &str, about: &str) {
    // Writing to a String can't fail.
    let _ = writeln!(text, "- [{}]({address}): {}", plain(title), plain(about));
}

/// The Markdown of every page of a site.
fn full(site: &SiteHead, made: &[Made]) -> String {
    let mut text = format!("# {}\n\n> {}\n", site.title, site.about);
    for made in made.iter().filter(|made| made.page.site.name == site.name) {
        let page = &made.page;
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "\n---\n\n# {}\n\nSource: {}\n\n{}\n\n{}\n",
            plain(&page.front.title),
            address(site.name, &page.path),
            plain(&page.front.description),
            with_addresses(page.body.trim(), made),
        );
    }
    text
}

/// A text whose links are whole addresses.
fn with_addresses(body: &str, made: &Made) -> String {
    let body = body.replace("```picture\n", "```text\nPicture: ");
    let mut out = String::new();
    let mut parts = body.split("](");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (to, rest) = part.split_once(')').unwrap_or((part, ""));
        let whole = match Link::parse(to, made.page.site, made.page.folder()) {
            Ok(Link::Page { site, path, fragment }) => {
                let anchor = fragment.map_or(String::new(), |id| format!("#{id}"));
                format!("{}{anchor}", address(site.name, &path))
            }
            _ => to.to_owned(),
        };
        let close = if part.contains(')') { ")" } else { "" };
        out.extend(["](", &whole, close, rest]);
    }
    out
}
