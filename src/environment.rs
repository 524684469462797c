//! The environment. Only this module reads it, and `clippy.toml` holds everything else to that.
//!
//! An empty or blank variable counts as unset, and spaces and line ends around a value don't
//! belong to it: a file with Windows line ends or a secret store adds them. The AWS SDK and other
//! libraries read the environment themselves, so [`tidy`] starts the program again with a tidy one.

#![expect(clippy::disallowed_methods, reason = "this is the module that reads the environment")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use crate::failure::{Failure, Kind};
use crate::model::Region;

/// What a variable may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Any text.
    Text,
    /// Visible ASCII without spaces, shown in messages.
    Word,
    /// The same, never shown.
    Secret,
    /// An AWS Region.
    Region,
    /// `http://…` or `https://…`
    Url,
    /// A proxy: `http://[USER:PASSWORD@]HOST[:PORT]`, the scheme may be left out. Never shown,
    /// since a password may be part of it.
    Proxy,
    /// `true` or `false`.
    Flag,
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// An address as `HOST:PORT`.
    HostPort,
    /// A file that can be read.
    File,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// Every variable that the installer, the AWS SDK or the HTTP client reads. Those of single
/// services, `AWS_ENDPOINT_URL_…`, come on top.
pub const VARIABLES: &[(&str, Value)] = &[
    ("AWS_ACCESS_KEY_ID", Value::Word),
    ("AWS_ACCOUNT_ID", Value::Number(0, 999_999_999_999)),
    ("AWS_ACCOUNT_ID_ENDPOINT_MODE", Value::OneOf(&["preferred", "disabled", "required"])),
    ("AWS_AUTH_SCHEME_PREFERENCE", Value::Text),
    ("AWS_CA_BUNDLE", Value::File),
    ("AWS_CONFIG_FILE", Value::Text),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", Value::Secret),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", Value::File),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", Value::Url),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", Value::Word),
    ("AWS_DEFAULT_PROFILE", Value::Text),
    ("AWS_DEFAULT_REGION", Value::Region),
    ("AWS_DISABLE_CLOCK_SKEW_CORRECTION", Value::Flag),
    ("AWS_DISABLE_REQUEST_COMPRESSION", Value::Flag),
    ("AWS_EC2_METADATA_DISABLED", Value::Flag),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", Value::Url),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", Value::OneOf(&["ipv4", "ipv6"])),
    ("AWS_ENDPOINT_URL", Value::Url),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", Value::Flag),
    ("AWS_LOGIN_CACHE_DIRECTORY", Value::Text),
    ("AWS_MAX_ATTEMPTS", Value::Number(1, 1000)),
    ("AWS_PROFILE", Value::Text),
    ("AWS_REGION", Value::Region),
    ("AWS_REQUEST_CHECKSUM_CALCULATION", Value::OneOf(&["when_supported", "when_required"])),
    ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", Value::Number(0, 10_485_760)),
    ("AWS_RESPONSE_CHECKSUM_VALIDATION", Value::OneOf(&["when_supported", "when_required"])),
    ("AWS_RETRY_MODE", Value::OneOf(&["standard", "adaptive"])),
    ("AWS_ROLE_ARN", Value::Word),
    ("AWS_ROLE_SESSION_NAME", Value::Word),
    ("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", Value::Flag),
    ("AWS_SDK_UA_APP_ID", Value::Text),
    ("AWS_SECRET_ACCESS_KEY", Value::Secret),
    ("AWS_SESSION_TOKEN", Value::Secret),
    ("AWS_SHARED_CREDENTIALS_FILE", Value::Text),
    ("AWS_SIGV4A_SIGNING_REGION_SET", Value::Text),
    ("AWS_USE_DUALSTACK_ENDPOINT", Value::Flag),
    ("AWS_USE_FIPS_ENDPOINT", Value::Flag),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", Value::File),
    ("ALL_PROXY", Value::Proxy),
    ("HTTPS_PROXY", Value::Proxy),
    ("HTTP_PROXY", Value::Proxy),
    ("NO_PROXY", Value::Text),
    ("all_proxy", Value::Proxy),
    ("https_proxy", Value::Proxy),
    ("http_proxy", Value::Proxy),
    ("no_proxy", Value::Text),
    ("EDITOR", Value::Text),
    ("HOME", Value::Text),
    ("HOSTNAME", Value::Text),
    ("NO_COLOR", Value::Text),
    ("SPACEDUCK_CALL_TIMEOUT", Value::Number(1, 86_400)),
    ("SPACEDUCK_CONNECT_TO", Value::HostPort),
    ("SPACEDUCK_HOME", Value::Text),
    // Its range is checked where the lock reads it.
    ("SPACEDUCK_LOCK_LEASE", Value::Number(0, u64::MAX)),
    ("SPACEDUCK_LOG", Value::OneOf(&["error", "warn", "info", "debug", "trace"])),
    ("SPACEDUCK_TURNSTILE_SECRET", Value::Secret),
    ("SPACEDUCK_TURNSTILE_SITE_KEY", Value::Word),
    ("SSL_CERT_DIR", Value::Text),
    ("SSL_CERT_FILE", Value::File),
    ("VISUAL", Value::Text),
];

/// The SDK reads one for each service.
const ENDPOINT_OF_SERVICE: &str = "AWS_ENDPOINT_URL_";

fn known(name: &str) -> Option<Value> {
    let listed = VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    listed.or_else(|| name.starts_with(ENDPOINT_OF_SERVICE).then_some(Value::Url))
}

/// A variable without spaces and line ends around it; none where nothing is left.
#[must_use]
pub fn text(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A variable that names a file or a folder.
#[must_use]
pub fn path(name: &str) -> Option<PathBuf> {
    match std::env::var(name) {
        Ok(_) => text(name).map(PathBuf::from),
        // A path may be no UTF-8.
        Err(_) => std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from),
    }
}

/// Where a machine in AWS finds its own credentials. A proxy can't reach them, or would hand out
/// its own.
const OF_THE_MACHINE: [&str; 5] =
    ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];

/// Starts the program again where a variable is empty or has spaces or line ends around its value,
/// or where the SDK would not take it as the AWS CLI does. Returns where there is nothing to tidy,
/// or where it can't be done.
pub fn tidy() -> Result<(), Failure> {
    let changes = changes(std::env::vars_os());
    let Some((first, _)) = changes.first() else { return Ok(()) };
    let failed = |error: &std::io::Error| {
        let message =
            format!("the environment variable `{}` can't be used as it is", first.display());
        Failure::new(Kind::Input, message)
            .cause(format!("the program can't start again with a tidy environment: {error}"))
            .help("unset the variable, or set it without spaces and line ends around its value")
    };
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments);
    for (name, value) in &changes {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // The process becomes the tidied one; `exec` returns only where that fails.
    Err(failed(&command.exec()))
}

/// Known variables whose values are not tidy, with what they should be.
fn changes(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, Option<OsString>)> {
    let mut changes = Vec::new();
    let mut tidied = BTreeMap::new();
    for (name, value) in all {
        if name.to_str().and_then(known).is_none() {
            continue;
        }
        let Some(text) = value.to_str() else { continue };
        let tidy = text.trim();
        if tidy.is_empty() {
            changes.push((name, None));
            continue;
        }
        if tidy != text {
            changes.push((name.clone(), Some(tidy.into())));
        }
        tidied.insert(name, tidy.to_owned());
    }
    for (name, value) in translated(&tidied) {
        changes.retain(|(known, _)| *known != name);
        changes.push((name.into(), Some(value.into())));
    }
    changes
}

/// What other AWS tools understand and the SDK does not.
fn translated(all: &BTreeMap<OsString, String>) -> Vec<(&'static str, String)> {
    let value = |name: &str| all.get(OsStr::new(name)).cloned();
    let mut found = Vec::new();
    if let (None, Some(profile)) = (value("AWS_PROFILE"), value("AWS_DEFAULT_PROFILE")) {
        found.push(("AWS_PROFILE", profile));
    }
    // The mode that the AWS CLI began with; the SDK has none that is closer.
    if value("AWS_RETRY_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("legacy")) {
        found.push(("AWS_RETRY_MODE", "standard".into()));
    }
    if ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .any(|name| value(name).is_some())
    {
        // The HTTP client looks at the second one only where there is no first one.
        let direct = value("NO_PROXY").or_else(|| value("no_proxy")).unwrap_or_default();
        let mut rules: Vec<&str> =
            direct.split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect();
        let missing: Vec<&str> =
            OF_THE_MACHINE.into_iter().filter(|host| !rules.contains(host)).collect();
        if !missing.is_empty() {
            rules.extend(missing);
            found.push(("NO_PROXY", rules.join(",")));
        }
    }
    found
}

/// Refuses a variable that can't be what it says, before anything is done. Without `network` only
/// the installer's own ones are looked at.
pub fn check(network: bool) -> Result<(), Failure> {
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let Some(kind) = known(name).filter(|_| network || name.starts_with("SPACEDUCK_")) else {
            continue;
        };
        let Some(text) = value.to_str().map(str::trim) else {
            if kind == Value::Text {
                continue;
            }
            return Err(refused(name, "must be text in UTF-8"));
        };
        if let Some(wrong) = wrong(kind, text).filter(|_| !text.is_empty()) {
            return Err(refused(name, &wrong));
        }
    }
    Ok(())
}

fn refused(name: &str, wrong: &str) -> Failure {
    Failure::new(Kind::Input, format!("the environment variable `{name}` {wrong}"))
        .help(format!("set `{name}` right, or unset it"))
}

/// What is wrong with a value; nothing where it is fine.
fn wrong(kind: Value, text: &str) -> Option<String> {
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let (is_fine, must) = match kind {
        Value::Text => {
            (!text.contains('\0') && !text.contains('\n'), "must be one line".to_owned())
        }
        Value::Word => (word(text), "must have no spaces and only visible ASCII characters".into()),
        Value::Secret => {
            let must = "must have no spaces and only visible ASCII characters";
            return (!word(text)).then(|| must.to_owned());
        }
        Value::Region => {
            (Region::parse(text).is_ok(), "must be an AWS Region, such as eu-central-1".into())
        }
        Value::Url => {
            (is_url(text), "must be a URL with a host, such as https://example.org".into())
        }
        Value::Proxy => {
            let with_scheme = text.contains("://");
            let url = if with_scheme { text.to_owned() } else { format!("http://{text}") };
            let must = "must be an HTTP proxy, such as http://proxy.example.org:8080";
            return (!is_url(&url)).then(|| must.to_owned());
        }
        Value::Flag => {
            let known = ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word));
            (known, "must be true or false".into())
        }
        Value::Number(least, most) => {
            let fine = text.parse::<u64>().is_ok_and(|number| (least..=most).contains(&number));
            (fine, format!("must be a whole number from {least} to {most}"))
        }
        Value::HostPort => (is_host_port(text), "must be an address written as HOST:PORT".into()),
        Value::File => match std::fs::File::open(text) {
            Ok(_) => return None,
            Err(error) => {
                let must = format!("must name a file that can be read ({error})");
                (false, must)
            }
        },
        Value::OneOf(words) => {
            let known = words.iter().any(|word| text.eq_ignore_ascii_case(word));
            (known, format!("must be one of {}", words.join(", ")))
        }
    };
    (!is_fine).then(|| format!("{must}, got `{}`", text.escape_debug()))
}

pub(crate) fn is_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let port = uri.authority().is_some_and(|authority| {
        let host = authority.host();
        let rest = authority.as_str().rsplit_once(host).map_or("", |(_, rest)| rest);
        rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    });
    scheme && port && uri.host().is_some_and(|host| !host.is_empty())
}

fn is_host_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(char::is_whitespace) && port.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{Value, changes, wrong};

    #[test]
    fn what_is_blank_is_unset_and_what_is_padded_is_trimmed() {
        let all = [
            ("AWS_ENDPOINT_URL", ""),
            ("AWS_ENDPOINT_URL_STS", " \t"),
            ("SPACEDUCK_TURNSTILE_SECRET", "0x4S\r\n"),
            ("AWS_REGION", "eu-central-1"),
            ("SOMEONE_ELSES", " "),
        ];
        let found = changes(all.iter().map(|(name, value)| (name.into(), value.into())));
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| {
                (name.to_str().unwrap(), value.as_ref().map(|v| v.to_str().unwrap()))
            })
            .collect();
        let wanted = [
            ("AWS_ENDPOINT_URL", None),
            ("AWS_ENDPOINT_URL_STS", None),
            ("SPACEDUCK_TURNSTILE_SECRET", Some("0x4S")),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_other_aws_tools_understand_is_translated() {
        let tidied = |all: &[(&str, &str)]| {
            let found = changes(all.iter().map(|(name, value)| (name.into(), value.into())));
            let text = |value: Option<std::ffi::OsString>| value.unwrap().into_string().unwrap();
            found
                .into_iter()
                .map(|(name, value)| format!("{}={}", name.display(), text(value)))
                .collect::<Vec<_>>()
        };
        assert_eq!(tidied(&[("AWS_DEFAULT_PROFILE", " duck")])[1..], ["AWS_PROFILE=duck"]);
        let both = [("AWS_DEFAULT_PROFILE", "duck"), ("AWS_PROFILE", "swan")];
        assert!(tidied(&both).is_empty(), "the one that the SDK reads comes first");
        assert_eq!(tidied(&[("AWS_RETRY_MODE", "Legacy ")]), ["AWS_RETRY_MODE=standard"]);
        let machine = "169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254,fd00:ec2::23";
        for proxy in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            let told = tidied(&[(proxy, "http://p:1"), ("no_proxy", "a.test, b.test")]);
            assert_eq!(told, [format!("NO_PROXY=a.test,b.test,{machine}")]);
            let again = [(proxy, "http://p:1"), ("NO_PROXY", &told[0][9..])];
            assert!(tidied(&again).is_empty(), "once is enough");
        }
        assert!(tidied(&[("HTTPS_PROXY", "http://p:1")]).is_empty(), "they are asked over HTTP");
    }

    #[test]
    fn every_kind_of_value_has_its_check() {
        for (kind, fine, broken) in [
            (Value::Word, "AKIA", "A KIA"),
            (Value::Secret, "x/y+z", "x\u{a0}y"),
            (Value::Region, "eu-central-1", "Frankfurt"),
            (Value::Url, "http://127.0.0.1:4566", "127.0.0.1:4566"),
            (Value::Url, "https://[::1]:8443/x", "https://:8443"),
            (Value::Url, "https://a.example", "https://a.example:99999"),
            (Value::Proxy, "proxy.example:8080", "socks5://proxy.example"),
            (Value::Proxy, "http://user:pass@proxy.example:8080", "http://"),
            (Value::Flag, "TRUE", "yes"),
            (Value::Number(1, 9), "9", "10"),
            (Value::HostPort, "localhost:8080", "localhost"),
            (Value::File, "/dev/null", "/no/such/file"),
            (Value::OneOf(&["ipv4"]), "IPv4", "ipv5"),
        ] {
            assert_eq!(wrong(kind, fine), None, "{kind:?}");
            assert!(wrong(kind, broken).is_some_and(|text| text.starts_with("must ")), "{kind:?}");
        }
        let told = wrong(Value::Secret, "se cret").unwrap();
        assert!(!told.contains("cret"), "a secret is never shown: {told}");
        let told = wrong(Value::Proxy, "http://user:hunter2@:x").unwrap();
        assert!(!told.contains("hunter2"), "nor is a proxy's password: {told}");
    }
}
