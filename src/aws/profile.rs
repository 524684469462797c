//! The AWS profile: whether there is one of that name, its settings, and a role with MFA.

use std::borrow::Cow;

use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::property::PropertiesKey;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};

use super::error::translate;
use crate::environment;
use crate::failure::{Failure, Kind};
use crate::prompt;

/// Region of the one call that fetches a role's credentials, where none is set. STS gives the same
/// credentials in every Region.
const STS_REGION: &str = "us-east-1";

/// The services we call, by their names in a `[services]` section of the config file.
const SERVICES: [&str; 18] = [
    "acm",
    "cloudformation",
    "cloudfront",
    "cloudwatch_logs",
    "cognito_identity_provider",
    "dynamodb",
    "iam",
    "kms",
    "lambda",
    "resource_groups_tagging_api",
    "route_53",
    "s3",
    "service_quotas",
    "sesv2",
    "ssm",
    "sso",
    "sso_oidc",
    "sts",
];

async fn read(profile: Option<&str>) -> Result<ProfileSet, Failure> {
    let selected = profile.map(str::to_owned).map(Cow::Owned);
    aws_config::profile::load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), selected)
        .await
        .map_err(|error| {
            Failure::new(Kind::Input, "the AWS config file can't be read")
                .cause(super::error::chain(&error))
                .help("check ~/.aws/config and ~/.aws/credentials, or AWS_CONFIG_FILE")
        })
}

/// A setting of the profile; nothing where there is none, or no profile.
pub(super) async fn setting(profile: Option<&str>, key: &str) -> Option<String> {
    read(profile).await.ok()?.get(key).map(str::to_owned)
}

/// The requested profile, from the flag or the variable.
fn named(profile: Option<&str>) -> Option<(String, &'static str)> {
    profile.map(|name| (name.to_owned(), "--profile")).or_else(|| {
        let name = environment::text("AWS_PROFILE")?;
        // It counts where the other one is not set, and has been copied there.
        let copied = environment::text("AWS_DEFAULT_PROFILE").as_ref() == Some(&name);
        Some((name, if copied { "AWS_DEFAULT_PROFILE" } else { "AWS_PROFILE" }))
    })
}

/// Refuses a profile that is named and is not there, before anything else is found missing.
pub(super) async fn check(profile: Option<&str>) -> Result<(), Failure> {
    let Some((name, from)) = named(profile) else {
        // With keys in the environment the file may not be needed at all.
        let Ok(set) = read(None).await else { return Ok(()) };
        return check_endpoint(&set, set.selected_profile());
    };
    let set = read(Some(&name)).await?;
    check_endpoint(&set, &name)?;
    // `default` need not be there where keys come from elsewhere.
    if set.get_profile(&name).is_some() || name == "default" {
        return Ok(());
    }
    let mut known: Vec<&str> = set.profiles().collect();
    known.sort_unstable();
    let help = if known.is_empty() {
        "the AWS config file has no profiles; `aws configure` or `aws login` makes one".to_owned()
    } else {
        format!("there are: {}", known.join(", "))
    };
    let message = format!("there is no AWS profile `{name}` ({from})");
    Err(Failure::new(Kind::Access, message).help(help))
}

/// Refuses an address that is none, of the profile or of its services: the SDK stops at it.
fn check_endpoint(set: &ProfileSet, name: &str) -> Result<(), Failure> {
    const KEY: &str = "endpoint_url";
    let Some(profile) = set.get_profile(name) else { return Ok(()) };
    let mut found: Vec<(String, &str)> = Vec::new();
    found.extend(profile.get(KEY).map(|url| (format!("`{KEY}` of the AWS profile `{name}`"), url)));
    for service in SERVICES {
        let Some(services) = profile.get("services") else { break };
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(services)
            .property_name(service)
            .sub_property_name(KEY)
            .build();
        let Ok(key) = key else { continue };
        let at = format!("`{KEY}` of `{service}` in `[services {services}]`");
        found.extend(set.other_sections().get(&key).map(|url| (at, url.as_str())));
    }
    for (at, url) in found {
        if !environment::is_url(url.trim()) {
            let message = if url.trim().is_empty() {
                format!("{at} is empty")
            } else {
                format!("{at} must be a URL such as https://example.org, got `{}`", url.trim())
            };
            return Err(Failure::new(Kind::Input, message)
                .help("set it right in the AWS config file, or remove the line"));
        }
    }
    Ok(())
}

/// A role that wants a code of the person's device.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Role {
    profile: String,
    source: String,
    arn: String,
    serial: String,
    session: Option<String>,
    external_id: Option<String>,
    seconds: Option<i32>,
}

/// The role of the profile, where it wants a code. The SDK leaves `mfa_serial` out.
async fn role(profile: Option<&str>) -> Result<Option<Role>, Failure> {
    // Keys in the environment go before AWS_PROFILE, but not before --profile.
    if profile.is_none() && environment::text("AWS_ACCESS_KEY_ID").is_some() {
        return Ok(None);
    }
    let set = read(profile).await?;
    let name = named(profile).map_or_else(|| set.selected_profile().to_owned(), |(name, _)| name);
    without_login(&set, &name)?;
    of(&set, &name)
}

/// Refuses a profile whose credentials are in a session of `aws login`, directly or through its
/// source. The SDK can read these only with a second stack of cryptography.
fn without_login(set: &ProfileSet, name: &str) -> Result<(), Failure> {
    let mut at = Some(name);
    // A chain of sources is short; one in a circle is the SDK's to refuse.
    for _ in 0..8 {
        let Some(profile) = at.and_then(|name| set.get_profile(name)) else { return Ok(()) };
        let own = ["role_arn", "sso_session", "aws_access_key_id", "credential_process"];
        if profile.get("login_session").is_some()
            && own.iter().all(|key| profile.get(key).is_none())
        {
            let login = at.unwrap_or_default();
            let message = format!(
                "the AWS profile `{login}` is a session of `aws login`, which spaceduck can't read"
            );
            return Err(Failure::new(Kind::Access, message).help(format!(
                "sign in with `aws sso login`, or let the AWS CLI hand the credentials over: add a \
                 profile with `credential_process = aws configure export-credentials --profile \
                 {login} --format process` to ~/.aws/config, and use that one"
            )));
        }
        at = profile.get("source_profile");
    }
    Ok(())
}

fn of(set: &ProfileSet, name: &str) -> Result<Option<Role>, Failure> {
    let Some(profile) = set.get_profile(name) else { return Ok(None) };
    let value = |key: &str| profile.get(key).map(str::to_owned);
    let (Some(arn), Some(serial)) = (value("role_arn"), value("mfa_serial")) else {
        return Ok(None);
    };
    let Some(source) = value("source_profile") else {
        let message = format!("the AWS profile `{name}` has `mfa_serial` and no `source_profile`");
        return Err(Failure::new(Kind::Access, message).help(export_help(name)));
    };
    let seconds = value("duration_seconds").and_then(|text| text.trim().parse().ok());
    Ok(Some(Role {
        profile: name.to_owned(),
        source,
        arn,
        serial,
        session: value("role_session_name"),
        external_id: value("external_id"),
        seconds,
    }))
}

fn export_help(profile: &str) -> String {
    format!(
        "run it in a terminal, or fetch credentials first: `eval \"$(aws configure \
         export-credentials --profile {profile} --format env)\"`"
    )
}

/// Credentials of the profile's role, where it wants a code: asks for it on the terminal, once.
pub(super) async fn with_code(
    profile: Option<&str>,
    client: &SharedHttpClient,
) -> Result<Option<Credentials>, Failure> {
    let Some(role) = role(profile).await? else { return Ok(None) };
    let code = code(&role).await?;
    let sdk = source(&role, client).await;
    let session = role.session.unwrap_or_else(|| "spaceduck".into());
    let assumed = aws_sdk_sts::Client::new(&sdk)
        .assume_role()
        .role_arn(&role.arn)
        .role_session_name(session)
        .serial_number(&role.serial)
        .token_code(code)
        .set_external_id(role.external_id)
        .set_duration_seconds(role.seconds)
        .send()
        .await
        .map_err(|error| translate(&format!("taking the role `{}`", role.arn), None, &error))?;
    let given = assumed.credentials.ok_or_else(|| Failure::bug("a role without credentials"))?;
    Ok(Some(Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        std::time::SystemTime::try_from(given.expiration).ok(),
        "AssumeRoleWithCode",
    )))
}

async fn source(role: &Role, client: &SharedHttpClient) -> SdkConfig {
    let provider = ProfileFileCredentialsProvider::builder()
        .profile_name(&role.source)
        .configure(&ProviderConfig::with_default_region().await.with_http_client(client.clone()))
        .build();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client.clone())
        .credentials_provider(provider);
    let config = loader.load().await;
    if config.region().is_some() {
        return config;
    }
    config.to_builder().region(aws_config::Region::new(STS_REGION)).build()
}

async fn code(role: &Role) -> Result<String, Failure> {
    use std::io::IsTerminal as _;
    let name = &role.profile;
    if !std::io::stdin().is_terminal() {
        let message = format!(
            "the AWS profile `{name}` wants an MFA code (`mfa_serial`), and stdin is not a terminal"
        );
        return Err(Failure::new(Kind::Access, message).help(export_help(name)));
    }
    let unread = Failure::new(Kind::Access, "the MFA code can't be read").help(export_help(name));
    let typed = prompt::hidden(&format!("MFA code of {}: ", role.serial), unread).await?;
    let typed = typed.trim().to_owned();
    // STS takes six digits, and a wrong one counts.
    if typed.len() == 6 && typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(typed);
    }
    Err(Failure::new(Kind::Access, "an MFA code has six digits; nothing was asked of AWS")
        .help("run the command again with the code that your device shows"))
}

#[cfg(test)]
mod tests {
    use aws_runtime::env_config::file::EnvConfigFileKind;

    use super::*;

    async fn set(text: &str) -> ProfileSet {
        let files =
            EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text).build();
        aws_config::profile::load(&Fs::from_slice(&[]), &Env::from_slice(&[]), &files, None)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_with_its_place() {
        let services = "[services s]\ns3 =\n  endpoint_url = http://127.0.0.1:9000\n";
        for (text, says) in [
            (
                "[profile duck]\nendpoint_url =\n",
                Some("`endpoint_url` of the AWS profile `duck` is empty"),
            ),
            ("[profile duck]\nendpoint_url = localhost:4566\n", Some("got `localhost:4566`")),
            ("[profile duck]\nendpoint_url = http://localhost:4566\n", None),
            ("[profile duck]\nservices = s\n", None),
            ("[profile other]\nendpoint_url =\n[profile duck]\n", None),
        ] {
            let told = check_endpoint(&set(&format!("{text}{services}")).await, "duck").err();
            let told = told.map(|failure| failure.to_text());
            match says {
                Some(says) => {
                    assert!(told.clone().is_some_and(|told| told.contains(says)), "{told:?}");
                }
                None => assert_eq!(told, None, "{text}"),
            }
        }
        let broken = "[profile duck]\nservices = s\n[services s]\nsts =\n  endpoint_url = sts\n";
        let told = check_endpoint(&set(broken).await, "duck").unwrap_err().to_text();
        assert!(told.contains("`endpoint_url` of `sts` in `[services s]`"), "{told}");
    }

    /// Every client of the SDK is among the services.
    #[test]
    fn every_service_is_looked_at() {
        for client in aws_wire::ALL {
            let key = client.id.to_lowercase().replace(' ', "_");
            assert!(SERVICES.contains(&key.as_str()), "{key}");
        }
        let manifest = include_str!("../../Cargo.toml");
        let lines = manifest.lines().filter_map(|line| line.strip_prefix("aws-sdk-"));
        let mut seen = 0;
        for client in lines.filter_map(|line| line.strip_suffix(".workspace = true")) {
            seen += 1;
            let is_it = |service: &&&str| service.replace('_', "").starts_with(client);
            assert!(SERVICES.iter().find(is_it).is_some(), "{client}");
        }
        assert!(seen > 6, "{seen}");
    }

    #[tokio::test]
    async fn a_session_of_aws_login_says_which_sign_in_works() {
        let set = set("[profile duck]\nlogin_session = arn:aws:iam::1:user/a\n\
                       [profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = duck\n\
                       [profile keys]\naws_access_key_id = A\naws_secret_access_key = B\n")
        .await;
        for name in ["duck", "role"] {
            let told = without_login(&set, name).unwrap_err().to_text();
            assert!(told.contains("`duck` is a session of `aws login`"), "{told}");
            assert!(
                told.contains("aws sso login") && told.contains("export-credentials"),
                "{told}"
            );
        }
        assert!(without_login(&set, "keys").is_ok());
    }

    #[tokio::test]
    async fn a_role_with_mfa_is_read_with_all_its_settings() {
        let set = set("[profile duck]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = keys\n\
                       mfa_serial = arn:aws:iam::1:mfa/a\nexternal_id = x\nduration_seconds = 900\n\
                       [profile plain]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = keys\n\
                       [profile odd]\nrole_arn = arn:aws:iam::1:role/r\nmfa_serial = s\n\
                       credential_source = Environment\n")
        .await;
        let role = of(&set, "duck").unwrap().unwrap();
        assert_eq!((role.source.as_str(), role.seconds), ("keys", Some(900)));
        assert_eq!(
            (role.serial.as_str(), role.external_id.as_deref()),
            ("arn:aws:iam::1:mfa/a", Some("x"))
        );
        assert_eq!(of(&set, "plain").unwrap(), None);
        assert!(of(&set, "odd").unwrap_err().to_text().contains("no `source_profile`"));
    }
}
