//! Small inputs and what becomes of them; and the real pages, which have no mistake.

use std::path::Path;

use super::*;

fn md(path: &str, body: &str) -> Text {
    let title = path.trim_end_matches(".md").replace('/', " ");
    let text = format!(
        "---\ntitle: {title}\ndescription: This is the page {title} and it says something.\n\
         kind: guide\n---\n{body}\n"
    );
    Text { path: path.into(), text }
}

fn built(pages: &[(&str, &str)]) -> Built {
    let markdown = pages.iter().map(|(path, body)| md(path, body)).collect();
    build(&Input { markdown, ..Input::default() })
}

fn page<'b>(built: &'b Built, path: &str) -> &'b str {
    let found = built.files.iter().find(|file| file.path == path);
    &found.unwrap_or_else(|| panic!("no {path}")).text
}

fn mistakes(pages: &[(&str, &str)]) -> Vec<String> {
    built(pages).mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_text_becomes_a_page_with_its_place() {
    let built = built(&[
        ("duckgalaxy/guide/index.md", "All guides."),
        ("duckgalaxy/guide/one.md", "Hello *there*.\n\n## Second part\n\nMore."),
    ]);
    assert_eq!(built.mistakes, []);
    let html = page(&built, "duckgalaxy/guide/one/index.html");
    for needed in [
        "<title>duckgalaxy guide one · Duck Galaxy</title>",
        "<p>Hello <em>there</em>.</p>",
        "<h2 id=\"second-part\">Second part</h2>",
        "<li><a href=\"/guide/\">duckgalaxy guide index</a></li>",
        "<a href=\"/guide/one/\" aria-current=\"page\">",
    ] {
        assert!(html.contains(needed), "{needed} in {html}");
    }
    assert!(page(&built, "duckgalaxy/guide/index.html").contains("<ul class=\"cards\">"));
}

#[test]
fn links_are_written_by_address_or_by_file() {
    let other = ("spaceduck-bot/tiers/t1.md", "## Up {#up}\n");
    let built = built(&[
        (
            "duckgalaxy/guide/one.md",
            "[a](two.md) [b](/guide/two/#x) [c](../guide/two.md#x)\n\n\
          [d](site:spaceduck-bot/tiers/t1.md#up) [e](spaceduck-bot:/tiers/t1/)",
        ),
        ("duckgalaxy/guide/two.md", "## X\n"),
        other,
    ]);
    assert_eq!(built.mistakes, []);
    let html = page(&built, "duckgalaxy/guide/one/index.html");
    for needed in [
        "<a href=\"/guide/two/\">a</a> <a href=\"/guide/two/#x\">b</a> \
         <a href=\"/guide/two/#x\">c</a>",
        "<a href=\"/sites/#spaceduck-bot-tiers-t1\" data-site=\"spaceduck-bot\" \
         data-path=\"/tiers/t1/#up\">d</a>",
    ] {
        assert!(html.contains(needed), "{needed} in {html}");
    }
    let hub = page(&built, "duckgalaxy/sites/index.html");
    let entry =
        "<li id=\"spaceduck-bot-tiers-t1\"><a href=\"%address-of-spaceduck-bot%/tiers/t1/\">";
    assert!(hub.contains(entry), "{hub}");
}

#[test]
fn what_leads_nowhere_is_a_mistake() {
    for (link, fault) in [
        ("/guide/three/", "there is no page `duckgalaxy:/guide/three/`"),
        ("three.md", "there is no page `duckgalaxy:/guide/three/`"),
        ("/guide/two/#y", "`duckgalaxy:/guide/two/` has no `#y`"),
        ("#y", "`duckgalaxy:/guide/one/` has no `#y`"),
        ("spaceduckling:/nowhere/", "there is no page `spaceduckling:/nowhere/`"),
        ("duckpond:/x/", "`duckpond:/x/`: no such site"),
        ("/guide/two", "`/guide/two`: a link begins and ends with a slash, or names a file"),
    ] {
        let found = mistakes(&[
            ("duckgalaxy/guide/one.md", &format!("[a]({link})")),
            ("duckgalaxy/guide/two.md", "## X\n"),
        ]);
        assert_eq!(found, [format!("pages/duckgalaxy/guide/one.md: {fault}")], "{link}");
    }
}

#[test]
fn markup_that_our_policy_forbids_is_a_mistake() {
    for text in ["<b>x</b>", "<script>x</script>", "# One more title", "![x](y.png)", "#### Deep"] {
        assert_eq!(mistakes(&[("duckgalaxy/guide/one.md", text)]).len().min(1), 1, "{text}");
    }
    let html = built(&[("duckgalaxy/one.md", "| a | |\n| --- | ---: |\n| `<b>` | 1 |\n")]);
    let html = page(&html, "duckgalaxy/one/index.html");
    let table = "<thead><tr><th scope=\"col\">a</th><td class=\"num\"></td></tr></thead>";
    assert!(html.contains(table) && html.contains("<code>&lt;b&gt;</code>"), "{html}");
    assert!(!html.contains(" style="));
}

#[test]
fn what_is_there_twice_is_a_mistake() {
    let one = md("duckgalaxy/guide/one.md", "x");
    let two = Text { path: "duckgalaxy/guide/two.md".into(), ..one.clone() };
    let built = build(&Input { markdown: vec![one, two], ..Input::default() });
    let found: Vec<String> = built.mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|text| text.contains("the title")), "{found:?}");
    assert!(found.iter().any(|text| text.contains("the description")), "{found:?}");
}

#[test]
fn front_matter_is_strict() {
    for (head, fault) in [
        ("title: x\ndescription: short\nkind: guide", "has 5 characters"),
        ("title: x\nkind: guide", "description"),
        ("title: x\ndescription: D\nkind: poem", "front matter"),
        ("title: x\ndescription: D\nkind: blog", "needs its `date`"),
        ("title: x\ndescription: D\nkind: blog\ndate: 2026-13-01", "is not a date"),
        ("title: x\ndescription: D\nkind: guide\ncolour: red", "colour"),
    ] {
        let long = "A description that is long enough to say what the page is about.";
        let text = format!("---\n{}\n---\nx\n", head.replace(" D\n", &format!(" {long}\n")));
        let markdown = vec![Text { path: "duckgalaxy/one.md".into(), text }];
        let built = build(&Input { markdown, ..Input::default() });
        let found = built.mistakes.first().map(ToString::to_string).unwrap_or_default();
        assert!(found.contains(fault), "{head}: {found}");
    }
}

#[test]
fn a_fact_has_words_and_words_have_a_fact() {
    let facts = r#"{"calls": [], "errors": [{"code": "gone", "status": 410, "message": "m",
        "field": null}], "events": [], "events_kept_days": 90, "tiers": [], "peck_types": [],
        "person_requests_per_minute": 300}"#;
    let words = "other:\n  about: x\nindex:\n  title: Errors\n  about: All errors of the API, with \
                 what each of them means.\n";
    let built = build(&Input {
        facts: vec![Text { path: "api.json".into(), text: facts.into() }],
        words: vec![Text { path: "errors.yaml".into(), text: words.into() }],
        openapi: "{}".into(),
        ..Input::default()
    });
    let found: Vec<String> = built.mistakes.iter().map(ToString::to_string).collect();
    for needed in ["no words for `gone`", "words for `other`, which is not there"] {
        let needed = format!("pages/reference/errors.yaml: {needed}");
        assert!(found.contains(&needed), "{needed} in {found:?}");
    }
}

fn app(path: &str, head: &str, body: &str) -> Text {
    let text = format!(
        "---\ntitle: \"A page: with a program\"\ndescription: A page that has a program and says \
         what it does.\n{head}---\n{body}\n"
    );
    Text { path: path.into(), text }
}

#[test]
fn pages_with_a_program_have_the_layout_of_all_pages() {
    let body = "<h1 id=\"a\">Act</h1>\n<a class=\"b\" data-site=\"duckgalaxy\" \
                data-path=\"/guide/one/\" href=\"/\">x</a>";
    let head = "nav: Act now\nscript: /act/act.js\nstyle: /shared/app.css\n";
    let built = build(&Input {
        markdown: vec![
            md("duckgalaxy/guide/one.md", "[act](spaceduckling:/act/#a)"),
            md("spaceduckling/help/index.md", "Help."),
        ],
        html: vec![app("spaceduckling/act/index.html", head, body)],
        ..Input::default()
    });
    assert_eq!(built.mistakes, []);
    let html = page(&built, "spaceduckling/act/index.html");
    for needed in [
        "<title>A page: with a program</title>",
        "<meta name=\"description\" content=\"A page that has a program and says what it does.\">",
        "<link rel=\"stylesheet\" href=\"/shared/app.css\">",
        "<script type=\"module\" src=\"/act/act.js\"></script>",
        "<main id=\"main\" tabindex=\"-1\">\n<h1 id=\"a\">Act</h1>",
        "<a href=\"/sites/#duckgalaxy-guide-one\" data-site=\"duckgalaxy\" \
         data-path=\"/guide/one/\" class=\"b\">x</a>\n</main>",
        "<li><a href=\"/act/\" aria-current=\"page\">Act now</a></li>",
        "<footer class=\"foot\">",
    ] {
        assert!(html.contains(needed), "{needed} in {html}");
    }
    // All that is around the content is what a page to be read has, too.
    let text = page(&built, "spaceduckling/help/index.html");
    let around = |page: &str| {
        let (before, rest) = page.split_once("<main").expect("main");
        let head = before.lines().filter(|line| !line.contains("title") && !line.contains("src="));
        let head = head.filter(|line| !line.contains("description") && !line.contains("app.css"));
        let head = head.map(|line| line.replace(" aria-current=\"page\"", ""));
        (head.collect::<Vec<_>>(), rest.split_once("</main>").expect("its end").1.to_owned())
    };
    assert_eq!(around(html), around(text));
    assert!(page(&built, "duckgalaxy/sites/index.html").contains(">Act now</a></li>"));
}

#[test]
fn the_page_for_what_is_not_there_is_every_sites() {
    let html = vec![app("shared/404.html", "", "<h1>Nothing</h1>")];
    let built = build(&Input { html, ..Input::default() });
    for site in &SITES {
        let html = page(&built, &format!("{}/404.html", site.name));
        let own = format!("<span>{} <small>", site.title);
        assert!(html.contains(&own) && html.contains("src=\"/shared/beak.js\""), "{html}");
    }
}

#[test]
fn the_head_of_a_page_with_a_program_is_strict() {
    for (text, fault) in [
        ("<h1>x</h1>", "it does not begin with `---`"),
        ("---\ntitle: x\ndescription: short\n---\n", "has 5 characters"),
        ("---\ntitle: x\n---\n", "description"),
        ("---\ntitle: x\ndescription: y\nkind: guide\n---\n", "kind"),
    ] {
        let html = vec![Text { path: "spaceduckling/index.html".into(), text: text.into() }];
        let built = build(&Input { html, ..Input::default() });
        let found = built.mistakes.first().map(ToString::to_string).unwrap_or_default();
        assert!(found.starts_with("sites/spaceduckling/index.html: "), "{found}");
        assert!(found.contains(fault), "{found}");
    }
}

#[test]
fn the_index_finds_parts_of_names_and_no_common_words() {
    let words = search::split("Send the `rate_limited` code to /beak/peck of a duck");
    for word in ["send", "rate", "limited", "rate_limited", "beak", "peck", "duck"] {
        assert!(words.iter().any(|found| found == word), "{word} in {words:?}");
    }
    for word in ["the", "to", "of", "a"] {
        assert!(!words.iter().any(|found| found == word), "{word} in {words:?}");
    }
}

/// The forms of a word share a stem; the index has the way from each of them to it.
#[test]
fn the_index_finds_other_forms_of_a_word() {
    // A word on a fifth of all pages would say nothing about any of them.
    let names: Vec<String> = (0..12).map(|at| format!("duckgalaxy/page-{at:02}.md")).collect();
    let text = |at: usize| match at {
        0 => "Deleting a duckling.",
        1 => "It deletes its keys.",
        _ => "Nothing of the kind.",
    };
    let pages: Vec<(&str, &str)> =
        names.iter().enumerate().map(|(at, name)| (name.as_str(), text(at))).collect();
    let built = built(&pages);
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(page(&built, &format!("shared/search/{name}.json"))).expect("JSON")
    };
    let drawer = read(&((100 * 31 + 101) % 64).to_string());
    let stem = drawer["w"]["deleting"].as_str().expect("a stem");
    assert_eq!(drawer["w"]["deletes"], stem);
    assert_eq!(drawer["s"][stem], serde_json::json!([[], [], [0, 1]]));
    assert_eq!(read("t0")[1][1], "It deletes its keys.");
}

/// Folders of the reference with a page for each fact, and the headings of each page.
const PAGES: [(&str, &[&str]); 3] = [
    ("duckgalaxy/api/", &["request", "response", "errors"]),
    ("duckcontrol/cli/", &["example", "when-it-fails", "what-to-do"]),
    ("duckcontrol/stacks/", &["if-it-goes", "how-it-comes-back"]),
];

/// Pages of the reference with a part for each fact, and the headings of each part.
const PARTS: [(&str, &[&str]); 9] = [
    ("duckgalaxy/errors/", &["cause", "fix"]),
    ("duckgalaxy/events/", &["when-it-is-written", "what-it-holds"]),
    ("duckcontrol/exit-codes/", &["cause", "fix", "example"]),
    ("duckcontrol/config/", &["example", "when-it-is-wrong"]),
    ("duckcontrol/drift/", &["cause", "fix", "example"]),
    ("duckcontrol/doctor/", &["cause", "fix", "example"]),
    ("duckcontrol/mail/", &["why-it-may-be-open", "how-to-get-there", "example"]),
    ("spaceduck-bot/peck-types/", &["asking", "before-you-approve"]),
    ("spaceduck-bot/tiers/", &["how-a-duckling-gets-there", "what-it-opens", "example"]),
];

/// What stands below a heading, up to the next one.
fn below<'h>(html: &'h str, id: &str) -> Option<&'h str> {
    let (_, rest) = html.split_once(&format!(" id=\"{id}\">"))?;
    let (_, rest) = rest.split_once("</h")?;
    Some(rest.split("<h").next().unwrap_or(rest).split("<nav").next().unwrap_or(rest).trim())
}

fn real() -> Built {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    build(&read::input(&root).expect("readable"))
}

#[test]
fn every_page_of_the_reference_has_cause_fix_and_example() {
    let built = real();
    for (folder, wanted) in PAGES {
        let mut pages = 0;
        for file in &built.files {
            let inside = file.path.strip_prefix(folder).and_then(|p| p.strip_suffix("index.html"));
            // A section's first page is a list.
            if inside.is_none_or(str::is_empty) {
                continue;
            }
            for id in wanted {
                let said = below(&file.text, id).is_some_and(|below| below.contains("</"));
                assert!(said, "{} says nothing below #{id}", file.path);
            }
            assert!(file.text.contains("<pre"), "{} shows nothing", file.path);
            pages += 1;
        }
        assert!(pages > 2, "{pages} pages in {folder}");
    }
    let stack = page(&built, "duckcontrol/stacks/data/index.html");
    assert!(below(stack, "what-it-costs-a-month").is_some_and(|b| b.contains("$1")));
    assert!(stack.contains("$1.00 when idle"), "{stack}");
    let lost = "cert-signing-key-what-is-lost-when-it-goes";
    assert!(below(stack, lost).is_some_and(|below| below.len() > 40));
}

#[test]
fn every_part_of_the_reference_has_cause_fix_and_example() {
    let built = real();
    let mut seen = 0;
    for (folder, wanted) in PARTS {
        let html = page(&built, &format!("{folder}index.html"));
        let mut parts = 0;
        for part in html.split("<h2 id=\"").skip(1) {
            let (id, _) = part.split_once('"').expect("an id");
            // The page's own headings; nothing has to be fixed where all is well.
            if !html.contains(&format!("<h3 id=\"{id}-")) || id == "0" {
                continue;
            }
            for heading in wanted {
                let heading = format!("{id}-{heading}");
                let said = below(html, &heading).is_some_and(|below| below.contains("</"));
                assert!(said, "{folder} says nothing below #{heading}");
            }
            assert!(part.contains("<pre"), "{folder}#{id} shows nothing");
            parts += 1;
        }
        assert!(parts > 2, "{parts} parts in {folder}");
        seen += parts;
    }
    assert!(seen > 150, "{seen} parts");
}

/// A page says something, or is part of one that does.
#[test]
fn no_page_is_thin() {
    let mut thin = Vec::new();
    for file in real().files.iter().filter(|file| file.path.ends_with("index.html")) {
        let Some((_, prose)) = file.text.split_once("<div class=\"prose\">") else { continue };
        let prose = prose.split("class=\"around\"").next().unwrap_or(prose);
        let mut words = 0;
        for part in prose.split('<') {
            let text = part.split_once('>').map_or("", |(_, rest)| rest);
            words += text.split_whitespace().count();
        }
        // Lists of a section's pages are what they are.
        let is_list = prose.contains("<ul class=\"cards\">") || file.path.contains("/sites/");
        if words < 150 && !is_list {
            thin.push(format!("{}: {words} words", file.path));
        }
    }
    assert!(thin.is_empty(), "{}", thin.join("\n"));
}

/// A link to a fact leads to its part of a page.
#[test]
fn links_to_facts_lead_to_their_parts() {
    let built = real();
    let page = page(&built, "duckcontrol/cli/drift/index.html");
    assert!(page.contains("href=\"/exit-codes/#6\""), "{page}");
    for site in &SITES {
        let index = built.files.iter().find(|f| f.path == format!("{}/llms.txt", site.name));
        let index = &index.expect("an index for language models").text;
        let title = format!("# {}\n\n> {}\n", site.title, site.about);
        assert!(index.starts_with(&title) && index.contains("\n- ["), "{index}");
        let full = built.files.iter().find(|f| f.path == format!("{}/llms-full.txt", site.name));
        let full = &full.expect("all pages").text;
        assert!(full.contains("](%address-of-") && !full.contains("](/"), "{}", site.name);
        let catalog = format!("{}/.well-known/api-catalog", site.name);
        let catalog = built.files.iter().find(|f| f.path == catalog).expect("a catalog");
        let catalog: serde_json::Value = serde_json::from_str(&catalog.text).expect("JSON");
        let found = &catalog["linkset"][0]["service-desc"][0]["href"];
        assert_eq!(found, "%address-of-api%/beak/openapi.json");
        let security = format!("{}/.well-known/security.txt", site.name);
        let security = built.files.iter().find(|f| f.path == security).expect("security.txt");
        let expires = format!("\nExpires: {SECURITY_EXPIRES}\n");
        assert!(security.text.starts_with("Contact: ") && security.text.contains(&expires));
        let form = &time::format_description::well_known::Rfc3339;
        assert!(time::OffsetDateTime::parse(SECURITY_EXPIRES, form).is_ok());
    }
}

#[test]
fn an_example_is_of_the_kind_that_it_is_an_example_of() {
    let facts = r#"{"commands": [], "shared": [], "exit_codes": [], "config": [], "stacks": [],
        "drift": [{"id": "page", "item": "SITE/PAGE", "state": "missing", "mends": ""}],
        "doctor": [{"id": "disk", "title": "Room", "should": "s", "cure": "c"}]}"#;
    let said = |drift: &str, doctor: &str| {
        let about = "about: A sentence that is long enough to be the description of a page.";
        let words = |name: &str, id: &str, example: &str| Text {
            path: format!("{name}.yaml"),
            text: format!("{id}:\n  {about}\n  example: \"{example}\"\n"),
        };
        let built = build(&Input {
            facts: vec![Text { path: "installer.json".into(), text: facts.into() }],
            words: vec![words("drift", "page", drift), words("doctor", "disk", doctor)],
            ..Input::default()
        });
        let all: Vec<String> = built.mistakes.iter().map(ToString::to_string).collect();
        all.into_iter().filter(|text| text.contains("example")).collect::<Vec<_>>()
    };
    assert_eq!(said("a/b.html  it is gone", "problem: full"), Vec::<String>::new());
    let wrong = said("missing a  it is gone", "it is full");
    assert_eq!(
        wrong,
        [
            "pages/reference/doctor.yaml: `disk`: its example begins with no level",
            "pages/reference/drift.yaml: `page`: its example is no `SITE/PAGE`",
        ]
    );
}

/// The pages of the project itself.
#[test]
fn the_projects_own_pages_have_no_mistake() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = build(&read::input(&root).expect("readable"));
    let found: Vec<String> = built.mistakes.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let pages = built.files.iter().filter(|file| file.path.ends_with("html")).count();
    assert!(pages >= 200, "{pages} pages");
}
