//! Gathers what the walk of mail goes by, remembers what has to be remembered, and plays the
//! mailbox simulator's part.

use std::time::Duration;

use galaxy_mail::facts::{
    Account, Enforcement, Facts, Identity, Memory, Progress, Set, Test, TestMail, Website,
};
use galaxy_mail::records::{Domains, Mail, Wanted, Zones};

use crate::catalog;
use crate::config::{Config, Seen};
use crate::failure::{Failure, Kind};
use crate::model::{Place, Region, Stack, StackStatus, TAG};
use crate::ports::{Answer, Play, World};

/// Whose mail it is.
pub struct Desk<'a> {
    /// The doors.
    pub world: &'a World,
    /// What is wanted.
    pub config: &'a Config,
    /// The home Region.
    pub region: &'a Region,
    /// The release that is installed.
    pub release: Option<String>,
    /// Whether the stack with sets and alarms is there.
    pub installed: bool,
    /// Whether the API listens to what comes back of its mails.
    pub listens: bool,
}

/// Looks at what decides how mail is set up, before anything is rendered.
pub async fn seen(world: &World, config: &Config) -> Result<Seen, Failure> {
    let Some(domain) = &config.mail.domain else { return Ok(Seen::default()) };
    let stack = world.stacks.find(Place::Home, &Stack::Mail.name(&config.name)).await?;
    // The stack outputs the records of its own identity.
    let ours = stack.as_ref().is_some_and(|stack| stack.outputs.contains_key("DkimName1"));
    let Some(identity) = world.mail.identity(domain).await? else { return Ok(Seen::default()) };
    // A teardown keeps the identity with this galaxy's tag; the next stack takes it up again.
    let absent = stack
        .as_ref()
        .is_none_or(|stack| matches!(stack.status, StackStatus::Gone | StackStatus::Dead(_)));
    let kept = absent && identity.tags.get(TAG).map(String::as_str) == Some(config.name.as_str());
    let ours = ours || kept;
    let account = world.mail.account().await?;
    let may = account.production && account.sending && account.enforcement != Enforcement::Shutdown;
    let granted = stack.is_some() && identity.verified == Progress::Success && may;
    Ok(Seen { foreign: !ours, granted })
}

/// The records that mail from the domain needs, as far as their values are known.
pub fn records(
    config: &Config,
    region: &Region,
    identity: Option<&Identity>,
) -> Result<Vec<Wanted>, Failure> {
    let invalid = |error: galaxy_mail::name::Invalid| {
        Failure::new(Kind::Input, error.to_string()).help("shorten the names under `mail`")
    };
    let Some(domain) = &config.mail.domain else { return Ok(Vec::new()) };
    let mail_from = identity.and_then(|identity| identity.mail_from.as_ref());
    let mail_from = match mail_from {
        Some((domain, _)) => domain.clone(),
        None => domain.below(&config.mail.bounce).map_err(invalid)?,
    };
    let mail = Mail {
        domain: domain.clone(),
        mail_from,
        region: region.to_string(),
        dkim: identity.map(|identity| identity.tokens.clone()).unwrap_or_default(),
        reports: config.mail.reports.clone(),
    };
    let domains = Domains { mail: Some(mail), fronts: Vec::new() };
    domains.wanted(&Zones::default()).map_err(invalid)
}

/// How long the simulator's answers are waited for.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often is looked meanwhile.
const BETWEEN: Duration = Duration::from_secs(5);

impl Desk<'_> {
    /// Looks at everything.
    pub async fn facts(&self) -> Result<Facts, Failure> {
        let (mail, name) = (&self.config.mail, &self.config.name);
        let account = self.account().await?;
        let identity = match &mail.domain {
            Some(domain) => self.world.mail.identity(domain).await?,
            None => None,
        };
        let mut facts = Facts {
            now: self.world.clock.now(),
            galaxy: name.to_string(),
            release: self.release.clone(),
            region: self.region.to_string(),
            domain: mail.domain.clone(),
            account,
            identity,
            captcha: self.config.turnstile_site_key.is_some(),
            alarms: self.installed,
            listens: self.listens,
            website: self.website().await,
            memory: self.memory().await?,
            ..Facts::default()
        };
        let wanted = self.wanted(&facts)?;
        facts.records = self.world.dns.look(&wanted, &self.config.hosting.expected()).await?;
        if self.installed {
            for part in ["tx", "news"] {
                let name = format!("{name}-{part}");
                let found = self.world.mail.set(&name).await?;
                facts.sets.push(Set { name, found });
            }
        }
        Ok(facts)
    }

    /// What SES says; nothing where it can't be reached. A missing permission is reported.
    async fn account(&self) -> Result<Option<Account>, Failure> {
        match self.world.mail.account().await {
            Ok(account) => Ok(Some(account)),
            Err(failure) if failure.kind == Kind::Settled => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The records that are wanted, as far as their values are known.
    pub fn wanted(&self, facts: &Facts) -> Result<Vec<Wanted>, Failure> {
        records(self.config, self.region, facts.identity.as_ref())
    }

    /// The site as a stranger sees it.
    async fn website(&self) -> Option<Website> {
        let url = self.config.mail.website.as_ref()?;
        let base = url.trim_end_matches('/');
        let page = async |path: &str| {
            let url = format!("{base}/{path}/");
            (self.world.web.get(&url).await == Answer::Status(200)).then_some(url)
        };
        let trouble = match self.world.web.get(&format!("{base}/")).await {
            Answer::Status(200) => None,
            other => Some(other.to_string()),
        };
        let url = format!("{base}/");
        let (privacy, contact) = (page("privacy").await, page("contact").await);
        Some(Website { url, trouble, privacy, contact, form: page("newsletter").await })
    }

    /// What was kept from earlier looks. What can't be read is as if there were nothing.
    pub async fn memory(&self) -> Result<Memory, Failure> {
        let text = self.world.notes.get(&catalog::mail_path(&self.config.name)).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Keeps it.
    pub async fn remember(&self, memory: &Memory) -> Result<(), Failure> {
        let text =
            serde_json::to_string(memory).map_err(|error| Failure::bug(error.to_string()))?;
        self.world.notes.put(&catalog::mail_path(&self.config.name), &text).await
    }

    /// Plays a delivery, a bounce and a complaint, and where the API listens, waits until it has
    /// written the last two down.
    pub async fn test(&self) -> Result<Test, Failure> {
        let Some(from) = self.config.mail.address() else {
            return Err(Failure::new(Kind::Input, "there is no mail domain to send from")
                .help("set `mail.domain` in galaxy.yaml and run `spaceduck install`"));
        };
        let mut test = Test { at: self.world.clock.now(), mails: Vec::new() };
        for plays in ["success", "bounce", "complaint"] {
            let (plays, set) = (plays.to_owned(), format!("{}-tx", self.config.name));
            let play = Play { plays: plays.clone(), from: from.clone(), set };
            let message_id = self.world.mail.play(&play).await?;
            test.mails.push(TestMail { plays, message_id, written: None });
        }
        if !self.listens {
            return Ok(test);
        }
        let ledger = format!("{}-ledger", self.config.name);
        let begin = self.world.clock.elapsed();
        loop {
            for mail in &mut test.mails {
                if mail.written.is_none() && mail.plays != "success" {
                    mail.written = self.world.mail.written(&ledger, mail).await?;
                }
            }
            let open = |mail: &TestMail| mail.plays != "success" && mail.written.is_none();
            let past = self.world.clock.elapsed().saturating_sub(begin);
            if !test.mails.iter().any(open) || past >= PATIENCE {
                return Ok(test);
            }
            self.world.clock.sleep(BETWEEN).await;
        }
    }
}
