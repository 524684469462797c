//! The few pages that only the local galaxy has.

use std::fmt::Write as _;

use beak_core::mail::escape;
use galaxy_sites::Site;

/// A page in the sites' style. `head` and `main` are HTML.
pub(crate) fn page(title: &str, head: &str, main: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} · Space Duck</title>\n\
         <meta name=\"description\" content=\"{title} of the galaxy on this machine\">\n\
         <link rel=\"icon\" href=\"/{icon}\" type=\"image/svg+xml\">\n\
         <link rel=\"stylesheet\" href=\"/{style}\">\n{head}\n</head>\n<body>\n\
         <main class=\"wrap\">\n<h1>{title}</h1>\n{main}</main>\n</body>\n</html>\n",
        title = escape(title),
        icon = galaxy_sites::named("shared/favicon.svg"),
        style = galaxy_sites::named("shared/style.css"),
    )
}

/// What there is on this machine.
pub(crate) fn home(port: u16) -> String {
    let mut list = String::from("<ul>\n");
    for site in Site::ALL {
        let (name, role) = (site.name(), escape(site.role()));
        // Writing to a String can't fail.
        let _ = writeln!(
            list,
            "<li><a href=\"http://{name}.localhost:{port}/\">{name}</a>: {role}</li>"
        );
    }
    list.push_str(
        "<li><a href=\"/outbox\">outbox</a>: mails that never leave this machine</li>\n\
         <li><a href=\"/beak/system/status\">/beak</a>: the API</li>\n</ul>\n",
    );
    page("A galaxy on this machine", "", &list)
}
