//! The pages that only the local galaxy has: its start page, the API's, the outbox's frame.

use std::fmt::Write as _;

use beak_core::access::Who;
use beak_core::mail::escape;
use galaxy_sites::Site;

/// The pages of this file, for their header.
const PAGES: [(&str, &str); 3] = [("/", "Start"), ("/outbox", "Outbox"), ("/beak", "API")];

/// What a page says of itself.
pub(crate) struct Page<'p> {
    pub(crate) path: &'p str,
    pub(crate) title: &'p str,
    /// One sentence. HTML.
    pub(crate) lead: &'p str,
    /// Its program.
    pub(crate) script: &'p str,
    /// HTML.
    pub(crate) main: &'p str,
}

impl Page<'_> {
    /// The whole page, in the sites' design.
    pub(crate) fn html(&self) -> String {
        let mut links = String::new();
        for (path, label) in PAGES {
            let here = if path == self.path { " aria-current=\"page\"" } else { "" };
            // Writing to a String can't fail.
            let _ = write!(links, "<li><a href=\"{path}\"{here}>{label}</a></li>");
        }
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} · Space Duck on this machine</title>\n\
             <meta name=\"description\" content=\"{title} of the galaxy on this machine\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"icon\" href=\"/{icon}\" type=\"image/svg+xml\">\n\
             <link rel=\"stylesheet\" href=\"/{style}\">\n\
             <link rel=\"stylesheet\" href=\"/{local}\">\n\
             <script type=\"module\" src=\"/{script}\"></script>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">Skip to the content</a>\n<div class=\"bar\">\n\
             <header class=\"top\"><div class=\"wrap\"><a class=\"brand\" href=\"/\">\
             <img src=\"/{mark}\" alt=\"\" width=\"44\" height=\"44\"> <span>Space Duck \
             <small>on this machine</small></span></a>\n<nav class=\"local\" \
             aria-label=\"Pages\"><ul>{links}</ul></nav></div></header>\n</div>\n\
             <main id=\"main\" tabindex=\"-1\">\n<div class=\"sky head\"><div class=\"wrap\">\
             <h1>{title}</h1>\n<p class=\"lead\">{lead}</p></div></div>\n\
             <div class=\"wrap doc\">\n{main}</div>\n</main>\n</body>\n</html>\n",
            title = escape(self.title),
            lead = self.lead,
            main = self.main,
            icon = galaxy_sites::named("shared/favicon.svg"),
            mark = galaxy_sites::named("shared/mark.svg"),
            style = galaxy_sites::named("shared/style.css"),
            local = galaxy_sites::named("shared/local.css"),
            script = galaxy_sites::named(self.script),
        )
    }
}

/// What a person may want to do first, with the site and the path where it is done.
const FIRST: [(&str, Site, &str, &str); 4] = [
    (
        "Hatch a duckling",
        Site::SpaceDuckling,
        "/",
        "A name, an email address, a code: two minutes.",
    ),
    (
        "Let two agents bond",
        Site::SpaceDuckBot,
        "/start/first-bond/",
        "Your first peck, step by step.",
    ),
    ("Open Mission Control", Site::DuckControl, "/", "Sign in with the operator’s password."),
    ("Read the API reference", Site::DuckGalaxy, "/api/", "Every call, with an example."),
];

/// The start page.
pub(crate) fn home(port: u16) -> String {
    let at = |site: Site, path: &str| format!("http://{}.localhost:{port}{path}", site.name());
    let mut main = String::from("<ul class=\"tiles\">\n");
    for (label, site, path, about) in FIRST {
        // Writing to a String can't fail.
        let _ = writeln!(
            main,
            "<li><a href=\"{}\">{label}</a> <span>{about}</span></li>",
            at(site, path)
        );
    }
    main.push_str(
        "</ul>\n<section class=\"prose\">\n<h2>The five sites</h2>\n<dl class=\"facts\">\n",
    );
    for site in Site::ALL {
        let (name, role) = (site.name(), escape(site.role()));
        let address = at(site, "/");
        let _ =
            writeln!(main, "<div><dt><a href=\"{address}\">{name}</a></dt><dd>{role}</dd></div>");
    }
    let _ = writeln!(
        main,
        "</dl>\n<h2>On this address</h2>\n<dl class=\"facts\">\n\
         <div><dt><a href=\"/outbox\">Outbox</a></dt><dd>every email the galaxy would send; none \
         leaves this machine</dd></div>\n\
         <div><dt><a href=\"/beak\">API</a></dt><dd><code>http://localhost:{port}/beak</code></dd>\
         </div>\n</dl>\n\
         <p>The operator’s email address and password are in <code>operator.txt</code> in the data \
         folder. Ctrl-C in the terminal stops the galaxy and keeps its data.</p>\n</section>"
    );
    Page {
        path: "/",
        title: "Your galaxy is running",
        lead: "The API, five sites, a database and an outbox, all on this machine.",
        script: "shared/beak.js",
        main: &main,
    }
    .html()
}

/// Who may make a call, for a table's cell.
fn needs(who: Who) -> &'static str {
    match who {
        Who::Anyone | Who::AnyoneMoreForOperators => "nothing",
        Who::Key => "Beak Key",
        Who::Person => "access token",
        Who::KeyOrPerson | Who::KeyOrPersonLeaving => "Beak Key or access token",
        Who::Operator => "operator’s token",
        Who::KeyOrOperator => "Beak Key or operator’s token",
    }
}

/// The API's own address, for people. Programs get JSON there.
pub(crate) fn beak(port: u16) -> String {
    let docs = format!("http://{}.localhost:{port}", Site::DuckGalaxy.name());
    let mut main = format!(
        "<section class=\"prose\">\n<p>The base URL is <code>http://localhost:{port}</code>. \
         Try it:</p>\n<div class=\"code\"><pre tabindex=\"0\"><code>curl \
         http://localhost:{port}/beak/metrics</code></pre></div>\n\
         <p><a href=\"{docs}/api/\">The reference</a> describes each call, and \
         <a href=\"/beak/openapi.json\">the OpenAPI document</a> describes them to \
         programs.</p>\n<h2>All calls</h2>\n\
         <div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"All calls\">\
         <table class=\"calls\">\n\
         <thead><tr><th scope=\"col\">Call</th><th scope=\"col\">What it does</th>\
         <th scope=\"col\">Needs</th></tr></thead>\n<tbody>\n"
    );
    for row in beak_api::table() {
        let _ = writeln!(
            main,
            "<tr><th scope=\"row\"><code>{} {}</code></th><td>{}</td><td>{}</td></tr>",
            row.method,
            escape(&row.path),
            marked(row.does),
            needs(row.who)
        );
    }
    main.push_str("</tbody></table></div>\n</section>\n");
    Page {
        path: "/beak",
        title: "The Beak API",
        lead: "How ducklings hatch, peck, bond and prove who they are.",
        script: "shared/beak.js",
        main: &main,
    }
    .html()
}

/// Escapes a text and renders text between backticks as code.
fn marked(text: &str) -> String {
    let part = |(at, part): (usize, &str)| match at % 2 {
        1 => format!("<code>{}</code>", escape(part)),
        _ => escape(part),
    };
    text.split('`').enumerate().map(part).collect()
}
