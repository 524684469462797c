//! `spaceduck init`, and what is made of the program itself: schema, completions, man pages.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;

use clap_complete::Shell;

use super::region;
use crate::cli::{self, Init, Shared};
use crate::event::{Event, Events, Outcome};
use crate::failure::{Failure, Kind};
use crate::files::{self, Access, Target};
use crate::init::{self, SCHEMA_FILE, Setting};
use crate::model::Region;
use crate::prompt;

pub(super) async fn init(shared: &Shared, wish: &Init, events: &Events) -> Result<(), Failure> {
    let path = shared.config.clone().unwrap_or_else(|| "galaxy.yaml".into());
    if std::fs::symlink_metadata(&path).is_ok() && !shared.force {
        let message = format!("`{}` exists already; nothing was written", path.display());
        return Err(Failure::new(Kind::Refused, message)
            .help("overwrite it with --force, or choose another file with --config"));
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
    if let Some(Ok(region)) = answers.get("region").map(|region| Region::parse(region)) {
        region::check(&region, events)?;
    }
    let schema = path.with_file_name(SCHEMA_FILE);
    let (schema, file) = (schema_file(shared, &schema)?, super::target(shared, &path)?);
    schema.write(init::schema_text().as_bytes(), Access::Shared)?;
    file.write(init::compose(&answers).as_bytes(), Access::Shared)?;
    super::tell_written(events, &file);
    super::tell_written(events, &schema);
    let next = vec![
        "Secrets are not in the file. Turnstile's comes from SPACEDUCK_TURNSTILE_SECRET, or from a \
         file that only you can read: `secret: {file: PATH}` below `turnstile`."
            .into(),
        "`spaceduck doctor` checks what an install needs.".into(),
        "`spaceduck plan` shows the changes, `spaceduck install` makes them.".into(),
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
        init::check(setting, value).map_err(unfit)?;
        answers.insert(setting.key, value.to_owned());
    }
    // Values that will do one by one may not go together.
    init::whole(&answers).map_err(unfit)?;
    Ok(answers)
}

fn unfit(message: String) -> Failure {
    Failure::new(Kind::Usage, message)
        .help("`spaceduck schema` lists all settings with their values")
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
        let answer = read(&question).await?;
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

async fn read(question: &str) -> Result<String, Failure> {
    let unread = Failure::new(
        Kind::Refused,
        "input ended before all questions were answered; nothing was written",
    )
    .help("pass --name, --region and --set, or accept the defaults with --yes");
    let answer = prompt::line(question, unread.clone()).await?;
    if answer.is_empty() {
        return Err(unread.cause("end of input"));
    }
    Ok(answer.trim().to_owned())
}

/// The schema is ours to renew; another file of that name is not.
fn schema_file(shared: &Shared, path: &Path) -> Result<Target, Failure> {
    let mut target = super::target(shared, path)?;
    let ours = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
        && std::fs::read_to_string(path).is_ok_and(|there| there.contains(init::SCHEMA_ID));
    if path.exists() && !shared.force && !ours {
        let message = format!("`{}` exists and is not the schema", path.display());
        return Err(
            Failure::new(Kind::Refused, message).help("rename it, or overwrite it with --force")
        );
    }
    target.force |= ours;
    Ok(target)
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
    clap_complete::generate(shell, &mut cli::command(), "spaceduck", &mut script);
    tell(events, String::from_utf8_lossy(&script).trim_end().to_owned());
}

pub(super) fn man(shared: &Shared, out: &Path, events: &Events) -> Result<(), Failure> {
    let pages = man_pages().map_err(|error| Failure::bug(error.to_string()))?;
    let folder = super::target(shared, out)?;
    files::write_folder(&folder, &pages)?;
    super::tell_written(events, &folder);
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next: vec![] });
    Ok(())
}

/// A page for each command, by its file's name.
fn man_pages() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let folder = tempfile::tempdir()?;
    clap_mangen::generate_to(cli::command(), folder.path())?;
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder.path())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        pages.push((name, std::fs::read(entry.path())?));
    }
    pages.sort();
    Ok(pages)
}
