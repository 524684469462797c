//! Who is whose neighbour: sections, lists of pages, breadcrumbs, what comes next.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::front::{Front, Kind};
use crate::page::{Made, Page, parent};
use crate::sites::SiteHead;

/// All pages of all sites, by folder.
pub(crate) struct Tree<'a> {
    children: BTreeMap<(&'static str, String), Vec<&'a Page>>,
    pages: BTreeMap<(&'static str, String), &'a Page>,
    /// Pages with a program that navigation lists, in its order.
    programs: Vec<&'a App>,
}

/// An entry of a list of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// May hold backticks.
    pub(crate) title: String,
    /// What navigation calls it, where the title is too long.
    pub(crate) label: String,
    pub(crate) about: String,
    /// When it was written, where that matters.
    pub(crate) date: Option<String>,
    pub(crate) here: bool,
    pub(crate) inner: Vec<Entry>,
}

/// Pages that belong together, below a heading of their own or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) heading: Option<String>,
    pub(crate) entries: Vec<Entry>,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(made: &'a [Made], apps: &'a [App]) -> Self {
        let mut children: BTreeMap<_, Vec<&Page>> = BTreeMap::new();
        let mut pages = BTreeMap::new();
        for made in made {
            let page = &made.page;
            pages.insert(page.key(), page);
            let key = (page.site.name, page.parent().to_owned());
            children.entry(key).or_default().push(page);
        }
        for pages in children.values_mut() {
            pages.sort_by_key(|page| page.place());
        }
        let mut programs: Vec<&App> = apps.iter().filter(|app| app.front.nav.is_some()).collect();
        programs.sort_by_key(|app| app.front.order);
        Self { children, pages, programs }
    }

    fn of(&self, site: &SiteHead, folder: &str) -> &[&'a Page] {
        self.children.get(&(site.name, folder.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// The sections of a site, behind its pages with a program.
    pub(crate) fn sections(&self, site: &SiteHead, here: &str) -> Vec<Entry> {
        let own = self.programs.iter().filter(|app| app.site.name == site.name);
        let own = own.map(|app| program(app, here));
        let entry = |page: &&Page| entry(page, here.starts_with(&page.path), Vec::new());
        own.chain(self.of(site, "/").iter().map(entry)).collect()
    }

    /// The pages of the section that a page is in, those around the page opened.
    pub(crate) fn section(&self, site: &SiteHead, here: &str) -> Option<(Entry, Vec<Group>)> {
        let mut folder = here;
        while parent(folder) != "/" {
            folder = parent(folder);
        }
        let head = self.pages.get(&(site.name, folder.to_owned()))?;
        let groups = self.groups(site, folder, here);
        (!groups.is_empty()).then(|| (entry(head, here == folder, Vec::new()), groups))
    }

    /// A folder's pages, in groups where they have any.
    pub(crate) fn groups(&self, site: &SiteHead, folder: &str, here: &str) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for page in self.of(site, folder) {
            let open = here.starts_with(&page.path);
            let inner = if open { self.entries(site, &page.path, here) } else { Vec::new() };
            let entry = entry(page, here == page.path, inner);
            match groups.iter_mut().find(|group| group.heading == page.group) {
                Some(group) => group.entries.push(entry),
                None => {
                    groups.push(Group { heading: page.group.clone(), entries: vec![entry] });
                }
            }
        }
        groups
    }

    fn entries(&self, site: &SiteHead, folder: &str, here: &str) -> Vec<Entry> {
        self.groups(site, folder, here).into_iter().flat_map(|group| group.entries).collect()
    }

    /// From the section down to the page itself, which is left out.
    pub(crate) fn crumbs(&self, page: &Page) -> Vec<Entry> {
        let mut crumbs = Vec::new();
        let mut folder = page.parent();
        while folder != "/" {
            if let Some(above) = self.pages.get(&(page.site.name, folder.to_owned())) {
                crumbs.push(entry(above, false, Vec::new()));
            }
            folder = parent(folder);
        }
        crumbs.reverse();
        crumbs
    }

    /// What comes before and after a page in its folder.
    pub(crate) fn around(&self, page: &Page) -> (Option<Entry>, Option<Entry>) {
        if page.parent() == "/" {
            return (None, None);
        }
        let all: Vec<Entry> =
            self.groups(page.site, page.parent(), &page.path).into_iter().flat_map(flat).collect();
        let at = all.iter().position(|entry| entry.path == page.path);
        let before = at.and_then(|at| at.checked_sub(1)).and_then(|at| all.get(at)).cloned();
        let after = at.and_then(|at| all.get(at + 1)).cloned();
        (before, after)
    }
}

fn flat(group: Group) -> Vec<Entry> {
    group.entries
}

fn entry(page: &Page, here: bool, inner: Vec<Entry>) -> Entry {
    Entry {
        path: page.path.clone(),
        title: page.front.title.clone(),
        label: page.label().to_owned(),
        about: page.front.description.clone(),
        date: page.front.date.clone(),
        here,
        inner,
    }
}

/// A page with a program, as navigation lists it.
fn program(app: &App, here: &str) -> Entry {
    let label = app.front.nav.as_ref().unwrap_or(&app.front.title);
    Entry {
        path: app.path.clone(),
        title: label.clone(),
        label: label.clone(),
        about: app.front.description.clone(),
        date: None,
        here: here == app.path,
        inner: Vec::new(),
    }
}

/// First pages for folders that have none; they list what is in them.
pub(crate) fn missing_indexes(pages: &[Page]) -> Vec<Page> {
    let there: BTreeSet<_> = pages.iter().map(Page::key).collect();
    let mut made: BTreeMap<_, Page> = BTreeMap::new();
    for page in pages {
        let mut folder = page.parent();
        while folder != "/" {
            let key = (page.site.name, folder.to_owned());
            if !there.contains(&key) {
                made.entry(key).or_insert_with(|| index(page, folder));
            }
            folder = parent(folder);
        }
    }
    made.into_values().collect()
}

fn index(page: &Page, folder: &str) -> Page {
    let name = folder.trim_matches('/').rsplit('/').next().unwrap_or_default().replace('-', " ");
    let mut title: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    title.extend(name.chars().skip(1));
    let description = format!("{title}: all pages of this section of {}.", page.site.title);
    Page {
        site: page.site,
        path: folder.to_owned(),
        file: page.file.clone(),
        front: Front { title, description, nav: None, order: 100, kind: Kind::Guide, date: None },
        body: String::new(),
        group: None,
        parts: Vec::new(),
    }
}
