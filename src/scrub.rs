//! Leaves account ids, mail addresses and secrets out of text that a person may share.
//!
//! By hand: what has to go is a handful of forms, and a word that has one of them goes whole.

/// The text without what identifies a person or an account, or opens anything.
#[must_use]
pub fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if c.is_whitespace() || "\"'`,;(){}[]<>=|".contains(c) {
            out.push_str(&scrubbed(&word));
            word.clear();
            out.push(c);
        } else {
            word.push(c);
        }
    }
    out.push_str(&scrubbed(&word));
    out
}

fn scrubbed(word: &str) -> String {
    if word.contains('@') && word.contains('.') {
        return "<address>".into();
    }
    // Within an ARN, a bucket's name or an address only the account's number goes.
    let mut out = String::with_capacity(word.len());
    let mut part = String::new();
    for c in word.chars() {
        if c.is_ascii_alphanumeric() || "_+".contains(c) {
            part.push(c);
        } else {
            out.push_str(&part_scrubbed(&part));
            part.clear();
            out.push(c);
        }
    }
    out.push_str(&part_scrubbed(&part));
    out
}

fn part_scrubbed(part: &str) -> String {
    let digits = part.bytes().all(|byte| byte.is_ascii_digit());
    if digits && part.len() == 12 {
        return "<account>".into();
    }
    let is_key_id = ["AKIA", "ASIA"].iter().any(|mark| part.starts_with(mark)) && part.len() >= 16;
    // Keys and tokens mix three sorts of characters; digests and names do not.
    let has = |fits: fn(&char) -> bool| part.chars().any(|c| fits(&c));
    let mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    let is_secret = part.len() >= 24 && mixed && has(char::is_ascii_digit);
    if is_key_id || is_secret { "<secret>".into() } else { part.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn accounts_addresses_and_secrets_go_and_the_rest_stays() {
        for (text, without) in [
            ("role arn:aws:iam::111122223333:role/pond", "role arn:aws:iam::<account>:role/pond"),
            ("pond-artifacts-111122223333-eu-west-1-an", "pond-artifacts-<account>-eu-west-1-an"),
            ("mail to ann@example.com, please", "mail to <address>, please"),
            ("from: \"Ann <ann@example.com>\"", "from: \"Ann <<address>>\""),
            ("key AKIAIOSFODNN7EXAMPLE", "key <secret>"),
            ("secret=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "secret=<secret>"),
            ("\"account\":\"111122223333\"", "\"account\":\"<account>\""),
            ("api.HatchRoute is gone since 2026-11-29T10:00:00Z", ""),
            ("sha256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", ""),
            ("1234567890123 and 123", ""),
        ] {
            let wanted = if without.is_empty() { text } else { without };
            assert_eq!(scrub(text), wanted);
        }
    }
}
