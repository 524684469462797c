//! The commands about mail: the walk, the application, invitations, records, the test.

use galaxy_mail::checklist::{Check, Checklist, State, Whom};
use galaxy_mail::facts::{Facts, Memory};
use galaxy_mail::items::{self, Judge};
use galaxy_mail::review::{Page, Stage};

use super::home::{self, Home, Start};
use super::pipe::Output;
use super::{back, domains, life};
use crate::cli::{Mail, MailWish, PlayedReview, Shared};
use crate::config::Config;
use crate::event::mail as told;
use crate::event::{Event, Events, Outcome};
use crate::failure::{Failure, Kind};
use crate::lock;
use crate::mail::Desk;
use crate::model::Stack;
use crate::observe::observe;
use crate::ports::Invited;
use crate::zones;

mod letter;
#[cfg(test)]
mod tests;

/// The exit code while something is still to be done.
pub(super) const OPEN: u8 = 7;
/// How often `--watch` looks; DNS and Amazon are not faster.
pub(super) const WATCH: std::time::Duration = std::time::Duration::from_mins(1);

/// What all of these commands begin with.
pub(super) struct Begun {
    pub(super) home: Home,
    pub(super) config: Config,
    release: Option<String>,
    installed: bool,
    listens: bool,
}

impl Begun {
    pub(super) fn desk(&self) -> Desk<'_> {
        Desk {
            world: &self.home.world,
            config: &self.config,
            region: &self.home.region,
            release: self.release.clone(),
            installed: self.installed,
            listens: self.listens,
        }
    }

    /// Does something while no other run changes the galaxy.
    pub(super) async fn holding<T>(
        &self,
        command: &str,
        act: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        lock::holding(&self.home.world, &self.config.name, command, act).await
    }
}

pub(super) async fn begin(
    shared: &Shared,
    command: &str,
    play: Option<PlayedReview>,
    events: &Events,
) -> Result<Begun, Failure> {
    let config = super::configuration(shared, events)?;
    if play.is_some() && !shared.rehearse {
        return Err(Failure::new(Kind::Usage, "--play is for rehearsals only")
            .help("add --rehearse, or leave it out to see how it really is"));
    }
    let home = home::reach(shared, &config, Start::Mailing(play), events).await?;
    let job = back::blank(&home, config.clone(), events);
    let observed = observe(&job).await?;
    life::tell_start(command, &job);
    let release = observed.current.as_ref().map(|manifest| manifest.release.clone());
    let installed = observed.stacks.contains_key(&Stack::Mail);
    let api = observed.stacks.get(&Stack::Api);
    let listens = api.is_some_and(|api| api.outputs.contains_key("MailEventsRuleName"));
    let mut config = config;
    config.hosting = zones::seen(&home.world, &config, &home.region).await?;
    Ok(Begun { home, config, release, installed, listens })
}

pub(super) async fn run(shared: &Shared, wish: &Mail, events: &Events) -> Result<u8, Failure> {
    let zone = match &wish.wish {
        Some(MailWish::Records { zone }) => domains::zone_file(shared, zone.as_deref())?,
        _ => None,
    };
    let begun = begin(shared, "mail", wish.play, events).await?;
    match &wish.wish {
        None => walk(&begun, wish.watch, events).await,
        Some(MailWish::Apply(apply)) => letter::apply(&begun, apply, events).await,
        Some(MailWish::Invite { address }) => invite(&begun, address, events).await,
        Some(MailWish::Records { .. }) => domains::records(begun, zone, events).await,
        Some(MailWish::Test) => test(&begun, events).await,
        Some(MailWish::Confirm { item }) => confirm(&begun, item, events).await,
    }
}

/// Goes through everything, once or until all is done.
async fn walk(begun: &Begun, watch: bool, events: &Events) -> Result<u8, Failure> {
    // No lock: a walk may watch for days. It only remembers what it saw, and what a second walk
    // writes over it is seen again.
    let open = begun.home.world.unfenced();
    let desk = Desk { world: &open, ..begun.desk() };
    let mut before: Option<(Option<Stage>, Vec<Check>)> = None;
    let output = Output::new();
    loop {
        let facts = desk.facts().await?;
        let list = Checklist::of(&facts);
        let mut memory = list.remember(&facts.memory, facts.now);
        if memory.is_tested_too_early() {
            play_again(&desk, &mut memory, events).await;
        }
        if memory != facts.memory {
            desk.remember(&memory).await?;
        }
        let now = begun.home.world.clock.now();
        let list = Checklist::of(&Facts { memory, now, ..facts.clone() });
        tell(&facts, &list, before.as_ref(), events);
        let done = list.is_all_done();
        if done || !watch {
            let next = if done { vec![] } else { vec![next(&facts, &list)] };
            let outcome = if done { Outcome::Unchanged } else { Outcome::Told };
            events.emit(Event::Finished { outcome, urls: vec![], next });
            return Ok(if done { 0 } else { OPEN });
        }
        if before.is_none() {
            let text = "Watching; what changes is shown. Ctrl-C ends it, and nothing is lost.";
            events.emit(Event::Note { text: text.into() });
        }
        before = Some((list.stage, list.checks));
        begun.home.world.clock.sleep(WATCH).await;
        if output.is_over(events).await {
            return Ok(OPEN);
        }
    }
}

/// Sends the simulator's mails once more, after the grant. A failure is reported, and is no reason
/// to show nothing.
async fn play_again(desk: &Desk<'_>, memory: &mut Memory, events: &Events) {
    let text = "Mail may go to everybody now: playing the simulator's mails once more.";
    events.emit(Event::Note { text: text.into() });
    match desk.test().await {
        Ok(played) => memory.test = Some(played),
        Err(failure) => {
            let text = format!("They could not be played: {}.", failure.message());
            events.emit(Event::Note { text });
        }
    }
}

/// Shows the stage and the items; the second time only the changes.
fn tell(
    facts: &Facts,
    list: &Checklist,
    before: Option<&(Option<Stage>, Vec<Check>)>,
    events: &Events,
) {
    if before.is_none_or(|(stage, _)| *stage != list.stage) {
        events.emit(Event::MailStage(stage(facts, list.stage.as_ref())));
    }
    for (index, check) in list.checks.iter().enumerate() {
        let known = before.and_then(|(_, checks)| checks.get(index));
        if known != Some(check) {
            events.emit(Event::MailItem(item(check)));
        }
    }
    if before.is_none() {
        let text = format!("{} of {} items are done.", list.done(), list.checks.len());
        events.emit(Event::Note { text });
    }
}

/// The one thing that is best done next.
fn next(facts: &Facts, list: &Checklist) -> String {
    // By number: the titles are the expected state, not the actual one.
    let numbered = || (1..).zip(&list.checks);
    let wrong = numbered().find_map(|(number, check)| match &check.state {
        State::Wrong { place, .. } => Some(format!("Item {number}: {place}.")),
        _ => None,
    });
    let yours = numbered().find_map(|(number, check)| match &check.state {
        State::Waiting { whom: Whom::You, what, .. } => Some(format!("Item {number}: {what}.")),
        _ => None,
    });
    let yours = wrong.or(yours);
    match (yours, &facts.domain) {
        (_, None) => {
            "Nothing has to be done now: codes leave through Cognito's own sender. With a \
                      domain, set `mail.domain` in galaxy.yaml."
                .into()
        }
        (Some(yours), _) => yours,
        (None, _) => {
            "Nothing left for you to do; `spaceduck mail --watch` shows what changes.".into()
        }
    }
}

fn stage(facts: &Facts, at: Option<&Stage>) -> told::Stage {
    let Some(at) = at else {
        return told::Stage {
            stage: "unseen".into(),
            title: "SES does not answer".into(),
            meaning: "The state of the account is unknown right now.".into(),
            now: vec!["Check the network and the Region, then look again.".into()],
            avoid: vec![],
            usual: None,
            facts: vec![],
        };
    };
    let page = Page::of(at);
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    let mut about = Vec::new();
    if let Some(account) = &facts.account {
        let limit = if account.per_day < 0.0 {
            "no daily limit".to_owned()
        } else {
            format!("{} mails a day", account.per_day)
        };
        about.push(format!(
            "Quota in {}: {limit}, {} a second; {} sent in the last 24 hours.",
            facts.region, account.per_second, account.sent
        ));
        about.extend(account.case.as_ref().map(|case| format!("Case at Amazon: {case}.")));
    }
    if let Stage::Other(word) = at {
        about.push(format!("Amazon's word is `{word}`."));
    }
    told::Stage {
        stage: at.word().to_owned(),
        title: page.title.into(),
        meaning: page.meaning.into(),
        now: lines(page.now),
        avoid: lines(page.avoid),
        usual: page.usual.map(str::to_owned),
        facts: about,
    }
}

fn item(check: &Check) -> told::Item {
    let item = check.item;
    let mut told = told::Item {
        number: item.number,
        item: item.id.into(),
        title: item.title.into(),
        state: check.state.word().into(),
        checked: item.judge == Judge::Program,
        ..told::Item::default()
    };
    match &check.state {
        State::Done { detail } => told.detail.clone_from(detail),
        State::Unseen { why } => told.detail = Some(why.clone()),
        State::Wrong { is, should, place } => {
            (told.is, told.should) = (Some(is.clone()), Some(should.clone()));
            told.place = Some(place.clone());
        }
        State::Waiting { whom, what, since, usual } => {
            told.whom = Some(match whom {
                Whom::You => "you".into(),
                Whom::Amazon => "amazon".into(),
                Whom::Item(id) => (*id).into(),
            });
            (told.what, told.since) = (Some(what.clone()), *since);
            told.usual = Some((*usual).to_owned());
        }
    }
    told
}

async fn invite(begun: &Begun, address: &str, events: &Events) -> Result<u8, Failure> {
    let email = crate::operators::address(address)?;
    let address = email.as_str();
    let mail = &begun.home.world.mail;
    let invited = begun.holding("mail invite", async { mail.invite(address).await }).await?;
    let (outcome, next) = match invited {
        Invited::Sent => (
            Outcome::Done,
            format!(
                "Amazon has sent {address} a mail with a link that is good for 24 hours. Tell them \
                 to expect it; after the click they can receive mail from SES."
            ),
        ),
        Invited::Pending => (
            Outcome::Unchanged,
            format!(
                "{address} was invited before and has not followed the link. Where the mail is \
                 lost, remove the address in the SES console under Identities and invite again."
            ),
        ),
        Invited::Verified => (Outcome::Unchanged, format!("{address} can receive mail from SES.")),
    };
    events.emit(Event::Finished { outcome, urls: vec![], next: vec![next] });
    Ok(0)
}

async fn test(begun: &Begun, events: &Events) -> Result<u8, Failure> {
    let desk = begun.desk();
    let note = "Playing a delivery, a bounce and a complaint with Amazon's mailbox simulator.";
    events.emit(Event::Note { text: note.into() });
    let test = desk.test().await?;
    let remember = async {
        let mut memory = desk.memory().await?;
        memory.test = Some(test.clone());
        desk.remember(&memory).await
    };
    begun.holding("mail test", remember).await?;
    let mut all = true;
    for mail in &test.mails {
        let state = match mail.written {
            _ if mail.plays == "success" || !begun.listens => "taken by the simulator".to_owned(),
            Some(at) => format!("written down after {} s", at.saturating_sub(test.at)),
            None => {
                all = false;
                "not written down".to_owned()
            }
        };
        events.emit(Event::Status { item: format!("simulator {}", mail.plays), state });
    }
    let next = if all {
        vec![]
    } else {
        vec!["`spaceduck drift` finds a rule or a permission that is gone.".to_owned()]
    };
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next });
    Ok(if all { 0 } else { OPEN })
}

async fn confirm(begun: &Begun, id: &str, events: &Events) -> Result<u8, Failure> {
    let known = || {
        let yours = items::ITEMS.iter().filter(|item| item.judge == Judge::Person);
        let yours = yours.filter(|item| item.id != "letter").map(|item| item.id);
        yours.collect::<Vec<_>>().join(", ")
    };
    match items::by_id(id) {
        Some(item) if item.judge == Judge::Person && item.id != "letter" => {}
        _ => {
            let message = format!("`{id}` is nothing that a person confirms");
            return Err(Failure::new(Kind::Input, message)
                .help(format!("these are: {}; the others are looked at", known())));
        }
    }
    let desk = begun.desk();
    let now = begun.home.world.clock.now();
    let remember = async {
        let mut memory = desk.memory().await?;
        let before = memory.confirmed.insert(id.to_owned(), now);
        desk.remember(&memory).await.map(|()| before)
    };
    let before = begun.holding("mail confirm", remember).await?;
    let outcome = if before.is_some() { Outcome::Unchanged } else { Outcome::Done };
    events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
    Ok(0)
}
