//! Text that people read: marks that hide something in it, and names that can't deceive.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::UnicodeGeneralCategory as _;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeEmoji};
use unicode_security::RestrictionLevelDetection as _;
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::{GeneralSecurityProfile as _, RestrictionLevel};

/// More combining marks on one letter than any language has (UTS 39, section 5.4).
const MARKS_ON_A_LETTER: usize = 4;

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// A pattern of Braille without dots: a symbol that looks like a space.
const BRAILLE_BLANK: char = '\u{2800}';

/// Every mark that makes a text look other than it is, or is invisible, with its place in
/// bytes: controls but line breaks and tabs, changes of direction, and what Unicode lets programs
/// ignore. Joiners are fine where scripts and emoji need them.
pub fn hidden_marks(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut before = Before::default();
    text.char_indices().filter(move |(at, c)| {
        let hides = match *c {
            NON_JOINER | JOINER => !before.joins(*c, text[at + c.len_utf8()..].chars().next()),
            // The look of the emoji in front of it.
            '\u{fe0e}' | '\u{fe0f}' => !before.is_emoji,
            c => is_hidden(c),
        };
        before.take(*c);
        hides
    })
}

/// The context before a character.
#[derive(Default)]
struct Before {
    /// The nearest character that has a look of its own, unless something else came after it.
    is_emoji: bool,
    script_joins: bool,
}

impl Before {
    fn take(&mut self, c: char) {
        match c {
            '\u{fe0e}' | '\u{fe0f}' => {}
            c => {
                self.is_emoji = c.is_emoji_char();
                self.script_joins = joins_letters(c);
            }
        }
    }

    fn joins(&self, joiner: char, next: Option<char>) -> bool {
        let emoji =
            joiner == JOINER && self.is_emoji && next.is_some_and(UnicodeEmoji::is_emoji_char);
        emoji || (self.script_joins && next.is_some_and(joins_letters))
    }
}

/// Whether a letter is of a script that uses joiners: Arabic and its neighbours, and the scripts of
/// India (UAX 31, section 2.3.1).
fn joins_letters(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}' | '\u{1800}'..='\u{18af}')
        && matches!(
            c.general_category_group(),
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
        )
}

fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_control() && !matches!(c, '\n' | '\t');
    }
    match c.general_category() {
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator => true,
        // Some of these are digits' and verses' signs; what can't be seen is in the list below.
        GeneralCategory::Unassigned => matches!(c, '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..),
        _ => {
            c.identifier_type() == Some(IdentifierType::Default_Ignorable)
                // Annotations between lines.
                || matches!(c, '\u{fff9}'..='\u{fffb}')
        }
    }
}

/// Whether a text has at most so many characters and hides nothing.
pub(crate) fn is_plain(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && hidden_marks(text).next().is_none()
}

/// A name in its one spelling, blanks around it dropped; or why it may deceive.
pub(crate) fn name(text: &str, longest: usize) -> Result<String, &'static str> {
    let name: String = text.trim().nfc().collect();
    let blank = |c: char| c.is_whitespace() || c == BRAILLE_BLANK;
    if !(1..=longest).contains(&name.chars().count()) || name.chars().all(blank) {
        return Err("a display name has 1 to 64 visible characters");
    }
    let other_space = |c: char| c.is_whitespace() && c != ' ';
    if hidden_marks(&name).next().is_some() || name.contains(other_space) {
        return Err("a display name has no invisible characters and no line breaks");
    }
    if name.contains(BRAILLE_BLANK) || has_stacked_marks(&name) {
        return Err("a display name has no blank symbols and no piles of accents");
    }
    let letters: String = name.chars().filter(|c| is_of_a_script(*c)).collect();
    // Single script, or Latin with what Chinese, Japanese or Korean are written in.
    if !letters.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err("a display name has letters of one script, none of them look-alikes");
    }
    Ok(name)
}

/// Whether a character says in which script a name is written.
fn is_of_a_script(c: char) -> bool {
    let group = c.general_category_group();
    matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
        && !matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}')
}

fn has_stacked_marks(name: &str) -> bool {
    let mut marks = 0;
    name.nfd().any(|c| {
        marks = if c.general_category() == GeneralCategory::NonspacingMark { marks + 1 } else { 0 };
        marks > MARKS_ON_A_LETTER
    })
}

/// A password as it is compared, RFC 8265 section 4.2 (`OpaqueString`): spaces of all kinds are
/// one, and letters have one spelling, however a keyboard or a system composes them. `None` if it
/// has characters that the RFC allows in no password.
///
/// By hand: `precis-profiles` knows the characters of Unicode 6.3 only, and so refuses every
/// emoji since. Other than the RFC, we let an emoji be several that are joined.
pub(crate) fn opaque(text: &str) -> Option<String> {
    let space = |c: char| {
        if c.general_category() == GeneralCategory::SpaceSeparator { ' ' } else { c }
    };
    let opaque: String = text.chars().map(space).nfc().collect();
    let unfit = |c: char| c.is_control() || c.general_category() == GeneralCategory::Unassigned;
    let fit =
        !opaque.is_empty() && !opaque.contains(unfit) && hidden_marks(&opaque).next().is_none();
    fit.then_some(opaque)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_in_plain_text() {
        for text in ["", "two\nlines\tand a tab", "Dück 🦆", "नमस्ते क्‍ष", "می‌خواهم", "👩‍💻 👨‍👩‍👧 ❤️ 1️⃣ 🏳️‍🌈"]
        {
            assert_eq!(hidden_marks(text).next(), None, "{text:?}");
        }
        let hidden = [
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{200d}b",
            "a\u{200c}b",
            "\u{feff}",
            "a\u{ad}b",
            "\u{3164}",
            "\u{115f}",
            "a\u{34f}b",
            "a\u{fe0f}",
            "a\u{e0041}",
            "🏴\u{e0067}",
            "a\u{e0100}",
            "\u{1b}[31m",
            "\u{85}",
            "\u{2028}",
            "\u{61c}",
            "\u{180e}",
            "\u{1d173}",
            "\u{fffa}",
            "🦆\u{200d}a",
        ];
        for text in hidden {
            assert!(hidden_marks(text).next().is_some(), "{text:?}");
        }
        assert_eq!(hidden_marks("ü\u{202e}").next(), Some((2, '\u{202e}')));
    }

    #[test]
    fn a_name_is_what_it_looks_like() {
        let fine = [
            "Duck 🦆",
            "Анна-Мария",
            "山田 太郎",
            "Yamada 太郎",
            "ひよこ Duck",
            "김오리",
            "O'Brien (2nd) №1",
            "مریم",
            "Ελένη",
            "Nguyễn Thị",
            "👩‍💻",
            "R2-D2 ★",
            "1️⃣",
            "ক্ষ",
            "สมชาย",
        ];
        for text in fine {
            assert_eq!(name(text, 64).as_deref(), Ok(text), "{text:?}");
        }
        let deceiving = [
            "",
            " ",
            "\u{2800}",
            "\u{3164}",
            "\u{115f}",
            "a\u{34f}b",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\nb",
            "Swan\u{2800}",
            "Аnna",
            "раypal",
            "Duсk",
            "Ꭰuck",
            "ｄｕｃｋ",
            "𝐝𝐮𝐜𝐤",
            "a\u{a0}b",
            "Z\u{301}\u{302}\u{303}\u{304}\u{306}algo",
        ];
        for text in deceiving {
            assert!(name(text, 64).is_err(), "{text:?}");
        }
        assert_eq!(name("Du\u{308}ck", 64).as_deref(), Ok("Dück"));
    }

    #[test]
    fn a_password_has_one_spelling() {
        for (typed, compared) in [
            ("hush\u{a0}hush\u{3000}hush", "hush hush hush"),
            ("Du\u{308}ck", "Dück"),
            (" Case and blanks stay ", " Case and blanks stay "),
            ("duck 🦆 👩‍💻", "duck 🦆 👩‍💻"),
        ] {
            assert_eq!(opaque(typed).as_deref(), Some(compared), "{typed:?}");
        }
        for text in ["", "a\nb", "a\tb", "a\u{202e}b", "a\u{378}b", "a\u{ad}b"] {
            assert_eq!(opaque(text), None, "{text:?}");
        }
    }
}
