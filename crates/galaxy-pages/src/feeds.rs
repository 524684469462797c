//! What robots and feed readers ask for: `robots.txt`, `sitemap.xml` and the feed of the blog.
//! Addresses are filled in by `galaxy-sites`, as in [`crate::HUB`].

use std::fmt::Write as _;

use crate::app::App;
use crate::front::Kind;
use crate::layout::plain;
use crate::markdown::escape;
use crate::page::Made;
use crate::sites::{SITES, SiteHead};
use crate::{ADDRESS_MARK, Text};

/// The feed, from the root of its site.
const FEED: &str = "/blog/feed.xml";

/// The link to a site's blog for feed readers.
pub(crate) fn feed_of(site: &SiteHead) -> Option<&'static str> {
    (site.name == "mightyspaceduck").then_some(FEED)
}

/// The files of all sites.
pub(crate) fn files(made: &[Made], apps: &[App]) -> Vec<Text> {
    let mut files = Vec::new();
    for site in &SITES {
        files.push(robots(site));
        files.push(sitemap(site, made, apps));
        if feed_of(site).is_some() {
            files.push(feed(site, made));
        }
    }
    files
}

fn address(site: &SiteHead, path: &str) -> String {
    format!("{}{}{}{}", ADDRESS_MARK.0, site.name, ADDRESS_MARK.1, escape(path))
}

fn robots(site: &SiteHead) -> Text {
    let text = format!(
        "User-agent: *\nDisallow: /search/\n\nSitemap: {}\n",
        address(site, "/sitemap.xml")
    );
    Text { path: format!("{}/robots.txt", site.name), text }
}

fn sitemap(site: &SiteHead, made: &[Made], apps: &[App]) -> Text {
    let own = apps.iter().filter(|app| app.site.name == site.name && app.path.ends_with('/'));
    let mut pages: Vec<(&str, Option<&str>)> = own.map(|app| (app.path.as_str(), None)).collect();
    let own = made.iter().filter(|made| made.page.site.name == site.name);
    pages.extend(own.map(|made| (made.page.path.as_str(), made.page.front.date.as_deref())));
    pages.sort_unstable();
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for (path, date) in pages {
        let date = date.map_or(String::new(), |date| format!("<lastmod>{date}</lastmod>"));
        // Writing to a String can't fail.
        let _ = writeln!(text, "<url><loc>{}</loc>{date}</url>", address(site, path));
    }
    text.push_str("</urlset>\n");
    Text { path: format!("{}/sitemap.xml", site.name), text }
}

/// Source of the form: RFC 4287, The Atom Syndication Format.
fn feed(site: &SiteHead, made: &[Made]) -> Text {
    let is_entry = |made: &&Made| {
        made.page.site.name == site.name
            && made.page.front.kind == Kind::Blog
            && made.page.parent() != "/"
    };
    let mut entries: Vec<&Made> = made.iter().filter(is_entry).collect();
    entries.sort_by_key(|made| made.page.place());
    entries.sort_by_key(|made| std::cmp::Reverse(made.page.front.date.clone()));
    let day = |made: &Made| made.page.front.date.clone().unwrap_or_default();
    let latest = entries.first().map_or_else(|| "2026-01-01".to_owned(), |made| day(made));
    let own = address(site, FEED);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n<id>{own}</id>\n\
         <title>{}: the blog</title>\n<updated>{latest}T00:00:00Z</updated>\n\
         <author><name>Space Duck</name></author>\n<link rel=\"self\" href=\"{own}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n",
        escape(site.title),
        address(site, "/blog/"),
    );
    for made in entries {
        let page = &made.page;
        let at = address(site, &page.path);
        // Writing to a String can't fail.
        let _ = writeln!(
            text,
            "<entry><id>{at}</id><title>{}</title><updated>{}T00:00:00Z</updated>\
             <link rel=\"alternate\" type=\"text/html\" href=\"{at}\"/>\
             <summary>{}</summary></entry>",
            escape(&plain(&page.front.title)),
            day(made),
            escape(&plain(&page.front.description)),
        );
    }
    text.push_str("</feed>\n");
    Text { path: format!("{}{FEED}", site.name), text }
}
