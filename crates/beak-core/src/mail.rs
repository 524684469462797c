//! The mails of a galaxy, as text and as HTML. Their words are in `mails/`.

use askama::Template;

use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::newsletter::Token;
use crate::person::{CODE_LIFETIME, Email, OtpCode};

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
    /// Where a POST ends the subscription that this mail belongs to, without a question: RFC 8058.
    pub unsubscribe: Option<String>,
}

/// Both forms of a mail's words.
macro_rules! words {
    ($name:ident $(<$life:lifetime>)?, $text:literal, $html:literal {
        $($field:ident: $kind:ty),*
    }) => {
        mod $name {
            use askama::Template;

            #[derive(Template)]
            #[template(path = $text)]
            pub(super) struct Text $(<$life>)? { $(pub(super) $field: $kind),* }

            #[derive(Template)]
            #[template(path = $html)]
            pub(super) struct Html $(<$life>)? { $(pub(super) $field: $kind),* }
        }
    };
}

words!(code<'a>, "code.txt", "code.html" { code: &'a str, minutes: Option<i64> });
words!(already_hatched, "already_hatched.txt", "already_hatched.html" {});
words!(
    account_without_duckling,
    "account_without_duckling.txt",
    "account_without_duckling.html" {}
);
words!(factor_enrolled, "factor_enrolled.txt", "factor_enrolled.html" {});
words!(factor_removed, "factor_removed.txt", "factor_removed.html" {});
words!(welcome<'a>, "welcome.txt", "welcome.html" {
    name: &'a str, id: &'a str, tier: &'a str
});
words!(newsletter<'a>, "newsletter.txt", "newsletter.html" {
    confirm: &'a str, unsubscribe: &'a str
});

macro_rules! mail {
    ($to:expr, $subject:expr, $name:ident { $($field:ident),* }) => {{
        let text = written(&$name::Text { $($field),* })?;
        let html = written(&$name::Html { $($field),* })?;
        let subject = $subject.to_owned();
        Ok(Mail { to: $to, subject, text, html, unsubscribe: None })
    }};
}

fn written(words: &impl Template) -> Result<String> {
    words.render().map_err(|error| BeakError::Internal(format!("a mail: {error}")))
}

impl Mail {
    /// The subject of mails that carry a code.
    pub const CODE_SUBJECT: &str = "Your Space Duck code";

    /// Carries the code of a hatch or for a new password.
    pub fn code(to: Email, code: &OtpCode) -> Result<Self> {
        let (code, minutes) = (code.expose(), Some(CODE_LIFETIME.whole_minutes()));
        mail!(to, Self::CODE_SUBJECT, code { code, minutes })
    }

    /// The same words around a placeholder, for a service that sends codes by itself.
    pub fn code_template(placeholder: &str) -> Result<String> {
        written(&code::Html { code: placeholder, minutes: None })
    }

    /// Tells the owner of a known address that somebody tried to hatch with it.
    pub fn already_hatched(to: Email) -> Result<Self> {
        mail!(to, "You already have a duckling", already_hatched {})
    }

    /// Tells the owner of a confirmed address without a duckling how to hatch one.
    pub fn account_without_duckling(to: Email) -> Result<Self> {
        mail!(to, "Sign in to hatch your duckling", account_without_duckling {})
    }

    /// Confirms to a person that signing in takes a second factor from now on.
    pub fn factor_enrolled(to: Email) -> Result<Self> {
        mail!(to, "Two-factor sign-in is on", factor_enrolled {})
    }

    /// Confirms to a person that signing in takes no second factor any more.
    pub fn factor_removed(to: Email) -> Result<Self> {
        mail!(to, "Two-factor sign-in is off", factor_removed {})
    }

    /// Greets a new duckling's owner.
    pub fn welcome(duckling: &Duckling) -> Result<Self> {
        let (name, id) = (duckling.display_name.as_str(), duckling.id.as_str());
        let tier = duckling.tier.word();
        mail!(duckling.email.clone(), "Your duckling has hatched", welcome { name, id, tier })
    }

    /// Offers the newsletter. `api` is the base URL of the API.
    pub fn newsletter(to: Email, api: &str, token: &Token) -> Result<Self> {
        let link = |what: &str| format!("{api}/beak/newsletter/{what}?token={}", token.reveal());
        let links = (link("confirm"), link("unsubscribe"));
        let (confirm, unsubscribe) = (links.0.as_str(), links.1.as_str());
        let mail: Result<Self> =
            mail!(to, "Confirm the newsletter", newsletter { confirm, unsubscribe });
        Ok(Self { unsubscribe: Some(links.1), ..mail? })
    }
}

impl Mail {
    /// The headers that the mail has besides the usual ones.
    pub fn headers(&self) -> impl Iterator<Item = (String, String)> {
        let one_click = |url: &String| {
            let link = ("List-Unsubscribe".to_owned(), format!("<{url}>"));
            [link, ("List-Unsubscribe-Post".to_owned(), "List-Unsubscribe=One-Click".to_owned())]
        };
        self.unsubscribe.iter().flat_map(one_click)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_carry_the_same() {
        let to = Email::parse("a@example.com").expect("an address");
        let code = OtpCode::parse("012345").expect("six digits");
        let mail = Mail::code(to.clone(), &code).expect("written");
        for form in [&mail.text, &mail.html] {
            assert!(form.contains("012345") && form.contains("15 minutes"), "{form}");
        }
        assert!(mail.html.starts_with("<!doctype html>") && !mail.text.contains('<'));
        let token = Token::new([7; 32]);
        let mail = Mail::newsletter(to, "http://localhost:3825", &token).expect("written");
        let link = mail.unsubscribe.expect("a link");
        assert!(mail.text.contains(&link) && mail.html.contains(&link));
    }

    #[test]
    fn a_name_is_text_and_never_markup() {
        assert_eq!(escape("<a href='x'>&\""), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
        let html = welcome::Html { name: "<b>", id: "i", tier: "T0" };
        assert!(!written(&html).expect("written").contains("<b>"));
    }
}
