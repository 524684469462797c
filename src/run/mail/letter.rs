//! The application for production access: drafted, scored, edited by a person, shown whole, and
//! sent only after consent that was typed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use galaxy_mail::facts::Facts;
use galaxy_mail::request::{Draft, EDITOR_HEAD, Letter, Score};
use galaxy_mail::review::{Page, Stage};

use super::super::{ask, signals};
use super::{Begun, stage};
use crate::cli::Apply;
use crate::environment;
use crate::event::mail as told;
use crate::event::{Event, Events, Outcome};
use crate::failure::{Failure, Kind};
use crate::ports::Applied;

/// An interrupt that ended the editor may be on its way to this program still.
const LATE: Duration = Duration::from_millis(500);

/// What has to be typed.
const CONSENT: &str = "it is true, send it";

pub(super) async fn apply(begun: &Begun, wish: &Apply, events: &Events) -> Result<u8, Failure> {
    let desk = begun.desk();
    let mut facts = desk.facts().await?;
    let at = may_apply(&facts)?;
    if at == Stage::Denied {
        events.emit(Event::MailStage(stage(&facts, Some(&at))));
    }
    if wish.per_day.is_some() {
        facts.memory.per_day = wish.per_day;
    }
    let draft = Draft::of(&facts);
    events.emit(Event::MailChances(chances(&facts, &draft)));
    let website = facts.website.as_ref().map(|site| site.url.clone()).ok_or_else(|| {
        Failure::new(Kind::Input, "an application has to name a website")
            .help("set `mail.website` in galaxy.yaml; Amazon opens it")
    })?;
    if wish.draft {
        let none = Vec::new();
        let letter = Letter { website, text: draft.text, contacts: none };
        events.emit(Event::MailLetter(shown(&letter)));
        events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next: vec![] });
        return Ok(0);
    }
    let edited = match &wish.text {
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            Failure::new(Kind::Input, format!("can't read `{}`", path.display()))
                .cause(error.to_string())
                .help("name another file with --text, or leave it out for the editor")
        })?,
        None => edit(&draft).await?,
    };
    let letter = Letter::parse(&website, &edited, &wish.contact)
        .map_err(|mistake| Failure::new(Kind::Input, mistake).help("nothing was sent"))?;
    events.emit(Event::MailLetter(shown(&letter)));
    if !ask::typed(CONSENT, "Amazon holds you to this text.", "consent can't be given beforehand")
        .await?
    {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(0);
    }
    let send = async {
        if begun.home.world.mail.apply(&letter).await? == Applied::UnderReview {
            let message = "Amazon is still reading an earlier application";
            return Err(Failure::new(Kind::Refused, message)
                .help("wait for its answer; `spaceduck mail --watch` shows it"));
        }
        let mut memory = facts.memory.clone();
        memory.applied = Some(begun.home.world.clock.now());
        desk.remember(&memory).await
    };
    begun.holding("mail apply", send).await?;
    let next = vec![
        "Amazon usually answers within 24 hours; watch the mail of the account's root address."
            .into(),
        "`spaceduck mail --watch` shows the decision.".into(),
    ];
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next });
    Ok(0)
}

/// Whether the account may apply now; else why not.
fn may_apply(facts: &Facts) -> Result<Stage, Failure> {
    let Some(account) = &facts.account else {
        return Err(Failure::new(Kind::Settled, "SES does not answer")
            .help("check the network and the Region, then run the same command again"));
    };
    let at = Stage::of(account);
    if at.may_apply() {
        return Ok(at);
    }
    let page = Page::of(&at);
    let help = page.now.first().copied().unwrap_or("run `spaceduck mail`");
    let message = format!("there is nothing to apply for now: {}", page.title.to_lowercase());
    Err(Failure::new(Kind::Refused, message).help(help))
}

fn chances(facts: &Facts, draft: &Draft) -> told::Chances {
    let score = Score::of(facts);
    let open = score.findings.iter().filter(|one| !one.met);
    told::Chances {
        points: score.points,
        words: score.words().into(),
        open: open.map(|one| format!("{} (item `{}`)", one.reason, one.item)).collect(),
        left_out: draft
            .left_out
            .iter()
            .map(|left| format!("{}: needs {}", left.claim, left.missing))
            .collect(),
    }
}

fn shown(letter: &Letter) -> told::Letter {
    told::Letter {
        website: letter.website.clone(),
        mail_type: "transactional".into(),
        language: "English".into(),
        contacts: letter.contacts.clone(),
        text: letter.text.clone(),
    }
}

/// Opens the draft in the person's editor and reads what comes of it.
async fn edit(draft: &Draft) -> Result<String, Failure> {
    use std::io::IsTerminal as _;
    let wrong = |message: &str, error: &std::io::Error| {
        Failure::new(Kind::Input, message)
            .cause(error.to_string())
            .help("set EDITOR to a program that edits a file, or give the text with --text FILE")
    };
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Kind::Refused, "editing needs a terminal; nothing was sent")
            .help("run it in a terminal, or look at the draft with --draft"));
    }
    let file = tempfile::Builder::new().prefix("application-").suffix(".txt").tempfile();
    let file = file.map_err(|error| wrong("the draft can't be written to a file", &error))?;
    let whole = format!("{EDITOR_HEAD}\n{}\n", draft.text);
    std::fs::write(file.path(), whole)
        .map_err(|error| wrong("the draft can't be written to a file", &error))?;
    let editor = environment::text("VISUAL").or_else(|| environment::text("EDITOR"));
    let editor = editor.unwrap_or_else(|| "vi".into());
    open(&editor, file.path())
        .await
        .map_err(|error| wrong(&format!("the editor `{editor}` did not work"), &error))?;
    std::fs::read_to_string(file.path())
        .map_err(|error| wrong("the edited text can't be read", &error))
}

/// An editor is a command line, as git takes it: `code --wait` is one. Ctrl-C is the editor's while
/// it is open; other signals stop the run.
async fn open(editor: &str, file: &Path) -> std::io::Result<()> {
    let _handed = signals::hand_interrupts_over();
    let mut command = Command::new("sh");
    // Some shells that wait for the editor die of its Ctrl-C. `exec` takes no assignments.
    let has_assignment = editor.split_whitespace().next().is_some_and(|word| word.contains('='));
    let exec = if has_assignment { "" } else { "exec " };
    command.arg("-c").arg(format!("{exec}{editor} \"$1\"")).arg("editor").arg(file);
    let status = tokio::task::spawn_blocking(move || command.status()).await??;
    #[expect(
        clippy::disallowed_methods,
        reason = "a signal arrives late; no test needs to wait for it"
    )]
    tokio::time::sleep(LATE).await;
    if status.success() {
        return Ok(());
    }
    Err(std::io::Error::other(format!("it ended with {status}")))
}
