//! Pages with a content of their own, from `sites/`: the first page of each site, pages with a
//! script, and the one for 404. Their files hold only their own content; the rest is the layout of
//! all pages.

use crate::front::{self, AppFront};
use crate::links::{Link, Moved};
use crate::sites::{self, SITES, SiteHead};
use crate::{Mistake, Text};

/// Such a page.
pub(crate) struct App {
    pub(crate) site: &'static SiteHead,
    /// From the site's root; a folder's page ends with a slash.
    pub(crate) path: String,
    pub(crate) file: String,
    pub(crate) front: AppFront,
    /// The content of `main`.
    pub(crate) html: String,
    pub(crate) links: Vec<Link>,
}

/// Reads the pages of `sites/`; one in `sites/shared/` is every site's.
pub(crate) fn parse_all(files: &[Text], moved: &Moved, mistakes: &mut Vec<Mistake>) -> Vec<App> {
    let mut apps = Vec::new();
    for file in files {
        let name = format!("sites/{}", file.path);
        let Some((folder, rest)) = file.path.split_once('/') else { continue };
        let (front, body) = match front::split_app(&file.text) {
            Ok(parts) => parts,
            Err(message) => {
                mistakes.push(Mistake::new(name, message));
                continue;
            }
        };
        let owners: Vec<&'static SiteHead> = match sites::find(folder) {
            Some(site) => vec![site],
            None => SITES.iter().collect(),
        };
        for site in owners {
            let path = format!("/{}", rest.trim_end_matches("index.html"));
            let (html, links, wrong) = rewrite(body, site, moved);
            mistakes.extend(wrong.into_iter().map(|message| Mistake::new(&name, message)));
            let (file, front) = (name.clone(), front.clone());
            apps.push(App { site, path, file, front, html, links });
        }
    }
    apps
}

/// Gives links to other sites their address without scripts, and collects all links.
fn rewrite(html: &str, site: &'static SiteHead, moved: &Moved) -> (String, Vec<Link>, Vec<String>) {
    let (mut out, mut links, mut wrong) = (String::new(), Vec::new(), Vec::new());
    let mut parts = html.split("<a ");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (tag, rest) = part.split_once('>').unwrap_or((part, ""));
        let to = match (attribute(tag, "data-site"), attribute(tag, "href")) {
            (Some(other), _) => {
                format!("{other}:{}", attribute(tag, "data-path").unwrap_or("/"))
            }
            (None, Some(href)) if href.starts_with('/') => href.to_owned(),
            _ => {
                out.extend(["<a ", tag, ">", rest]);
                continue;
            }
        };
        match Link::parse(&to, site, "/") {
            Ok(link) => {
                let link = link.moved(moved);
                out.push_str(&with_others(&link.open_tag(site), tag));
                links.push(link);
            }
            Err(message) => wrong.push(message),
        }
        out.push_str(rest);
    }
    (out, links, wrong)
}

/// A link's own attributes, and those that the page adds.
fn with_others(own: &str, tag: &str) -> String {
    let mut out = own.trim_end_matches('>').to_owned();
    for known in ["class", "id", "aria-current", "hidden", "aria-describedby", "target", "rel"] {
        if let Some(value) = attribute(tag, known) {
            out.extend([" ", known, "=\"", value, "\""]);
        } else if tag.split_whitespace().any(|word| word == known) {
            out.extend([" ", known]);
        }
    }
    out + ">"
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let start = format!("{name}=\"");
    let at = tag
        .match_indices(&start)
        .find(|(at, _)| *at == 0 || tag[..*at].ends_with(char::is_whitespace))?;
    tag[at.0 + start.len()..].split('"').next()
}
