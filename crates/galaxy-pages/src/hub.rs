//! Two pages that every site has: about the five sites, and the list of all its pages with the
//! search.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::app::App;
use crate::layout::{self, Frame, Whole, inline};
use crate::links::{Link, hub_id};
use crate::nav::{Group, Tree};
use crate::page::Made;
use crate::sites::{SITES, SiteHead};
use crate::{ADDRESS_MARK, Mistake, Text, broken};

/// The address of a page of another site, as `galaxy-sites` fills it in.
fn address(site: &SiteHead, path: &str) -> String {
    format!("{}{}{}{path}", ADDRESS_MARK.0, site.name, ADDRESS_MARK.1)
}

/// `/sites/`: what the five are for, and every page of another site that this one refers to, with
/// its address. It is the only page that knows addresses.
pub(crate) fn sites_page(
    site: &'static SiteHead,
    made: &[Made],
    apps: &[App],
    tree: &Tree<'_>,
) -> Result<Text, Mistake> {
    let mut body = String::from("<dl class=\"facts\">\n");
    for other in &SITES {
        // Writing to a String can't fail.
        let _ = writeln!(
            body,
            "<div id=\"{}\"><dt><a href=\"{}\">{}</a></dt><dd>{}</dd></div>",
            other.name,
            address(other, "/"),
            other.title,
            other.about
        );
    }
    body.push_str("</dl>\n");
    for (other, pages) in referred(site, made, apps) {
        let _ = writeln!(
            body,
            "<h2 id=\"pages-of-{0}\">Pages of {1}</h2>\n<ul>",
            other.name, other.title
        );
        for (path, title) in pages {
            let _ = writeln!(
                body,
                "<li id=\"{}\"><a href=\"{}\">{}</a></li>",
                hub_id(other, &path),
                address(other, &path),
                inline(&title)
            );
        }
        body.push_str("</ul>\n");
    }
    let description = format!(
        "The five sites of this galaxy with their addresses, and the pages of the other four \
         that {} refers to.",
        site.title
    );
    let parts = Parts {
        path: "/sites/",
        title: "The five sites of this galaxy",
        description: &description,
        body: &body,
        script: None,
        list: Vec::new(),
    };
    whole(site, parts, tree)
}

/// Pages of other sites that this one links to, by site; with their titles.
fn referred<'a>(
    site: &SiteHead,
    made: &'a [Made],
    apps: &'a [App],
) -> Vec<(&'static SiteHead, BTreeMap<String, String>)> {
    let own = made.iter().filter(|made| made.page.site.name == site.name);
    let own_apps = apps.iter().filter(|app| app.site.name == site.name);
    let links = own.flat_map(|made| &made.rendered.links);
    let links = links.chain(own_apps.flat_map(|app| &app.links));
    let mut found: Vec<(&'static SiteHead, BTreeMap<String, String>)> =
        SITES.iter().map(|site| (site, BTreeMap::new())).collect();
    for link in links {
        let Link::Page { site: other, path, .. } = link else { continue };
        if other.name == site.name || path == "/" {
            continue;
        }
        let key = (other.name, path.as_str());
        let text = made.iter().find(|made| (made.page.site.name, made.page.path.as_str()) == key);
        let app = apps.iter().find(|app| (app.site.name, app.path.as_str()) == key);
        let title = match (text, app) {
            (Some(made), _) => &made.page.front.title,
            (None, Some(app)) => app.front.nav.as_ref().unwrap_or(&app.front.title),
            (None, None) => path,
        };
        let title = title.clone();
        if let Some((_, pages)) = found.iter_mut().find(|(site, _)| site.name == other.name) {
            pages.insert(path.clone(), title);
        }
    }
    found.retain(|(_, pages)| !pages.is_empty());
    found
}

/// `/search/`: the search over all five sites, and without scripts the list of this site's pages.
pub(crate) fn search_page(site: &'static SiteHead, tree: &Tree<'_>) -> Result<Text, Mistake> {
    let body = "<noscript><p class=\"note wait\"><strong>Searching needs JavaScript.</strong> \
                Without it, this is the list of all pages of this site.</p></noscript>\n\
                <p id=\"found\" role=\"status\"></p>\n<ol id=\"hits\" class=\"hits\"></ol>\n";
    let mut groups = Vec::new();
    for section in tree.sections(site, "") {
        let inner = tree.groups(site, &section.path, "");
        let heading = Some(section.label.replace('`', ""));
        let mut entries = vec![section];
        entries.extend(inner.into_iter().flat_map(|group| group.entries));
        groups.push(Group { heading, entries });
    }
    let title = format!("Search, and all pages of {}", site.title);
    let description = format!(
        "Search the pages of all five sites of this galaxy, or read through the list of all pages \
         of {}.",
        site.title
    );
    let parts = Parts {
        path: "/search/",
        title: &title,
        description: &description,
        body,
        script: Some("/shared/search.js"),
        list: groups,
    };
    whole(site, parts, tree)
}

/// What one of the two pages has that the other has not.
struct Parts<'p> {
    path: &'p str,
    title: &'p str,
    description: &'p str,
    body: &'p str,
    script: Option<&'p str>,
    list: Vec<Group>,
}

fn whole(site: &'static SiteHead, parts: Parts<'_>, tree: &Tree<'_>) -> Result<Text, Mistake> {
    let told = (layout::title(site, parts.title), parts.description);
    let whole = Whole {
        frame: Frame::new(site, parts.path, told, tree)?.with(parts.script, None),
        title: parts.title,
        description: parts.description,
        date: None,
        crumbs: Vec::new(),
        body: parts.body,
        contents: Vec::new(),
        list: parts.list,
        side: None,
        before: None,
        after: None,
    };
    let text = askama::Template::render(&whole).map_err(|error| broken("page.html", error))?;
    Ok(Text { path: format!("{}{}index.html", site.name, parts.path), text })
}
