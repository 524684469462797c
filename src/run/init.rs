//! `spaceduck init`, and what is made of the program itself: schema, completions, man pages.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, Init, Shared};
use crate::event::{Event, Events, Outcome};
use crate::failure::{Failure, Kind};
use crate::init::{self, SCHEMA_FILE, Setting};

pub(super) async fn init(shared: &Shared, wish: &Init, events: &Events) -> Result<(), Failure> {
    let path = shared.config.clone().unwrap_or_else(|| "galaxy.yaml".into());
    if path.exists() && !wish.force {
        let message = format!("`{}` is there already; nothing was written", path.display());
        return Err(Failure::new(Kind::Refused, message)
            .help("write over it with --force, or name another file with --config"));
    }
    let mut answers = given(shared, wish)?;
    let asks = std::io::stdin().is_terminal() && !shared.json && !shared.yes && !shared.quiet;
    if asks {
        for setting in init::SETTINGS {
            if let Some(question) = setting.question
                && !answers.contains_key(setting.key)
                && let Some(answer) = ask(setting, question, events).await?
            {
                answers.insert(setting.key, answer);
            }
        }
    }
    let schema = path.with_file_name(SCHEMA_FILE);
    write_schema(&schema, wish.force)?;
    write_new(&path, &init::compose(&answers), wish.force)?;
    events.emit(Event::Written { path: path.display().to_string() });
    events.emit(Event::Written { path: schema.display().to_string() });
    let next = vec![
        "Secrets are not in the file. Turnstile's comes from SPACEDUCK_TURNSTILE_SECRET, or from a \
         file that only you can read: `secret: {file: PATH}` below `turnstile`."
            .into(),
        "`spaceduck doctor` looks whether anything would stop an installation.".into(),
        "`spaceduck plan` shows what would be made, `spaceduck install` makes it.".into(),
    ];
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next });
    Ok(())
}

/// What the flags say.
fn given(shared: &Shared, wish: &Init) -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut answers = BTreeMap::new();
    let pairs = wish.set.iter().map(|pair| pair.split_once('=').ok_or(pair));
    let flags = [("name", &wish.name), ("region", &shared.region)];
    let flags = flags.into_iter().filter_map(|(key, value)| Some(Ok((key, value.as_deref()?))));
    for pair in flags.chain(pairs) {
        let (key, value) = pair.map_err(|pair| {
            Failure::new(Kind::Usage, format!("`{pair}` is not a setting with its value"))
                .help("write it as KEY=VALUE, such as --set api.memory_mb=512")
        })?;
        let setting = init::setting(key)?;
        init::check(setting, value).map_err(|message| Failure::new(Kind::Usage, message))?;
        answers.insert(setting.key, value.to_owned());
    }
    // Values that will do one by one may not go together.
    init::whole(&answers).map_err(|message| Failure::new(Kind::Usage, message))?;
    Ok(answers)
}

/// Asks until the answer will do; nothing for the default.
async fn ask(
    setting: &'static Setting,
    question: &str,
    events: &Events,
) -> Result<Option<String>, Failure> {
    let default = setting.default.unwrap_or("none");
    let question = format!("{question} [{default}]: ");
    loop {
        // Apart, so that Ctrl-C is heard meanwhile.
        let text = question.clone();
        let answer = tokio::task::spawn_blocking(move || read(&text)).await;
        let answer = answer.map_err(|error| Failure::bug(error.to_string()))??;
        if answer.is_empty() {
            return Ok(None);
        }
        match init::check(setting, &answer) {
            Ok(()) => return Ok(Some(answer)),
            Err(message) => {
                events.emit(Event::Note { text: message });
            }
        }
    }
}

fn read(question: &str) -> Result<String, Failure> {
    let mut err = anstream::stderr();
    let _ = write!(err, "{question}").and_then(|()| err.flush());
    let mut answer = String::new();
    let ended = |cause: String| {
        Failure::new(Kind::Refused, "the answers ended; nothing was written")
            .cause(cause)
            .help("answer beforehand with --name, --region and --set, or take defaults with --yes")
    };
    match std::io::stdin().read_line(&mut answer) {
        Ok(0) => Err(ended("end of input".into())),
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(error) => Err(ended(error.to_string())),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Input, format!("can't write `{}`", path.display()))
        .cause(error.to_string())
        .help("name another file with --config, or make room")
}

/// Writes a file; one that came in the meantime is kept, too.
fn write_new(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    let opened = if force { options.create(true).truncate(true) } else { options.create_new(true) };
    let written = opened.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| unwritable(path, &error))
}

/// The schema is ours to renew; somebody else's file of that name is not.
fn write_schema(path: &Path, force: bool) -> Result<(), Failure> {
    let there = std::fs::read_to_string(path).unwrap_or_default();
    if path.exists() && !force && !there.contains(init::SCHEMA_ID) {
        let message = format!("`{}` is there and is not the schema", path.display());
        return Err(
            Failure::new(Kind::Refused, message).help("rename it, or write over it with --force")
        );
    }
    std::fs::write(path, init::schema_text()).map_err(|error| unwritable(path, &error))
}

fn tell(events: &Events, text: String) {
    events.emit(Event::Text { text });
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next: vec![] });
}

pub(super) fn schema(events: &Events) {
    tell(events, init::schema_text().trim_end().to_owned());
}

pub(super) fn completions(shell: Shell, events: &Events) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "spaceduck", &mut script);
    tell(events, String::from_utf8_lossy(&script).trim_end().to_owned());
}

pub(super) fn man(out: &PathBuf, events: &Events) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(Kind::Input, format!("can't write to `{}`", out.display()))
            .cause(error.to_string())
            .help("name another folder with --out, or make room")
    };
    std::fs::create_dir_all(out).map_err(|error| failed(&error))?;
    clap_mangen::generate_to(Cli::command(), out).map_err(|error| failed(&error))?;
    events.emit(Event::Written { path: out.display().to_string() });
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next: vec![] });
    Ok(())
}
