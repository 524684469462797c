//! The rules for what is not code: documents, decisions, the map, the workflows of CI.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::tree::{files, root};
use crate::{read, shown};

fn documents() -> Vec<PathBuf> {
    let mut documents = files(&root().join("docs"), "md");
    documents.extend(files(&root().join(".github"), "md"));
    for name in ["README", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG", "SECURITY"] {
        documents.push(root().join(format!("{name}.md")));
    }
    documents
}

#[test]
fn documents_are_short_and_their_links_lead_somewhere() {
    for path in documents() {
        let (place, text) = (shown(&path), read(&path));
        assert!(text.lines().count() <= 200, "{place}");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            // A long link may be broken behind its bracket.
            let link = link.split_whitespace().collect::<String>();
            let local = !link.contains("://") && !link.starts_with('#');
            let target = path.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(!local || target.exists(), "{place}: {link}");
        }
    }
}

/// What is in backticks, on one line.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[test]
fn the_map_of_the_code_is_true_and_whole() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let spans: Vec<&str> = spans(&map).collect();
    let is_path = |span: &&str| {
        let starts = ["src/", "crates/", "sites/", "pages/", "tests/", "templates/", "sdk/"];
        starts.iter().any(|start| span.starts_with(start)) && !span.contains("SITE")
    };
    let mut paths = 0;
    for path in spans.iter().filter(|span| is_path(span)) {
        paths += 1;
        assert!(root().join(path).exists(), "ARCHITECTURE.md names `{path}`, which does not exist");
    }
    assert!(paths > 20, "{paths} paths");
    for entry in std::fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // A folder is the inside of the file of the same name.
        let is_inside = root().join("src").join(format!("{name}.rs")).exists();
        let is_module = !is_inside && name != "lib.rs" && name != "provider.json";
        let is_named = spans.iter().any(|span| *span == name || *span == format!("{name}/"));
        assert!(!is_module || is_named, "ARCHITECTURE.md does not name src/{name}");
    }
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(map.contains(&format!("| `{name}` |")), "ARCHITECTURE.md does not name {name}");
    }
}

/// Number → path, of every decision.
fn decisions() -> BTreeMap<u32, PathBuf> {
    let mut found = BTreeMap::new();
    for path in files(&root().join("docs/adr"), "md") {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name != "README.md" {
            let number = name.split('-').next().unwrap().parse().unwrap();
            assert!(found.insert(number, path.clone()).is_none(), "two decisions {number}");
        }
    }
    found
}

#[test]
fn decisions_have_a_status_a_date_and_consequences_and_are_in_the_index() {
    let index = read(&root().join("docs/adr/README.md"));
    let decisions = decisions();
    assert!(decisions.len() > 20);
    for (number, path) in &decisions {
        let (place, text) = (shown(path), read(path));
        let mut lines = text.lines();
        let title = lines.next().unwrap().strip_prefix(&format!("# {number}. "));
        let title = title.unwrap_or_else(|| panic!("{place} does not begin with `# {number}. `"));
        let header: Vec<&str> = lines.skip(1).take(2).collect();
        let field = |at: usize, name: &str| {
            let value = header[at].strip_prefix(&format!("* {name}: "));
            value.unwrap_or_else(|| panic!("{place} has no `* {name}: ` in line {}", at + 3))
        };
        let status = field(0, "Status").split([';', ' ']).next().unwrap();
        assert!(["accepted", "superseded", "rejected"].contains(&status), "{place}: {status}");
        let date = field(1, "Date");
        let digits = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
        assert_eq!(digits.collect::<String>(), "0000-00-00", "{place}: {date}");
        for heading in ["Context", "Decision", "Consequences"] {
            let section = text.split(&format!("\n## {heading}\n")).nth(1);
            let words = section.and_then(|rest| rest.split("\n## ").next()).unwrap_or_default();
            assert!(words.split_whitespace().count() > 5, "{place} has no {heading}");
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let row = format!("| {number} | [{title}]({name}) | {status} | {date} |");
        assert!(index.lines().any(|line| line == row), "docs/adr/README.md lacks the row\n{row}");
    }
    let rows = index.lines().filter(|line| line.starts_with("| ") && line.contains("]("));
    assert_eq!(rows.count(), decisions.len(), "docs/adr/README.md has a row too many");
}

/// The numbers behind `ADR `.
fn named_in(text: &str) -> impl Iterator<Item = u32> {
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    text.split("ADR ").skip(1).filter_map(number)
}

#[test]
fn a_decision_that_is_named_exists() {
    assert_eq!(named_in("see ADR 12, and an ADR in `ADR N`; ADR 3.").collect::<Vec<_>>(), [12, 3]);
    let decisions = decisions();
    let mut named = 0;
    for folder in ["src", "crates", "xtask", "tests", "sdk", "docs", "pages", "templates", "sites"]
    {
        for ending in ["rs", "py", "toml", "md", "yaml", "js"] {
            for path in files(&root().join(folder), ending) {
                // These are its own words for a decision that does not exist.
                if path.ends_with("documents/mod.rs") {
                    continue;
                }
                let text = read(&path);
                for number in named_in(&text) {
                    named += 1;
                    let place = shown(&path);
                    assert!(decisions.contains_key(&number), "{place} names ADR {number}");
                }
                for rest in text.split("docs/adr/0").skip(1) {
                    let name = rest.split(|c: char| c.is_whitespace() || "`)\"".contains(c)).next();
                    let name = format!("0{}", name.unwrap().trim_end_matches(['.', ',', ':']));
                    let place = shown(&path);
                    assert!(root().join("docs/adr").join(&name).exists(), "{place} names {name}");
                }
            }
        }
    }
    assert!(named > 7, "{named} decisions are named");
}

#[test]
fn workflows_have_few_rights_and_pinned_actions() {
    let workflows = files(&root().join(".github/workflows"), "yml");
    assert!(workflows.len() >= 2);
    let mut pinned = 0;
    for path in &workflows {
        let (place, text) = (shown(path), read(path));
        assert!(
            text.lines().any(|line| line == "permissions: {}"),
            "{place}: no `permissions: {{}}`"
        );
        for word in ["pull_request_target", "write-all", "secrets.", "${{ github.event.pull"] {
            assert!(!text.contains(word), "{place} has `{word}`");
        }
        let jobs = text.matches("    runs-on: ").count();
        assert_eq!(text.matches("    permissions:").count(), jobs, "{place}: rights of each job");
        assert_eq!(text.matches("    timeout-minutes: ").count(), jobs, "{place}: a limit of time");
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            pinned += 1;
            // The version behind it is for people; only a commit can't be moved.
            let pin = line.rsplit('@').next().unwrap().split_once(" # v");
            let (commit, version) = pin.unwrap_or_default();
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit && !version.is_empty(), "{place}: {line}");
        }
    }
    assert!(pinned > 3);
    let all = workflows.iter().map(|path| read(path)).collect::<String>();
    for command in ["run: cargo xtask test", "run: cargo xtask dist"] {
        assert!(all.contains(command), "no workflow has `{command}`");
    }
}

/// What `.editorconfig` says, so that an editor which heeds it changes nothing else.
#[test]
fn text_files_are_as_the_editorconfig_says() {
    let mut seen = 0;
    for folder in ["src", "crates", "xtask", "tests", "sdk", "docs", "pages", "templates", "sites"]
    {
        for ending in ["rs", "py", "toml", "md", "yaml", "js", "css", "html"] {
            for path in files(&root().join(folder), ending) {
                let (place, text) = (shown(&path), read(&path));
                seen += 1;
                assert!(text.is_empty() || text.ends_with('\n'), "{place} ends within a line");
                assert!(!text.contains('\r'), "{place} has CRLF");
                for (number, line) in (1..).zip(text.lines()) {
                    let is_plain = ending == "md" || line.trim_end() == line;
                    assert!(is_plain, "{place}:{number} ends in a space");
                    let indent = line.trim_start().len();
                    let indent = &line[..line.len() - indent];
                    assert!(ending == "md" || !indent.contains('\t'), "{place}:{number} has a tab");
                }
            }
        }
    }
    assert!(seen > 900, "{seen} files");
}

/// The commands in CONTRIBUTING.md and the checklist of a release.
#[test]
fn commands_for_contributors_exist() {
    let chores = read(&root().join("xtask/src/main.rs"));
    let chores = chores.split("enum Chore {").nth(1).unwrap().split("\n}").next().unwrap();
    let is_chore = |name: &str| {
        let mut letters = name.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let name = format!("    {first}{}", letters.as_str());
        chores.lines().any(|line| line.trim_end_matches([',', ' ', '{']) == name)
    };
    assert!(is_chore("test") && !is_chore("tests"));
    let word = |rest: &str| -> String {
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
    };
    let mut seen = 0;
    for name in ["README.md", "CONTRIBUTING.md", "docs/releasing.md"] {
        let text = read(&root().join(name));
        let after =
            |before: &str| -> Vec<String> { text.split(before).skip(1).map(word).collect() };
        for chore in after("cargo xtask ") {
            seen += 1;
            assert!(is_chore(&chore), "{name}: cargo xtask {chore}");
        }
        for crate_name in after("cargo test -p ") {
            seen += 1;
            let folder = root().join("crates").join(&crate_name);
            assert!(folder.is_dir() || crate_name == "spaceduck", "{name}: -p {crate_name}");
        }
        for test in after(" --test ") {
            seen += 1;
            assert!(root().join(format!("tests/{test}.rs")).exists(), "{name}: --test {test}");
        }
    }
    assert!(seen > 6, "{seen} commands");
}

/// One number for the whole project.
#[test]
fn the_sdk_has_the_version_of_the_program() {
    let version = read(Path::new(&root().join("sdk/python/src/spaceduck/_version.py")));
    let wanted = format!("__version__ = \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(version.contains(&wanted), "{wanted}");
}
