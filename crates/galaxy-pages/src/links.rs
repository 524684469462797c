//! Links: within a site, between sites, out into the world; and whether they lead somewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::Mistake;
use crate::app::App;
use crate::markdown::escape;
use crate::page::{Made, Page};
use crate::sites::{self, SITES, SiteHead};

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// A heading of the same page.
    Here(String),
    /// A page of a galaxy's site, perhaps a heading of it.
    Page { site: &'static SiteHead, path: String, fragment: Option<String> },
    /// Anywhere else.
    World(String),
}

/// Where facts without a page of their own are: site and path → the page, and the heading there.
pub(crate) type Moved = BTreeMap<(&'static str, String), (String, String)>;

/// What became parts of pages.
pub(crate) fn moved(pages: &[Page]) -> Moved {
    let mut moved = Moved::new();
    for page in pages {
        for part in &page.parts {
            let old = (page.site.name, format!("{}{}/", page.path, part.id));
            moved.insert(old, (page.path.clone(), part.id.clone()));
        }
    }
    moved
}

impl Link {
    /// Reads the target of a Markdown link; `base` is the folder of the text's file.
    ///
    /// A page is named by its address, `/guide/install/` or `SITE:/guide/install/`, or by its file,
    /// `../guide/install.md` or `site:SITE/guide/install.md`.
    pub(crate) fn parse(to: &str, own: &'static SiteHead, base: &str) -> Result<Self, String> {
        if let Some(id) = to.strip_prefix('#') {
            return Ok(Self::Here(id.to_owned()));
        }
        if to.starts_with("https://") || to.starts_with("http://") || to.starts_with("mailto:") {
            return Ok(Self::World(to.to_owned()));
        }
        let named = to.strip_prefix("site:").and_then(|rest| rest.split_once('/'));
        let (site, rest) = match named.or_else(|| to.split_once(":/")) {
            Some((name, rest)) => {
                let site = sites::find(name).ok_or_else(|| format!("`{to}`: no such site"))?;
                (site, format!("/{rest}"))
            }
            None => (own, to.to_owned()),
        };
        let (path, fragment) = match rest.split_once('#') {
            Some((path, id)) => (path, Some(id.to_owned())),
            None => (rest.as_str(), None),
        };
        let path = match path.strip_suffix(".md") {
            Some(file) => address(base, file),
            None => path.to_owned(),
        };
        if !path.starts_with('/') || !path.ends_with('/') {
            return Err(format!("`{to}`: a link begins and ends with a slash, or names a file"));
        }
        Ok(Self::Page { site, path, fragment })
    }

    /// The same, to the heading of a fact that has no page of its own.
    pub(crate) fn moved(self, moved: &Moved) -> Self {
        let Self::Page { site, path, fragment } = self else { return self };
        match (moved.get(&(site.name, path.clone())), fragment) {
            (Some((page, id)), None) => {
                Self::Page { site, path: page.clone(), fragment: Some(id.clone()) }
            }
            (_, fragment) => Self::Page { site, path, fragment },
        }
    }

    /// The opening tag.
    ///
    /// No page knows another site's address. Without scripts such a link leads to this site's own
    /// page about the five sites, which lists the target with its address; a script makes it lead
    /// straight there.
    pub(crate) fn open_tag(&self, own: &SiteHead) -> String {
        match self {
            Self::Here(id) => format!("<a href=\"#{}\">", escape(id)),
            Self::World(address) => format!("<a href=\"{}\">", escape(address)),
            Self::Page { site, path, fragment } => {
                let anchor = fragment.as_ref().map_or(String::new(), |id| format!("#{id}"));
                if site.name == own.name {
                    return format!("<a href=\"{}{}\">", escape(path), escape(&anchor));
                }
                format!(
                    "<a href=\"/sites/#{}\" data-site=\"{}\" data-path=\"{}{}\">",
                    hub_id(site, path),
                    site.name,
                    escape(path),
                    escape(&anchor)
                )
            }
        }
    }
}

/// The address of a page from its file's name without the ending.
fn address(base: &str, file: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let start = if file.starts_with('/') { "" } else { base };
    for part in start.split('/').chain(file.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.last() == Some(&"index") {
        parts.pop();
    }
    if parts.is_empty() { "/".to_owned() } else { format!("/{}/", parts.join("/")) }
}

/// The id of a page in the list of what a site refers to.
pub(crate) fn hub_id(site: &SiteHead, path: &str) -> String {
    let inner = path.trim_matches('/').replace('/', "-");
    if inner.is_empty() { site.name.to_owned() } else { format!("{}-{inner}", site.name) }
}

/// Everything that can be linked to.
struct Known {
    pages: BTreeMap<(&'static str, String), BTreeSet<String>>,
}

impl Known {
    fn new(made: &[Made], apps: &[App]) -> Self {
        let mut pages = BTreeMap::new();
        for made in made {
            let ids = made.rendered.headings.iter().map(|heading| heading.id.clone());
            let ids: BTreeSet<String> = ids.chain(["main".to_owned()]).collect();
            pages.insert((made.page.site.name, made.page.path.clone()), ids);
        }
        for app in apps {
            let ids = ids(&app.html).into_iter().chain(["main".to_owned()]).collect();
            pages.insert((app.site.name, app.path.clone()), ids);
        }
        for site in &SITES {
            pages.insert((site.name, "/sites/".into()), BTreeSet::new());
            pages.insert((site.name, "/search/".into()), BTreeSet::new());
        }
        Self { pages }
    }

    /// What is wrong with a link, if anything is.
    fn fault(&self, site: &'static str, path: &str, fragment: Option<&str>) -> Option<String> {
        let Some(ids) = self.pages.get(&(site, path.to_owned())) else {
            return Some(format!("there is no page `{site}:{path}`"));
        };
        let missing = fragment.filter(|id| !ids.contains(*id))?;
        Some(format!("`{site}:{path}` has no `#{missing}`"))
    }
}

/// The ids of an HTML text.
fn ids(html: &str) -> BTreeSet<String> {
    let rest = html.split(" id=\"").skip(1);
    rest.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// Whether all links lead somewhere.
pub(crate) fn check(made: &[Made], apps: &[App], mistakes: &mut Vec<Mistake>) {
    let known = Known::new(made, apps);
    for made in made {
        let page = &made.page;
        for link in &made.rendered.links {
            let fault = match link {
                Link::World(_) => None,
                Link::Here(id) => known.fault(page.site.name, &page.path, Some(id)),
                Link::Page { site, path, fragment } => {
                    known.fault(site.name, path, fragment.as_deref())
                }
            };
            mistakes.extend(fault.map(|fault| Mistake::new(&page.file, fault)));
        }
    }
    for app in apps {
        for link in &app.links {
            if let Link::Page { site, path, fragment } = link {
                let fault = known.fault(site.name, path, fragment.as_deref());
                mistakes.extend(fault.map(|fault| Mistake::new(&app.file, fault)));
            }
        }
    }
}
