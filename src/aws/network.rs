//! The way out: proxy and trusted certificates, the same for every HTTPS request of the program.

use std::path::PathBuf;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::profile;
use crate::environment;
use crate::failure::{Failure, Kind};

/// The variable that names a file with certificates to trust.
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// Proxy and trust.
#[derive(Clone, Debug)]
pub struct Network {
    trust: TlsContext,
}

impl Network {
    /// From the environment and the profile: `AWS_CA_BUNDLE`, else `ca_bundle`. Its certificates
    /// are trusted in addition to the system's.
    pub async fn of(profile: Option<&str>) -> Result<Self, Failure> {
        let named = environment::path(BUNDLE).map(|path| (format!("`{BUNDLE}`"), path));
        let bundle = match named {
            Some(named) => Some(named),
            None => profile::setting(profile, "ca_bundle").await.map(|path| {
                ("`ca_bundle` of the AWS profile".to_owned(), PathBuf::from(path.trim()))
            }),
        };
        let mut store = TrustStore::default();
        if let Some((setting, path)) = bundle {
            store = store.with_pem_certificate(read(&setting, &path)?);
        }
        let trust = TlsContext::builder().with_trust_store(store).build();
        Ok(Self { trust: trust.map_err(|error| Failure::bug(error.to_string()))? })
    }

    /// A connector for requests of our own.
    pub(super) fn connector(&self, patience: Duration) -> Connector {
        let settings = HttpConnectorSettings::builder().connect_timeout(patience).build();
        self.connect(Some(settings), None)
    }

    /// The client of every SDK client, and of what fetches credentials.
    pub(super) fn client(&self) -> SharedHttpClient {
        let network = self.clone();
        Builder::new().build_with_connector_fn(move |settings, components| {
            network.connect(settings.cloned(), components)
        })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one builder")]
    fn connect(
        &self,
        settings: Option<HttpConnectorSettings>,
        components: Option<&RuntimeComponents>,
    ) -> Connector {
        let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings);
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        let provider = Provider::Rustls(CryptoMode::AwsLc);
        builder.tls_provider(provider).tls_context(self.trust.clone()).build()
    }
}

/// Reads a bundle. The HTTP client takes it for granted that every certificate in it is one.
fn read(setting: &str, path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let help = format!("set {setting} to a PEM file with the certificates of your network's CA");
    let pem = std::fs::read(path).map_err(|error| {
        Failure::new(Kind::Input, format!("{setting} names `{shown}`, which can't be read"))
            .cause(error.to_string())
            .help(help.clone())
    })?;
    let broken = |cause: String| {
        Failure::new(Kind::Input, format!("{setting} names `{shown}`, which is no CA bundle"))
            .cause(cause)
            .help(help.clone())
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| broken(error.to_string()))?;
        store.add(certificate).map_err(|error| broken(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(broken("there is no certificate in it".into()));
    }
    Ok(pem)
}

/// What to do about a request that did not get through, by the words of its error; nothing where
/// no setting of the network is known to help.
pub(super) fn help(cause: &str) -> Option<String> {
    let lower = cause.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["unknownissuer", "unknown issuer", "invalid peer certificate", "certificate"]) {
        let set = environment::path(BUNDLE).map_or_else(
            || {
                format!(
                    "set {BUNDLE}, or `ca_bundle` in the AWS profile, to a PEM file with its CA"
                )
            },
            |path| format!("check that its CA is in `{}`, which {BUNDLE} names", path.display()),
        );
        return Some(format!(
            "if your network inspects TLS, {set}; if it asks for a sign-in first, open a browser \
             and sign in"
        ));
    }
    let proxy =
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"]
            .into_iter()
            .find(|name| environment::text(name).is_some())?;
    if has(&["407", "proxy authentication", "proxy auth"]) {
        return Some(format!(
            "the proxy wants a password: set {proxy} to http://USER:PASSWORD@HOST:PORT"
        ));
    }
    has(&["tunnel", "proxy", "connect", "dns"]).then(|| {
        format!("requests go through the proxy in {proxy}: check it, or name the host in NO_PROXY")
    })
}

/// Says that a web page or a redirect came where an API answers, as a network with a sign-in page
/// sends it; nothing where the answer may be the API's own.
#[must_use]
pub(super) fn captive(status: u16, content_type: Option<&str>, body: &[u8]) -> Option<String> {
    let start =
        String::from_utf8_lossy(&body[..body.len().min(256)]).trim_start().to_ascii_lowercase();
    let page = content_type
        .is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("text/html"))
        || start.starts_with("<!doctype html")
        || start.starts_with("<html");
    let what = match status {
        // RFC 6585, section 6.
        511 => "status 511: this network wants a sign-in first".to_owned(),
        301 | 302 | 303 | 307 | 308 if page || body.is_empty() => {
            format!("a redirect (status {status}) instead of an API's answer")
        }
        _ if page => format!("a web page (status {status}) instead of an API's answer"),
        _ => return None,
    };
    Some(what)
}

/// What to do about [`captive`].
pub(super) const CAPTIVE_HELP: &str = "\
    if your network asks for a sign-in, open a browser and sign in; if it has a proxy, set \
    HTTPS_PROXY; else check the address";

#[cfg(test)]
mod tests {
    use super::{captive, help, read};

    #[test]
    fn a_page_of_the_network_is_no_answer_of_an_api() {
        let html = b"<!DOCTYPE html><title>Welcome</title>".as_slice();
        assert!(captive(200, Some("text/html; charset=utf-8"), b"").is_some());
        assert!(captive(200, None, html).is_some());
        assert!(captive(302, None, b"").is_some_and(|text| text.contains("redirect")));
        assert!(captive(511, None, b"").is_some_and(|text| text.contains("sign-in")));
        assert_eq!(captive(403, Some("application/json"), b"{}"), None);
        assert_eq!(captive(307, Some("application/xml"), b"<Error><Code>PermanentRedirect"), None);
        assert_eq!(captive(404, Some("application/xml"), b"<?xml version=\"1.0\"?><Error>"), None);
    }

    #[test]
    fn a_certificate_that_is_not_trusted_names_the_setting() {
        let text = help("invalid peer certificate: UnknownIssuer").unwrap();
        assert!(text.contains("AWS_CA_BUNDLE") && text.contains("sign in"), "{text}");
    }

    #[test]
    fn a_bundle_that_is_none_is_refused_with_its_setting() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, says) in [
            ("empty.pem", "", "there is no certificate in it"),
            ("text.pem", "hello", "there is no certificate in it"),
            ("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n", "section end"),
            (
                "junk.pem",
                "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
                "certificate",
            ),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let told = read("`AWS_CA_BUNDLE`", &path).unwrap_err().to_text();
            assert!(told.contains("`AWS_CA_BUNDLE`") && told.contains(says), "{told}");
        }
        let gone = read("`AWS_CA_BUNDLE`", &folder.path().join("gone.pem")).unwrap_err().to_text();
        assert!(gone.contains("can't be read"), "{gone}");
    }
}
