//! The mails of a galaxy, as text and as HTML.

use crate::person::{Email, OtpCode};

/// A mail to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// To whom.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// For those who read text.
    pub text: String,
    /// For those who read HTML.
    pub html: String,
}

impl Mail {
    /// Carries the code of a hatch.
    #[must_use]
    pub fn code(to: Email, code: &OtpCode) -> Self {
        let code = code.expose();
        let subject = "Your Space Duck code";
        let lines = [
            "Somebody, probably you, is hatching a duckling with this address.".to_owned(),
            format!("The code is {code}. It is good for 15 minutes and for one use."),
            "If it was not you, leave this mail alone: nothing hatches without the code.".into(),
        ];
        Self::of(to, subject, &lines)
    }

    /// Tells the owner of a known address that somebody tried to hatch with it.
    #[must_use]
    pub fn already_hatched(to: Email) -> Self {
        let lines = [
            "Somebody, probably you, tried to hatch a duckling with this address.".to_owned(),
            "It already has one, so nothing has changed. To use it, sign in; if the password is \
             lost, ask for a new one there."
                .into(),
            "If it was not you, there is nothing to do.".into(),
        ];
        Self::of(to, "You already have a duckling", &lines)
    }

    /// Carries the code for a new password.
    #[must_use]
    pub fn reset(to: Email, code: &OtpCode) -> Self {
        let code = code.expose();
        let lines = [
            "Somebody, probably you, wants a new password for this address.".to_owned(),
            format!("The code is {code}. It is good for 15 minutes and for one use."),
            "If it was not you, leave this mail alone: the password stays as it is.".into(),
        ];
        Self::of(to, "A new password for your duckling", &lines)
    }

    fn of(to: Email, subject: &str, paragraphs: &[String]) -> Self {
        let paragraph = |text: &String| ["<p>", &escape(text), "</p>\n"].concat();
        let html = paragraphs.iter().map(paragraph).collect();
        let text = format!("{}\n", paragraphs.join("\n\n"));
        Self { to, subject: subject.to_owned(), text, html }
    }
}

/// Text as it may stand between tags and in quoted attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escaped).collect()
}
