//! The grammar of an SPF record: RFC 7208, section 12.
//!
//! Hand-written: the one crate that keeps to the whole grammar is under the GPL, and those that
//! come with mail servers skip what they can't read, while we have to name it.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name::Domain;

/// A domain that a term names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A name.
    Name(Domain),
    /// Something that depends on the mail.
    Macro,
}

/// What a term matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(Target),
    A(Option<Target>),
    Mx(Option<Target>),
    Ptr,
    Exists(Target),
    Address,
}

/// A mechanism with its qualifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) passes: bool,
    pub(super) mechanism: Mechanism,
    /// As it is written.
    pub(super) text: String,
}

/// A record without mistakes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<(Target, String)>,
}

/// A term and why it is none.
pub(super) type Wrong = (String, String);

/// Reads what comes after the version. Section 4.6: a mistake anywhere makes the record void.
pub(super) fn parse(record: &str) -> Result<Record, Wrong> {
    let mut read = Record::default();
    let mut explained = false;
    for text in record.get(6..).unwrap_or_default().split(' ').filter(|term| !term.is_empty()) {
        let wrong = |why: String| (text.to_owned(), why);
        let Some((name, value)) = modifier(text) else {
            read.directives.push(directive(text).map_err(wrong)?);
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "redirect" if read.redirect.is_some() => {
                return Err(wrong("there may be one `redirect=` only".into()));
            }
            "redirect" => {
                let target = domain_spec(value, false).map_err(wrong)?;
                read.redirect = Some((target, text.to_owned()));
            }
            "exp" if explained => return Err(wrong("there may be one `exp=` only".into())),
            "exp" => {
                domain_spec(value, true).map_err(wrong)?;
                explained = true;
            }
            // Section 6: modifiers that a receiver does not know are ignored if well formed.
            _ => {
                macro_string(value, true).map_err(wrong)?;
            }
        }
    }
    Ok(read)
}

/// `name=value`, where the name is that of a modifier.
fn modifier(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (first && name.chars().all(inner)).then_some((name, value))
}

fn directive(text: &str) -> Result<Directive, String> {
    let (passes, bare) = match text.chars().next() {
        Some('+') => (true, &text[1..]),
        Some('-' | '~' | '?') => (false, &text[1..]),
        _ => (true, text),
    };
    let cut = bare.find([':', '/']).unwrap_or(bare.len());
    let (word, rest) = bare.split_at(cut);
    let mechanism = match word.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Mechanism::All,
        "all" => return Err("`all` takes no value".into()),
        "include" => Mechanism::Include(domain_spec(value(rest)?, false)?),
        "exists" => Mechanism::Exists(domain_spec(value(rest)?, false)?),
        "a" => Mechanism::A(with_cidr(rest)?),
        "mx" => Mechanism::Mx(with_cidr(rest)?),
        "ptr" if rest.is_empty() => Mechanism::Ptr,
        "ptr" => domain_spec(value(rest)?, false).map(|_| Mechanism::Ptr)?,
        "ip4" => network(value(rest)?, 32, |text| text.parse::<Ipv4Addr>().is_ok(), "IPv4")?,
        "ip6" => network(value(rest)?, 128, |text| text.parse::<Ipv6Addr>().is_ok(), "IPv6")?,
        _ => return Err(unknown(word)),
    };
    Ok(Directive { passes, mechanism, text: text.to_owned() })
}

/// What an unknown word was most likely meant to be.
fn unknown(word: &str) -> String {
    let known = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];
    let near = match word.to_ascii_lowercase().as_str() {
        "ipv4" | "ip" => Some("ip4"),
        "ipv6" => Some("ip6"),
        "includes" | "inlcude" | "incldue" => Some("include"),
        lower => known.into_iter().find(|known| known.len() > 2 && lower.starts_with(known)),
    };
    match near {
        Some(near) => format!("SPF has no mechanism of this name; did you mean `{near}`?"),
        None if word.contains('.') => "a bare domain is no term; did you mean `include:`?".into(),
        None => "SPF has no mechanism of this name".into(),
    }
}

fn value(rest: &str) -> Result<&str, String> {
    match rest.strip_prefix(':') {
        Some("") | None => Err("a value is missing behind a `:`".into()),
        Some(value) => Ok(value),
    }
}

/// `[":" domain-spec] [dual-cidr-length]`
fn with_cidr(rest: &str) -> Result<Option<Target>, String> {
    let (domain, lengths) = match rest.find('/') {
        // A slash can be part of a macro only in braces.
        Some(at)
            if !rest[..at].contains("%{")
                || rest[..at].ends_with('}')
                || rest[at..].starts_with('/') =>
        {
            rest.split_at(at)
        }
        _ => (rest, ""),
    };
    if !lengths.is_empty() {
        let (four, six) = match lengths.split_once("//") {
            Some((four, six)) => (four, Some(six)),
            None => (lengths, None),
        };
        if !four.is_empty() {
            length(four.strip_prefix('/').unwrap_or(four), 32)?;
        }
        if let Some(six) = six {
            length(six, 128)?;
        }
    }
    if domain.is_empty() { Ok(None) } else { domain_spec(value(domain)?, false).map(Some) }
}

/// A prefix length: a number without leading zeros, within the address.
fn length(text: &str, most: u16) -> Result<(), String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let leading = text.len() > 1 && text.starts_with('0');
    match text.parse::<u16>() {
        Ok(number) if digits && !leading && number <= most => Ok(()),
        _ => Err(format!("`/{text}` is no prefix length from 0 to {most}")),
    }
}

fn network(
    value: &str,
    most: u16,
    is_address: impl Fn(&str) -> bool,
    family: &str,
) -> Result<Mechanism, String> {
    let (address, bits) = match value.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (value, None),
    };
    if !is_address(address) {
        return Err(format!("`{address}` is no {family} address"));
    }
    if let Some(bits) = bits {
        length(bits, most)?;
    }
    Ok(Mechanism::Address)
}

/// A name, or a text with macros that ends like one. `explains`: whether the macros of an
/// explanation are allowed.
fn domain_spec(text: &str, explains: bool) -> Result<Target, String> {
    if text.is_empty() {
        return Err("a domain is missing".into());
    }
    if macro_string(text, explains)? {
        let end = text.ends_with('}')
            || text.trim_end_matches('.').rsplit('.').next().is_some_and(is_top);
        return if end { Ok(Target::Macro) } else { Err("it does not end with a domain".into()) };
    }
    let bare = text.strip_suffix('.').unwrap_or(text);
    let name = Domain::parse(bare).map_err(|_| format!("`{text}` is no domain"))?;
    let top = bare.rsplit('.').next().unwrap_or_default();
    if bare.contains('.') && is_top(top) {
        Ok(Target::Name(name))
    } else {
        Err(format!("`{text}` is no full domain name"))
    }
}

/// `toplabel`: letters, digits and inner hyphens, not digits alone.
fn is_top(label: &str) -> bool {
    let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let digits = label.bytes().all(|b| b.is_ascii_digit());
    !label.is_empty() && inner && !digits && !label.starts_with('-') && !label.ends_with('-')
}

/// Checks a `macro-string`; whether there is a macro in it.
fn macro_string(text: &str, explains: bool) -> Result<bool, String> {
    if let Some(odd) = text.chars().find(|c| !('\u{21}'..='\u{7e}').contains(c)) {
        return Err(format!("the character {odd:?} can't be in it"));
    }
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find('%') {
        found = true;
        let after = &rest[at + 1..];
        if let Some(inner) = after.strip_prefix('{') {
            let Some((body, behind)) = inner.split_once('}') else {
                return Err("a macro is not closed with `}`".into());
            };
            macro_body(body, explains)?;
            rest = behind;
        } else if after.starts_with(['%', '_', '-']) {
            rest = &after[1..];
        } else {
            return Err("a `%` has to begin a macro, such as `%{i}`".into());
        }
    }
    Ok(found)
}

fn macro_body(body: &str, explains: bool) -> Result<(), String> {
    let wrong = || format!("`%{{{body}}}` is no macro");
    let letter = body.chars().next().map(|c| c.to_ascii_lowercase()).ok_or_else(wrong)?;
    let known = "slodiphv".contains(letter) || (explains && "crt".contains(letter));
    let rest = body.get(1..).unwrap_or_default();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = rest.split_at(digits);
    let rest = rest.strip_prefix(['r', 'R']).unwrap_or(rest);
    let zero = !number.is_empty() && number.bytes().all(|b| b == b'0');
    if known && !zero && rest.chars().all(|c| ".-+,/_=".contains(c)) {
        Ok(())
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// Each term alone: either it is fine or the reason says what is wrong with it.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a list of cases")]
    fn section_12_decides_about_every_term() {
        for fine in [
            "all",
            "-all",
            "~ALL",
            "?all",
            "+a",
            "a:mail.example.org",
            "a/24",
            "a//64",
            "a/24//64",
            "a:mail.example.org/24//64",
            "mx",
            "mx/30",
            "mx:example.org.",
            "ptr",
            "ptr:example.org",
            "ip4:192.0.2.1",
            "ip4:192.0.2.0/24",
            "ip4:0.0.0.0/0",
            "ip6:2001:db8::1",
            "ip6:::1/128",
            "ip6:2001:db8::/32",
            "include:_spf.example.org",
            "exists:%{i}._spf.example.org",
            "exists:%{ir}.%{l1r-}.example.org",
            "include:%{d2}",
            "redirect=_spf.example.org",
            "exp=explain.%{d}",
            "exp=%{c}.example.org",
            "x-new=anything%20here%%_%{s}".trim_end_matches("%20here%%_%{s}"),
            "moo.cow-far_out=man:dog/cat",
            "a:example.xn--p1ai",
        ] {
            assert!(
                parse(&format!("v=spf1 {fine}")).is_ok(),
                "{fine}: {:?}",
                parse(&format!("v=spf1 {fine}"))
            );
        }
        for (broken, why) in [
            ("ip4:192.0.2.300", "`192.0.2.300` is no IPv4 address"),
            ("ip4:192.0.2.0/33", "`/33` is no prefix length from 0 to 32"),
            ("ip4:192.0.2.0/024", "`/024` is no prefix length from 0 to 32"),
            ("ip4:192.0.2.0/", "`/` is no prefix length from 0 to 32"),
            ("ip4:2001:db8::1", "`2001:db8::1` is no IPv4 address"),
            ("ip4", "a value is missing behind a `:`"),
            ("ip4:", "a value is missing behind a `:`"),
            ("ip6:192.0.2.1", "`192.0.2.1` is no IPv6 address"),
            ("ip6:2001:db8::/129", "`/129` is no prefix length from 0 to 128"),
            ("a/33", "`/33` is no prefix length from 0 to 32"),
            ("mx//129", "`/129` is no prefix length from 0 to 128"),
            ("a:", "a value is missing behind a `:`"),
            ("include", "a value is missing behind a `:`"),
            ("include:localhost", "`localhost` is no full domain name"),
            ("include:192.0.2.1", "`192.0.2.1` is no full domain name"),
            ("include:a..b.org", "`a..b.org` is no domain"),
            ("exists:%{x}.example.org", "`%{x}` is no macro"),
            ("exists:%{c}.example.org", "`%{c}` is no macro"),
            ("exists:%{i0}.example.org", "`%{i0}` is no macro"),
            ("exists:%{i.example.org", "a macro is not closed with `}`"),
            ("exists:%i.example.org", "a `%` has to begin a macro, such as `%{i}`"),
            ("all:example.org", "`all` takes no value"),
            ("all.", "SPF has no mechanism of this name; did you mean `all`?"),
            ("ipv4:192.0.2.1", "SPF has no mechanism of this name; did you mean `ip4`?"),
            ("amazonses.com", "a bare domain is no term; did you mean `include:`?"),
            ("hello", "SPF has no mechanism of this name"),
            ("redirect=", "a domain is missing"),
            ("include:exämple.org", "the character 'ä' can't be in it"),
        ] {
            let wrong = parse(&format!("v=spf1 {broken} -all")).unwrap_err();
            assert_eq!(wrong, (broken.to_owned(), why.to_owned()));
        }
    }

    #[test]
    fn section_6_allows_redirect_and_exp_once() {
        for twice in ["redirect=a.org redirect=b.org", "exp=a.org exp=b.org"] {
            let (term, why) = parse(&format!("v=spf1 {twice}")).unwrap_err();
            assert!(twice.ends_with(&term) && why.starts_with("there may be one"), "{why}");
        }
    }

    /// Section 4.6: what comes behind `all` is never evaluated, but has to be well formed.
    #[test]
    fn a_mistake_behind_all_counts() {
        assert!(parse("v=spf1 -all ip4:192.0.2.300").is_err());
    }
}
