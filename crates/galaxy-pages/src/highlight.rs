//! Colours in code. `synoptic` finds the parts; a class names each, since our policy allows no
//! style in a tag.

use synoptic::{Highlighter, TokOpt};

use crate::markdown::escape;

/// What a part of code is, and its class in `style.css`. Other parts keep the plain colour.
const CLASSES: [(&str, &str); 8] = [
    ("comment", "c"),
    ("string", "s"),
    ("key", "k"),
    ("keyword", "k"),
    ("boolean", "k"),
    ("tag", "k"),
    ("digit", "n"),
    ("flag", "n"),
];

/// How wide the library takes a tab to be. Our code has none.
const TAB: usize = 4;

/// A block of code as HTML, in colours where its language is known.
pub(crate) fn html(text: &str, language: &str) -> String {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some(mut highlighter) = highlighter(language) else {
        return escape(&lines.join("\n"));
    };
    highlighter.run(&lines);
    let line = |(at, line): (usize, &String)| {
        highlighter.line(at, line).into_iter().map(part).collect::<String>()
    };
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn part(part: TokOpt) -> String {
    let (text, kind) = match part {
        TokOpt::Some(text, kind) => (text, kind),
        TokOpt::None(text) => (text, String::new()),
    };
    match CLASSES.iter().find(|(known, _)| *known == kind) {
        Some((_, class)) => format!("<span class=\"{class}\">{}</span>", escape(&text)),
        None => escape(&text),
    }
}

/// The rules of a language.
fn highlighter(language: &str) -> Option<Highlighter> {
    let ending = match language {
        "sh" => return Some(shell()),
        "python" => "py",
        "javascript" => "js",
        "rust" => "rs",
        "json" | "yaml" | "html" | "go" => language,
        _ => return None,
    };
    synoptic::from_extension(ending, TAB)
}

/// Rules of our own for a shell: the library's take every `#` for a comment and every known
/// program's name for a keyword, `local` among them.
fn shell() -> Highlighter {
    let mut rules = Highlighter::new(TAB);
    rules.bounded("string", "\"", "\"", true);
    rules.bounded("string", "'", "'", false);
    rules.keyword("comment", r"(?:^|\s)(#.*)$");
    rules.keyword("flag", r"\s(--?[A-Za-z][A-Za-z-]*)");
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_colours() {
        for (language, text, wanted) in [
            ("sh", "a --b 'c' # d", "<span class=\"n\">--b</span> <span class=\"s\">'c'</span>"),
            ("sh", "a # d", "<span class=\"c\"># d</span>"),
            ("sh", "open http://a/#b", "open http://a/#b"),
            ("json", "{\"a\": true}", "<span class=\"s\">&quot;a&quot;</span>"),
            ("python", "import a", "<span class=\"k\">import</span> a"),
            ("yaml", "a: 1 # b", "<span class=\"c\"># b</span>"),
            ("text", "a: 'b' # c", "a: 'b' # c"),
        ] {
            let html = html(text, language);
            assert!(html.contains(wanted), "{language}: {html}");
        }
    }

    /// Colours add tags and take no letter away.
    #[test]
    fn the_text_stays_what_it_was() {
        for language in ["sh", "json", "python", "javascript", "yaml", "html", "rust", "go", "text"]
        {
            let text = "a \"b\" <c> & 'd' # e\n\n  é: 1.5 {f}";
            let html = html(text, language);
            let mut plain = String::new();
            for part in html.split('<') {
                plain.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
            }
            assert_eq!(plain, escape(text), "{language}");
        }
    }
}
