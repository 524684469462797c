//! Markdown → HTML that our policy allows: no raw HTML, no inline style, links that can be checked.

use std::collections::BTreeMap;

use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Options,
    Parser, Tag, TagEnd, html,
};

use crate::highlight;
use crate::links::{Link, Moved};
use crate::pictures::Pictures;
use crate::sites::SiteHead;

/// What becomes of a text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) html: String,
    pub(crate) headings: Vec<Heading>,
    pub(crate) links: Vec<Link>,
    /// All words, for the search index.
    pub(crate) words: String,
    /// The words of paragraphs: what a search result shows.
    pub(crate) prose: String,
}

/// A heading that can be linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) level: u8,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// Placeholder for the API's address in examples.
const YOUR_API: &str = "https://YOUR_API";

/// A line of this many characters scrolls on a phone.
const NARROW: usize = 32;

/// The position of a text, for its links.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) site: &'static SiteHead,
    /// The folder of its file, from the site's root.
    pub(crate) folder: &'p str,
    /// Where parts of pages are.
    pub(crate) moved: &'p Moved,
    /// What a block of the language `picture` may name.
    pub(crate) pictures: &'p Pictures,
}

/// Renders a text; the strings are what is wrong with it.
pub(crate) fn render<'a>(text: &'a str, place: Place<'a>) -> (Rendered, Vec<String>) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_SMART_PUNCTUATION
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_GFM;
    let events: Vec<Event<'_>> = Parser::new_ext(text, options).collect();
    let mut writer = Writer::new(place);
    let mut at = 0;
    while let Some(event) = events.get(at) {
        at += writer.event(event, &events[at..]);
    }
    let mut rendered = writer.done;
    html::push_html(&mut rendered.html, writer.out.into_iter());
    (rendered, writer.wrong)
}

/// Escapes a text for HTML, quotes included.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// Lower case, words joined by hyphens.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() || c == '_' => out.extend(c.to_lowercase()),
            '\'' | '’' => {}
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.trim_end_matches('-').to_owned()
}

struct Writer<'a> {
    place: Place<'a>,
    out: Vec<Event<'a>>,
    done: Rendered,
    wrong: Vec<String>,
    ids: BTreeMap<String, u32>,
    columns: Vec<Alignment>,
    column: usize,
    in_head: bool,
    heads: bool,
    in_paragraph: bool,
}

impl<'a> Writer<'a> {
    fn new(place: Place<'a>) -> Self {
        Self {
            place,
            out: Vec::new(),
            done: Rendered::default(),
            wrong: Vec::new(),
            ids: BTreeMap::new(),
            columns: Vec::new(),
            column: 0,
            in_head: false,
            heads: false,
            in_paragraph: false,
        }
    }

    fn raw(&mut self, html: impl Into<CowStr<'a>>) {
        self.out.push(Event::Html(html.into()));
    }

    /// Takes one event, or a whole block of them; says how many.
    fn event(&mut self, event: &Event<'a>, rest: &[Event<'a>]) -> usize {
        self.prose(event);
        match event {
            Event::Html(text) | Event::InlineHtml(text) => {
                self.wrong.push(format!("HTML in Markdown: `{}`", text.trim()));
            }
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
            Event::Start(Tag::Heading { level, id, .. }) => {
                return self.heading(*level, id.as_deref(), rest);
            }
            Event::Start(Tag::CodeBlock(kind)) => return self.code(kind, rest),
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                self.link(*link_type, dest_url);
            }
            Event::End(TagEnd::Link) => self.out.push(Event::InlineHtml("</a>".into())),
            Event::Start(Tag::Image { dest_url, .. }) => {
                self.wrong.push(format!("a picture, `{dest_url}`: pages show drawn ones only"));
            }
            Event::Start(Tag::BlockQuote(Some(kind))) => self.open_note(*kind),
            Event::End(TagEnd::BlockQuote(Some(_))) => self.raw("</div>\n"),
            Event::Code(text) => {
                self.words(text);
                let inner = escape(text).replace(YOUR_API, &api_span());
                self.out.push(Event::InlineHtml(format!("<code>{inner}</code>").into()));
            }
            Event::Text(text) => {
                self.words(text);
                self.out.push(event.clone());
            }
            other if self.table(other, rest) => {}
            other => self.out.push(other.clone()),
        }
        1
    }

    /// Collects the text of paragraphs.
    fn prose(&mut self, event: &Event<'a>) {
        match event {
            Event::Start(Tag::Paragraph) => self.in_paragraph = true,
            Event::End(TagEnd::Paragraph) => {
                self.in_paragraph = false;
                self.done.prose.push(' ');
            }
            Event::Text(text) | Event::Code(text) if self.in_paragraph => {
                self.done.prose.push_str(text);
            }
            Event::SoftBreak | Event::HardBreak if self.in_paragraph => self.done.prose.push(' '),
            _ => {}
        }
    }

    fn words(&mut self, text: &str) {
        self.done.words.push_str(text);
        self.done.words.push(' ');
    }

    fn heading(&mut self, level: HeadingLevel, id: Option<&str>, rest: &[Event<'a>]) -> usize {
        let end = rest.iter().position(|e| matches!(e, Event::End(TagEnd::Heading(_))));
        let inner = &rest[1..end.unwrap_or(1)];
        let mut text = String::new();
        for event in inner {
            if let Event::Text(part) | Event::Code(part) = event {
                text.push_str(part);
            }
        }
        let level = level as u8;
        let last = self.done.headings.last().map_or(1, |heading| heading.level);
        if level == 1 {
            self.wrong.push(format!("`# {text}`: the title is the page's only h1; begin with ##"));
        } else if level > last + 1 {
            self.wrong.push(format!("`{text}` is an h{level} right below an h{last}"));
        }
        let id = self.unique(id.map_or_else(|| slug(&text), str::to_owned));
        self.raw(format!("<h{level} id=\"{}\">", escape(&id)));
        let mut at = 0;
        while at < inner.len() {
            at += self.event(&inner[at], &inner[at..]);
        }
        self.raw(format!("</h{level}>\n"));
        self.done.headings.push(Heading { level, id, text });
        inner.len() + 2
    }

    /// An id that is not there yet; a second heading of the same words gets a number.
    fn unique(&mut self, wanted: String) -> String {
        let wanted = if wanted.is_empty() { "section".to_owned() } else { wanted };
        let count = self.ids.entry(wanted.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { wanted } else { format!("{wanted}-{count}") }
    }

    fn code(&mut self, kind: &CodeBlockKind<'a>, rest: &[Event<'a>]) -> usize {
        let end = rest.iter().position(|e| matches!(e, Event::End(TagEnd::CodeBlock)));
        let end = end.unwrap_or(rest.len() - 1);
        let mut text = String::new();
        for event in &rest[1..end] {
            if let Event::Text(part) = event {
                text.push_str(part);
            }
        }
        if matches!(kind, CodeBlockKind::Fenced(name) if &**name == "picture") {
            self.picture(text.trim());
            return end + 1;
        }
        self.words(&text);
        let wide = text.lines().any(|line| line.chars().count() > NARROW);
        let focus = if wide { " tabindex=\"0\"" } else { "" };
        let language = match kind {
            CodeBlockKind::Fenced(name) => &**name,
            CodeBlockKind::Indented => "",
        };
        let body = highlight::html(&text, language).replace(YOUR_API, &api_span());
        self.raw(format!("<div class=\"code\"><pre{focus}><code>{body}</code></pre></div>\n"));
        end + 1
    }

    fn picture(&mut self, name: &str) {
        match self.place.pictures.get(name) {
            Some(picture) => self.raw(picture.clone()),
            None => self.wrong.push(format!("there is no picture `{name}`")),
        }
    }

    fn link(&mut self, kind: LinkType, to: &str) {
        if matches!(kind, LinkType::Email) {
            self.out.push(Event::InlineHtml(format!("<a href=\"mailto:{}\">", escape(to)).into()));
            return;
        }
        let tag = match Link::parse(to, self.place.site, self.place.folder) {
            Ok(link) => {
                let link = link.moved(self.place.moved);
                let tag = link.open_tag(self.place.site);
                self.done.links.push(link);
                tag
            }
            Err(message) => {
                self.wrong.push(message);
                "<a>".to_owned()
            }
        };
        self.out.push(Event::InlineHtml(tag.into()));
    }

    fn open_note(&mut self, kind: BlockQuoteKind) {
        let (class, word) = match kind {
            BlockQuoteKind::Note => ("note", "Note"),
            BlockQuoteKind::Tip => ("note good", "Tip"),
            BlockQuoteKind::Important => ("note wait", "Important"),
            BlockQuoteKind::Warning => ("note wait", "Warning"),
            BlockQuoteKind::Caution => ("note bad", "Caution"),
        };
        self.raw(format!("<div class=\"{class}\" role=\"note\"><p><strong>{word}</strong></p>\n"));
    }

    /// The library writes `style` for a column's side, which our policy forbids, and no `scope`.
    fn table(&mut self, event: &Event<'a>, rest: &[Event<'a>]) -> bool {
        match event {
            Event::Start(Tag::Table(columns)) => {
                self.columns.clone_from(columns);
                self.raw(
                    "<div class=\"scroll\" role=\"group\" tabindex=\"0\" \
                          aria-label=\"Table\"><table>",
                );
            }
            Event::End(TagEnd::Table) => self.raw("</tbody></table></div>\n"),
            Event::Start(Tag::TableHead) => {
                (self.in_head, self.column) = (true, 0);
                self.raw("<thead><tr>");
            }
            Event::End(TagEnd::TableHead) => {
                self.in_head = false;
                self.raw("</tr></thead><tbody>\n");
            }
            Event::Start(Tag::TableRow) => {
                self.column = 0;
                self.raw("<tr>");
            }
            Event::End(TagEnd::TableRow) => self.raw("</tr>\n"),
            Event::Start(Tag::TableCell) => {
                let right = self.columns.get(self.column) == Some(&Alignment::Right);
                let class = if right { " class=\"num\"" } else { "" };
                // A column without a name has an empty cell, which is no heading.
                let empty = matches!(rest.get(1), Some(Event::End(TagEnd::TableCell)));
                self.heads = self.in_head && !empty;
                let name = if self.heads { "th scope=\"col\"" } else { "td" };
                self.raw(format!("<{name}{class}>"));
            }
            Event::End(TagEnd::TableCell) => {
                self.column += 1;
                self.raw(if self.heads { "</th>" } else { "</td>" });
            }
            _ => return false,
        }
        true
    }
}

fn api_span() -> String {
    format!("<span data-api>{YOUR_API}</span>")
}
