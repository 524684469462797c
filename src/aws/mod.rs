//! The only place that knows the AWS SDK: settings in, ports and our own words out.
//!
//! Profile, Region and endpoint come from the ordinary AWS settings; nothing here asks what is
//! behind an endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;

use crate::environment;
use crate::failure::{Failure, Kind};
use crate::model::{AccountId, Region};
use crate::ports::{Clock, Fence, World};

mod assets;
mod attempt;
mod attributes;
mod budget;
mod certificates;
mod delivery;
mod dns;
mod doctor;
mod error;
mod evidence;
mod fetch;
mod functions;
mod iam;
mod inspection;
mod inventory;
mod mail;
mod marks;
mod network;
mod parameters;
mod people;
mod profile;
mod records;
mod registry;
mod route53;
mod secrets;
mod stacks;
pub mod trace;
mod watch;
mod web;

pub use doctor::{Diagnosis, diagnose};
use error::translate;
pub use fetch::fetch;
pub use network::Network;

/// What the command line says about AWS.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `--profile`
    pub profile: Option<String>,
    /// `--region`, or the one in `galaxy.yaml`
    pub region: Option<Region>,
    /// `--connect-to`: the probes dial this address.
    pub connect_to: Option<String>,
}

/// An account that answered.
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Who we are in it.
    pub caller: String,
    /// The home Region.
    pub region: Region,
    /// The doors.
    pub world: World,
}

/// Finds credentials and Region, and asks who we are.
pub async fn connect(settings: &Settings) -> Result<Account, Failure> {
    let profile = settings.profile.as_deref();
    // Boxed: what reads profiles and asks for roles would make every command's future large.
    Box::pin(profile::check(profile)).await?;
    let network = Box::pin(Network::of(profile)).await?;
    let config = Box::pin(load(settings, &network)).await?;
    let region = match config.region() {
        Some(region) => Region::parse(region.as_ref())
            .map_err(|invalid| Failure::new(Kind::Input, invalid.to_string()).help(REGION_HELP))?,
        None => {
            return Err(Failure::new(Kind::Input, "no AWS Region is set").help(REGION_HELP));
        }
    };
    check_credentials(&config, settings.profile.as_deref()).await?;
    // Nothing is half-done yet: better to report a wrong address now than to retry for a minute.
    let hasty = aws_sdk_sts::config::Builder::from(&config)
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .build();
    let caller = aws_sdk_sts::Client::from_conf(hasty)
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| translate("asking AWS who we are", Some(&region), &error))?;
    let id = AccountId::parse(caller.account().unwrap_or_default())
        .map_err(|invalid| Failure::bug(invalid.to_string()))?;
    let edge = at_edge(&config);
    let caller = caller.arn().unwrap_or_default().to_owned();
    let clock: Arc<dyn Clock> = Arc::new(WallClock(Instant::now()));
    // One for all that asks SES: it lets an account ask once a second.
    let ses = Arc::new(mail::Ses::new(&config, Arc::clone(&clock)));
    let probe = Arc::new(web::Probe::new(settings.connect_to.clone(), &network)?);
    let fence = Arc::<Fence>::default();
    let world = World {
        stacks: Arc::new(stacks::CloudFormation::new(&config, &edge, Arc::clone(&fence))),
        assets: Arc::new(assets::Buckets::new(&config, &edge)),
        delivery: Arc::new(delivery::Distributions::new(&edge)),
        functions: Arc::new(functions::Lambda::new(&config)),
        secrets: Arc::new(secrets::ParameterStore::new(&config)),
        notes: Arc::new(secrets::ParameterStore::new(&config)),
        registry: Arc::new(registry::EdgeParameters::new(&edge)),
        marks: Arc::new(marks::TagReader::new(&config, &edge)),
        ownership: Arc::new(crate::ports::Unclaimed),
        people: Arc::new(people::UserPools::new(&config)),
        records: Arc::new(records::Tables::new(&config)),
        inventory: Arc::new(inventory::Tagged::new(&config, &edge)),
        inspection: Arc::new(inspection::Inspector::new(&config, &edge)),
        logs: Arc::new(inventory::LogGroups::new(&config)),
        preflight: doctor::examiner(&config, &edge, &caller, Arc::clone(&ses)),
        mail: ses,
        dns: Arc::new(dns::Zones),
        zones: Arc::new(route53::Route53::new(&edge)),
        certificates: Arc::new(certificates::CertificateManager::new(&config, &edge)),
        evidence: Arc::new(evidence::Witness::new(&config, &edge, Arc::clone(&probe))),
        web: probe,
        clock,
        fence,
        open: None,
    };
    Ok(Account { id, caller, region, world })
}

const REGION_HELP: &str = "set `region` in galaxy.yaml, --region, AWS_REGION or the profile's \
                           region, for example to eu-central-1";

/// How long one attempt at a call may take. `SPACEDUCK_CALL_TIMEOUT` says otherwise, in seconds:
/// for slow lines, and for those who can't wait.
fn patience() -> Duration {
    let said = environment::text("SPACEDUCK_CALL_TIMEOUT");
    let seconds = said.and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
    Duration::from_secs(seconds.unwrap_or(60))
}

async fn load(settings: &Settings, network: &Network) -> Result<SdkConfig, Failure> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(patience())
        .build();
    // Throttling must slow us down, never stop us: eight tries are a good minute of patience.
    let retries = RetryConfig::standard().with_max_attempts(8);
    let client = network.client();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client.clone())
        .timeout_config(timeouts)
        .retry_config(retries);
    if let Some(profile) = &settings.profile {
        // Left to itself the SDK would prefer keys from the environment to a profile that was
        // asked for by name: another account, perhaps.
        let provider = ProfileFileCredentialsProvider::builder()
            .profile_name(profile)
            .configure(
                &ProviderConfig::with_default_region().await.with_http_client(client.clone()),
            )
            .build();
        loader = loader.profile_name(profile).credentials_provider(provider);
    }
    if let Some(credentials) = profile::with_code(settings.profile.as_deref(), &client).await? {
        loader = loader.credentials_provider(credentials);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(aws_config::Region::new(region.to_string()));
    }
    Ok(attempt::fenced(&trace::through(loader.load().await)))
}

fn at_edge(config: &SdkConfig) -> SdkConfig {
    let region = aws_config::Region::new(Region::edge().to_string());
    config.to_builder().region(region).build()
}

/// Distinguishes missing credentials from unusable ones before the first call.
async fn check_credentials(config: &SdkConfig, profile: Option<&str>) -> Result<(), Failure> {
    let nothing = || {
        if let Some(profile) = profile {
            let text = format!("no AWS credentials were found in the profile `{profile}`");
            return Failure::new(Kind::Access, text)
                .help("`aws configure list-profiles` lists the profiles that there are");
        }
        Failure::new(Kind::Access, "no AWS credentials were found").help(
            "set AWS_PROFILE, run `aws sso login` or `aws configure`, or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY; without an account, `spaceduck local` runs a galaxy here",
        )
    };
    let Some(provider) = config.credentials_provider() else { return Err(nothing()) };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(CredentialsError::CredentialsNotLoaded(_)) => Err(nothing()),
        Err(error) => {
            let cause = error::chain(&error);
            Err(Failure::new(Kind::Access, "the AWS credentials can't be used")
                .cause(cause)
                .help("check AWS_PROFILE and ~/.aws/config; `aws sso login` renews a session"))
        }
    }
}

/// A digest as hexadecimal; AWS sends base64.
fn hex_of_base64(text: &str) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    crate::render::hex(&bytes)
}

struct WallClock(Instant);

#[async_trait]
impl Clock for WallClock {
    async fn sleep(&self, time: Duration) {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        tokio::time::sleep(time).await;
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn now(&self) -> u64 {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        u64::try_from(time::OffsetDateTime::now_utc().unix_timestamp()).unwrap_or_default()
    }
}

#[cfg(test)]
mod replay;
#[cfg(test)]
mod tests;
