//! Events → a terminal with bars, plain lines, or JSON Lines.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::escape::{one_line, visible};
use crate::event::{Cost, Event, Health, Left, Outcome, PlannedStep, Sink, StepState, Times};

mod answer;
mod check;
mod galaxy;
pub(crate) mod mail;
mod plain;
mod release;
mod units;
pub(crate) mod verify;

use plain::Channel;
pub use plain::{JsonLines, Quiet, Silent};
use units::{dollars, seconds};

/// Text for people; on a terminal with bars, and wrapped between words.
pub struct Human<W: Write + Send, A: Write + Send> {
    state: Mutex<State<W, A>>,
}

struct State<W, A> {
    out: Channel<W>,
    /// What a command was run for, where the next program reads it.
    answers: Channel<A>,
    terminal: Option<Terminal>,
    running: BTreeMap<String, Running>,
    resources: BTreeMap<String, usize>,
}

struct Terminal {
    bars: MultiProgress,
    width: usize,
}

struct Running {
    bar: Option<ProgressBar>,
    /// Resources that are done.
    done: usize,
    /// Resources that are being worked on, the latest last.
    open: Vec<String>,
}

impl<W: Write + Send, A: Write + Send> Human<W, A> {
    /// Writes `answers`, and everything else to `out`. With the `width` of the terminal it also
    /// draws on that terminal's stderr.
    pub fn new(out: W, answers: A, width: Option<usize>) -> Self {
        let bars = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let terminal = width.map(|width| Terminal { bars: bars(), width });
        let (out, answers) = (Channel::new(out), Channel::new(answers));
        let (running, resources) = (BTreeMap::new(), BTreeMap::new());
        let state = State { out, answers, terminal, running, resources };
        Self { state: Mutex::new(state) }
    }
}

impl<W: Write + Send, A: Write + Send> Sink for Human<W, A> {
    fn health(&self) -> Health {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (&state.answers.health, &state.out.health) {
            (Health::Fine, Health::Broken(_)) => state.out.health.clone(),
            (answers, _) => answers.clone(),
        }
    }

    fn emit(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let width = state.terminal.as_ref().map(|to| to.width);
        match event {
            Event::Started { command, galaxy, account, region, release, .. } => {
                let place = if account.is_empty() { "" } else { " in account " };
                state.line(&format!(
                    "spaceduck {release}: {command} {galaxy}{place}{account}, {region}"
                ));
            }
            Event::Planned { steps, times, monthly } => {
                state.planned(&steps);
                state.estimated(times, &monthly);
            }
            Event::Change { step, resource, kind, action, why, refused } => {
                let refused = if refused { ", refused" } else { "" };
                let why =
                    if why.is_empty() { String::new() } else { format!(": {}", why.join(", ")) };
                state.line(&one_line(&format!(
                    "  {step}: {action} {resource} ({kind}){why}{refused}"
                )));
            }
            Event::Step { step, state: now, millis, detail } => {
                state.step(&step, now, millis, detail);
            }
            Event::Resource { step, resource, kind, status, .. } => {
                state.resource(&step, &resource, &kind, &status);
            }
            Event::Written { path } => state.line(&format!("written: {}", one_line(&path))),
            Event::Account { email, password } => {
                state.answers.answer(&format!("address   {email}\npassword  {password}"));
                state.line("This is the only time the password is shown.");
            }
            Event::Receipt { left, monthly_cents } => {
                state.clear();
                state.receipt(&left, monthly_cents);
            }
            // People read it with the failure.
            Event::Mistake { .. } => {}
            Event::Note { text } => state.line(&text),
            Event::Finished { outcome, urls, next } => {
                state.clear();
                state.finished(outcome, &urls, &next);
            }
            Event::Failed { .. } => state.clear(),
            answered => state.answers.answer(&answer::text(&answered, width)),
        }
    }
}

impl<W: Write, A: Write> State<W, A> {
    /// Prints a line; what doesn't fit goes below its first word's column.
    fn line(&mut self, text: &str) {
        let text = &*visible(text);
        let wrapped = self.terminal.as_ref().map(|terminal| wrap(text, terminal.width));
        let text = wrapped.as_deref().unwrap_or(text);
        let out = &mut self.out;
        let mut print = || out.line(text);
        match &self.terminal {
            Some(terminal) => terminal.bars.suspend(print),
            None => print(),
        }
    }

    fn planned(&mut self, steps: &[PlannedStep]) {
        for step in steps {
            if let Some(resources) = step.resources {
                self.resources.insert(step.step.clone(), resources);
            }
        }
        self.line("");
        let mut told: Vec<&str> = vec!["keep", "check"];
        for PlannedStep { action, .. } in steps {
            if told.contains(&action.as_str()) {
                continue;
            }
            told.push(action);
            let of_it = steps.iter().filter(|step| step.action == *action);
            let names: Vec<&str> = of_it.map(|step| step.step.as_str()).collect();
            self.line(&format!("  {action}: {}", names.join(", ")));
        }
    }

    fn estimated(&mut self, times: Option<Times>, monthly: &[Cost]) {
        if let Some(Times { usable, all, one_stack, one_by_one }) = times {
            let [usable, all, whole, serial] =
                [usable, all, one_stack, one_by_one].map(|s| seconds(Duration::from_secs(s)));
            let until = if usable == all {
                format!("about {all}")
            } else {
                format!("about {usable} until the API answers, {all} until all is done everywhere")
            };
            self.line(&format!("  time: {until}"));
            self.line(&format!("  as one stack {whole}, one after the other {serial}"));
            let sum = |of: fn(&Cost) -> u32| dollars(monthly.iter().map(of).sum());
            if !monthly.is_empty() {
                let (idle, small) = (sum(|cost| cost.idle_cents), sum(|cost| cost.small_cents));
                self.line(&format!(
                    "  cost: about {idle} a month when idle, {small} with 1,000 people"
                ));
            }
        }
        self.line("");
    }

    fn step(&mut self, step: &str, now: StepState, millis: Option<u64>, detail: Option<String>) {
        match now {
            StepState::Running => self.running(step, detail),
            StepState::Unchanged if !self.running.contains_key(step) => {}
            StepState::Done | StepState::Unchanged => {
                let took = self.take(step, millis);
                let what = if now == StepState::Done { "done" } else { "as it was" };
                self.line(&format!("  ✓ {step:<26} {what}{took}"));
            }
            StepState::Failed => {
                let took = self.take(step, millis);
                self.line(&format!("  ✗ {step:<26} failed{took}"));
            }
        }
    }

    fn running(&mut self, step: &str, detail: Option<String>) {
        if let Some(running) = self.running.get(step) {
            if let (Some(bar), Some(detail)) = (&running.bar, detail) {
                bar.set_message(one_line(&detail).into_owned());
            }
            return;
        }
        let total = self.resources.get(step).copied();
        let bar = self.terminal.as_ref().map(|to| new_bar(&to.bars, step, total));
        if bar.is_none() {
            self.line(&format!("  … {step}"));
        }
        let running = Running { bar, done: 0, open: Vec::new() };
        self.running.insert(step.to_owned(), running);
    }

    fn resource(&mut self, step: &str, resource: &str, kind: &str, status: &str) {
        // The stack's own events are not a resource's.
        let Some(running) = self.running.get_mut(step) else { return };
        if kind == "AWS::CloudFormation::Stack" {
            return;
        }
        running.open.retain(|open| open != resource);
        if status.ends_with("_IN_PROGRESS") {
            running.open.push(resource.to_owned());
        } else {
            running.done += 1;
        }
        if let Some(bar) = &running.bar {
            bar.set_position(running.done as u64);
            let waiting = running.open.last();
            let waiting = waiting.map(|name| format!("waiting for {}", one_line(name)));
            bar.set_message(waiting.unwrap_or_default());
        }
        if status.ends_with("_FAILED") {
            self.line(&one_line(&format!("  ! {step}: {resource} ({kind}) {status}")));
        }
    }

    fn take(&mut self, step: &str, millis: Option<u64>) -> String {
        if let Some(bar) = self.running.remove(step).and_then(|running| running.bar) {
            bar.finish_and_clear();
        }
        millis.map_or_else(String::new, |ms| format!(" in {}", seconds(Duration::from_millis(ms))))
    }

    fn clear(&mut self) {
        for (_, running) in std::mem::take(&mut self.running) {
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
    }

    fn receipt(&mut self, left: &[Left], monthly_cents: u32) {
        let cost = dollars(monthly_cents);
        self.line("");
        if left.is_empty() {
            self.line(&format!("Left in the account: nothing, {cost} a month."));
            return;
        }
        self.line(&format!("Left in the account, {cost} a month:"));
        for Left { item, why, monthly_cents } in left {
            let text = format!("  {item}: {why}, {} a month", dollars(*monthly_cents));
            self.line(&one_line(&text));
        }
    }

    fn finished(&mut self, outcome: Outcome, urls: &[crate::event::Url], next: &[String]) {
        let text = match outcome {
            Outcome::Done => "Done.",
            Outcome::Unchanged => "Nothing to do: everything is up to date.",
            Outcome::Declined => "Nothing was changed.",
            Outcome::Told => "",
            Outcome::Drifted => "Some things differ from the installed release.",
            Outcome::Ready => "Ready to install: no problems found.",
            Outcome::Blocked => "Installation would fail: fix the problems above.",
            Outcome::Planned => "Nothing was changed; run `spaceduck install` to apply it.",
        };
        if !text.is_empty() {
            self.line("");
            self.line(text);
        }
        if !urls.is_empty() {
            self.line("");
            for url in urls {
                self.line(&format!("  {:<17} {}", url.name, url.url));
            }
        }
        if !next.is_empty() {
            self.line("");
            self.line("Next:");
            for (at, sentence) in next.iter().enumerate() {
                self.line(&format!("  {}. {sentence}", at + 1));
            }
        }
    }
}

fn wrap(text: &str, width: usize) -> String {
    let body = text.trim_start_matches(|c: char| c == ' ' || c == '.' || c.is_ascii_digit());
    let rest = match text.len() - body.len() {
        0 => "",
        1..=4 => "    ",
        _ => "     ",
    };
    hang(text, "", rest, width)
}

/// Words that go on below their first one.
pub(crate) fn hang(text: &str, first: &str, rest: &str, width: usize) -> String {
    // Names and addresses stay whole: they are there to be copied.
    let options = textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

fn new_bar(bars: &MultiProgress, step: &str, total: Option<usize>) -> ProgressBar {
    // Added before anything is set: a bar on its own would draw itself at once, and stay.
    let bar = bars.add(match total {
        Some(total) => ProgressBar::new(total as u64),
        None => ProgressBar::new_spinner(),
    });
    let template = match total {
        Some(_) => "  {spinner} {prefix:<26} {bar:16} {pos}/{len} {elapsed} {wide_msg}",
        None => "  {spinner} {prefix:<26} {elapsed} {wide_msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(step.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A moment as a log writes it, to the millisecond, in UTC.
fn moment(millis: u64) -> String {
    let nanos = i128::from(millis) * 1_000_000;
    let moment = time::OffsetDateTime::from_unix_timestamp_nanos(nanos);
    let text = moment
        .ok()
        .and_then(|moment| moment.format(&time::format_description::well_known::Rfc3339).ok());
    text.unwrap_or_else(|| millis.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_goes_on_below_its_first_word() {
        assert_eq!(
            wrap("  create: stack data, stack auth", 21),
            "  create: stack data,\n    stack auth"
        );
        assert_eq!(wrap("  1. One and two", 12), "  1. One and\n     two");
        assert_eq!(wrap("short", 5), "short");
        assert_eq!(wrap("not cut-at-hyphens", 12), "not\ncut-at-hyphens");
    }
}
