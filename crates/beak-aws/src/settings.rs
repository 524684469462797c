//! What the stack tells the function, in its environment.

use beak_core::Duration;

/// A variable that is missing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set; the stack's template sets it")]
pub struct Missing(pub &'static str);

/// Names and ids of what the function works with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The galaxy's name, which starts every table's.
    pub prefix: String,
    /// The Cognito user pool.
    pub user_pool: String,
    /// Its app client.
    pub client: String,
    /// The KMS key that signs certificates.
    pub certificate_key: String,
    /// The sender of our own mails; none until SES may send.
    pub from: Option<String>,
    /// The SES configuration set of those mails.
    pub config_set: Option<String>,
    /// The release that was installed.
    pub release: String,
    /// The API's base URL.
    pub issuer: String,
    /// How long a peck waits for its answer.
    pub peck_lifetime: Duration,
    /// Whether operators need a second factor to act as operators.
    pub operators_need_factor: bool,
    /// Whether a distribution is to stand in front of the API.
    pub shield: bool,
}

impl Settings {
    /// Reads them; `variable` looks one up.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Missing> {
        let optional = |name: &str| variable(name).filter(|value| !value.is_empty());
        let needed = |name: &'static str| optional(name).ok_or(Missing(name));
        Ok(Self {
            prefix: needed("SD_PREFIX")?,
            user_pool: needed("SD_USER_POOL_ID")?,
            client: needed("SD_CLIENT_ID")?,
            certificate_key: needed("SD_CERT_KEY")?,
            from: optional("SD_FROM"),
            config_set: optional("SD_CONFIG_SET"),
            release: needed("SD_RELEASE")?,
            issuer: needed("SD_ISSUER")?,
            peck_lifetime: Duration::hours(24),
            operators_need_factor: optional("SD_OPERATORS_SECOND_FACTOR")
                .is_some_and(|word| word == "required"),
            shield: optional("SD_SHIELD").is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let all = |name: &str| Some(format!("value of {name}"));
        assert!(Settings::read(all).is_ok());
        let one = |name: &str| all(name).filter(|_| name != "SD_CERT_KEY");
        assert_eq!(Settings::read(one).map(|_| ()), Err(Missing("SD_CERT_KEY")));
        let empty = |name: &str| Some(String::new()).filter(|_| name == "SD_FROM").or(all(name));
        assert_eq!(Settings::read(empty).map(|s| s.from), Ok(None));
    }

    /// The template's side of the same agreement.
    #[test]
    fn the_template_sets_every_variable() {
        let template = include_str!("../../../templates/api.yaml");
        let seen = std::cell::RefCell::new(Vec::new());
        let read = Settings::read(|name| {
            seen.borrow_mut().push(name.to_owned());
            Some("value".into())
        });
        assert!(read.is_ok());
        for name in seen.into_inner() {
            assert!(template.contains(&format!("          {name}: ")), "{name}");
        }
    }
}
