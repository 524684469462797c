//! A whole galaxy in one process: the Beak, the five sites and the outbox, kept in one folder.

mod data;
mod db;
mod error;
#[cfg(feature = "fill")]
pub mod fill;
mod identity;
mod limits;
pub mod operators;
mod outbox;
mod own;
mod pages;
#[cfg(feature = "fill")]
pub mod pond;
mod server;
mod sites;
mod store;
#[cfg(test)]
mod tests;
pub mod transfer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use beak_api::captcha::{PASSES, TestCaptcha};
use beak_api::jws::Jws;
use beak_api::system::{SystemClock, SystemEntropy};
pub use beak_core::GALAXY_VERSION;
use beak_core::person::{Email, hex};
use beak_core::ports::{
    Accounts, Captcha, Clock, Entropy, Identity, Journals, Limits, SignIns, Store,
};
use beak_core::{BeakError, Duration, Galaxy, Ports, Settings};
use galaxy_sites::{Content, Site};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::data::{DATABASE, Data};
pub use crate::error::LocalError;
use crate::identity::LocalIdentity;
use crate::limits::Counter;
use crate::outbox::Outbox;
pub use crate::own::OwnPages;
use crate::own::Watch;
use crate::server::Home;
use crate::sites::Sites;
use crate::store::RedbStore;

/// The port, unless another one is named. On a telephone it spells DUCK.
pub const DEFAULT_PORT: u16 = 3825;

/// The data folder, unless another one is named.
pub const DEFAULT_DATA: &str = "galaxy-data";

/// Longer than a password takes to hash.
const ANSWER_STEP: Duration = Duration::milliseconds(200);

/// The first operator's address.
const OPERATOR: &str = "operator@spaceduck.localhost";

/// What a local galaxy is started with.
pub struct Options {
    /// The port to listen on; 0 takes any free one.
    pub port: u16,
    /// Where everything is kept.
    pub data: PathBuf,
    /// Whether the API counts calls and refuses those that are too many.
    pub limits: bool,
    /// Whether operators need a second factor to act as operators.
    pub operators_need_factor: bool,
    /// Pages of one's own, beside ours or in their place.
    pub own: Option<OwnPages>,
}

/// Runs a galaxy until Ctrl-C or SIGTERM. `tell` gets a text that says where everything is; the
/// galaxy stops where it fails.
pub async fn serve(
    options: Options,
    tell: impl FnOnce(&str) -> Result<(), String>,
) -> Result<(), LocalError> {
    log_to_stderr();
    let data = Data::open(&options.data)?;
    let keys = data.keys()?;
    let listeners = server::listen(options.port)?;
    let address = listeners.first().and_then(|listener| listener.local_addr().ok());
    let port = address.map_or(options.port, |address| address.port());
    let operator_file = data.operator_file();
    let home = home(data.db, keys, &operator_file, port, &options).await?;
    // From here on, before anyone is told where it is: who hears of it may stop it at once.
    let stop = Stop::listen().map_err(|error| LocalError::Broken(error.to_string()))?;
    tell(&addresses(port, &options, &operator_file)).map_err(LocalError::Unheard)?;
    run(listeners, Arc::new(home), stop).await
}

/// Calls and failures, one line each; `SPACEDUCK_LOG` says from which level on.
#[expect(clippy::disallowed_methods, reason = "the one variable of this program")]
fn log_to_stderr() {
    let level = std::env::var("SPACEDUCK_LOG").ok().and_then(|level| level.parse().ok());
    let level: tracing::Level = level.unwrap_or(tracing::Level::WARN);
    // A second one in the same process would fail; the first then goes on.
    let _ = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).try_init();
}

async fn home(
    db: db::Db,
    keys: data::Keys,
    operator_file: &Path,
    port: u16,
    options: &Options,
) -> Result<Home, LocalError> {
    let db = Arc::new(db);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (ports, identity) = ports(&db, keys, &clock, options.limits).map_err(broken)?;
    first_operator(&identity, operator_file).await?;
    tidy(&db, &clock).await;
    let settings = Settings {
        issuer: format!("http://localhost:{port}"),
        version: GALAXY_VERSION.into(),
        release: env!("CARGO_PKG_VERSION").into(),
        function_version: None,
        peck_lifetime: Duration::hours(24),
        answer_step: ANSWER_STEP,
        operators_need_factor: options.operators_need_factor,
    };
    let galaxy = Arc::new(Galaxy::new(ports, settings));
    let beak = beak_api::router(Arc::clone(&galaxy));
    let own = options.own.as_ref();
    let content = own.map_or_else(Content::built_in, |own| own.content.clone());
    let sites =
        Sites::new(port, &content).map_err(|error| LocalError::Broken(error.to_string()))?;
    Ok(Home { port, galaxy, beak, sites, own: own.map(Watch::new), outbox: Outbox { db, clock } })
}

/// Forgets what is no longer needed. A row that can't be read is no reason not to start: what
/// lies beside it is as good as before.
async fn tidy(db: &Arc<db::Db>, clock: &Arc<dyn Clock>) {
    if let Err(error) = RedbStore::new(Arc::clone(db)).tidy(clock.now()).await {
        let cause = error.cause().unwrap_or_default();
        tracing::error!(cause, "what is out of date could not be forgotten");
    }
}

/// Puts away what has lapsed, every minute.
async fn keep_house(galaxy: Arc<Galaxy>) {
    let mut minutes = tokio::time::interval(std::time::Duration::from_mins(1));
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        match galaxy.sweep().await {
            Ok(swept) if swept.put_aside > 0 => {
                let entries = swept.put_aside;
                tracing::error!(entries, "lapsed entries that can't be put away were put aside");
            }
            Ok(_) => {}
            Err(error) => {
                let cause = error.cause().unwrap_or_default();
                tracing::error!(cause, "what has lapsed could not be put away");
            }
        }
    }
}

/// The adapters over one database.
fn ports(
    db: &Arc<db::Db>,
    keys: data::Keys,
    clock: &Arc<dyn Clock>,
    limited: bool,
) -> beak_core::Result<(Ports, Arc<LocalIdentity>)> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let identity = LocalIdentity::new(Arc::clone(db), Arc::clone(clock), Arc::clone(&entropy))?;
    let identity = Arc::new(identity);
    let redb = Arc::new(RedbStore::new(Arc::clone(db)));
    let store = Arc::clone(&redb) as Arc<dyn Store>;
    let ports = Ports {
        store: Arc::clone(&store),
        journals: Arc::clone(&redb) as Arc<dyn Journals>,
        accounts: Arc::clone(&redb) as Arc<dyn Accounts>,
        sign_ins: Arc::clone(&redb) as Arc<dyn SignIns>,
        sealing: Arc::new(keys.sealing),
        identity: Arc::clone(&identity) as Arc<dyn Identity>,
        authority: Arc::new(Jws::new(Arc::new(keys.signer), store)),
        captcha: TestCaptcha::of(PASSES).map(|test| Arc::new(test) as Arc<dyn Captcha>),
        limits: limited.then(|| Arc::new(Counter::default()) as Arc<dyn Limits>),
        mailer: Arc::new(Outbox { db: Arc::clone(db), clock: Arc::clone(clock) }),
        feedback: redb,
        alarms: None,
        clock: Arc::clone(clock),
        entropy,
    };
    Ok((ports, identity))
}

fn broken(error: BeakError) -> LocalError {
    match error {
        BeakError::Damaged(why) => LocalError::Damaged(DATABASE.into(), why),
        error => LocalError::Broken(error.cause().map_or_else(|| error.to_string(), str::to_owned)),
    }
}

/// Makes the first operator, with a password that only the folder's owner can read.
async fn first_operator(identity: &LocalIdentity, file: &Path) -> Result<(), LocalError> {
    let email = Email::parse(OPERATOR).map_err(broken)?;
    if identity.knows(&email).map_err(broken)? {
        return Ok(());
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| LocalError::Broken(error.to_string()))?;
    let password = hex(&random);
    // The file first: an operator whose password nobody has could never be made again.
    data::write_private(file, &format!("{OPERATOR}\n{password}\n"))
        .map_err(|error| LocalError::Folder(file.to_owned(), error.to_string()))?;
    identity.add_operator(&email, &password).await.map_err(broken)?;
    Ok(())
}

fn addresses(port: u16, options: &Options, operator_file: &Path) -> String {
    let line = |label: &str, value: String| format!("  {label:<8} {value}\n");
    let mut text = "A galaxy is running.\n\n".to_owned();
    text += &line("API", format!("http://localhost:{port}/beak"));
    for (at, site) in Site::ALL.into_iter().enumerate() {
        let url = format!("http://{}.localhost:{port}/", site.name());
        let label = if at == 0 { "sites" } else { "" };
        text += &line(label, format!("{url:<42} {}", site.role()));
    }
    text += &line("outbox", format!("http://localhost:{port}/outbox"));
    text += &line("operator", operator_file.display().to_string());
    text += &line("data", options.data.display().to_string());
    if let Some(own) = &options.own {
        text += &line("pages", format!("{}, as they are at each look", own.folder.display()));
    }
    text + "\nCtrl-C stops it; everything is kept."
}

async fn run(
    listeners: Vec<std::net::TcpListener>,
    home: Arc<Home>,
    asked: Stop,
) -> Result<(), LocalError> {
    let broken = |error: std::io::Error| LocalError::Broken(error.to_string());
    let (stop, stopped) = watch::channel(false);
    let mut servers = tokio::task::JoinSet::new();
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(broken)?;
        servers.spawn(server::serve(listener, Arc::clone(&home), stopped.clone()));
    }
    let housekeeping = tokio::spawn(keep_house(Arc::clone(&home.galaxy)));
    asked.arrived().await;
    housekeeping.abort();
    let _ = stop.send(true);
    // Whoever keeps a connection open does not keep the galaxy open.
    let all = async { while servers.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), all).await;
    Ok(())
}

/// The signals that stop a galaxy.
struct Stop([Signal; 2]);

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
    }

    async fn arrived(self) {
        let [mut interrupt, mut terminate] = self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
