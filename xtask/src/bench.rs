//! `cargo xtask bench`: numbers of the local galaxy and of the function's start, on this machine.

mod load;
mod pages;
mod peers;
mod publish;
mod start;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use self::load::{Measured, Request, drive};
use crate::{Outcome, cargo, say};

/// The two sizes that are compared.
const SIZES: [usize; 2] = [1_000, 1_000_000];

/// How long each number is measured.
const WHILE: Duration = Duration::from_secs(5);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// The local galaxy, small and large.
    Galaxy,
    /// The function's zip and start.
    Function,
    /// The installer, against other installers.
    Installer,
    /// Publishing, against other programs that do.
    Publish,
}

/// Measures one part, or without one everything, and prints a table.
pub(crate) fn bench(root: &Path, part: Option<Part>) -> Outcome {
    crate::tools::set_up(root)?;
    let wanted = |one| part.is_none_or(|part| part == one);
    if wanted(Part::Function) {
        say(&function(root)?.join("\n"));
    }
    if wanted(Part::Galaxy) {
        say(&galaxy(root)?.join("\n"));
    }
    if wanted(Part::Installer) {
        say(&peers::compare(root)?.join("\n"));
    }
    if wanted(Part::Publish) {
        say(&publish::compare(root)?.join("\n"));
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn function(root: &Path) -> Outcome<Vec<String>> {
    say("building the Lambda function");
    let zip = beak_package::build(root).map_err(|error| error.to_string())?;
    let mut rows = vec![size(&zip)?];
    rows.extend(start::compare(root)?);
    Ok(rows)
}

fn galaxy(root: &Path) -> Outcome<Vec<String>> {
    cargo(root, &["build", "--release", "--locked", "-p", "beak-local", "--features", "fill"])?;
    let mut rows = pages::make(root)?;
    let mut before: Vec<Measured> = Vec::new();
    for size in SIZES {
        let measured = of_size(root, size, &mut rows)?;
        for (now, before) in measured.iter().zip(&before) {
            let share = before.per_second / now.per_second;
            rows.push(format!("{}: {share:.2} times slower than with 1,000", now.name));
        }
        before = measured;
    }
    Ok(rows)
}

fn size(zip: &Path) -> Outcome<String> {
    let size = std::fs::metadata(zip).map_err(|error| error.to_string())?.len();
    Ok(format!("function's zip: {size} bytes"))
}

struct Galaxy {
    child: Child,
    port: u16,
}

impl Galaxy {
    fn start(program: &Path, data: &Path) -> Outcome<Self> {
        let mut command = Command::new(program);
        command.arg("--data").arg(data).args(["--port", "0", "--no-limits"]);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{}` does not start: {error}", program.display()))?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let port = BufReader::new(stdout).lines().map_while(Result::ok).find_map(|line| {
            let address = line.trim().strip_prefix("API")?.trim().strip_suffix("/beak")?.to_owned();
            address.rsplit(':').next()?.parse().ok()
        });
        Ok(Self { child, port: port.ok_or("the galaxy does not say where it is")? })
    }

    /// Resident memory in MiB, as Linux reports it.
    fn memory(&self) -> Option<u64> {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
    }
}

impl Drop for Galaxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A duckling of the filled galaxy.
struct Duck {
    key: String,
    id: String,
    peck: String,
}

fn fill(program: &Path, data: &Path, size: usize) -> Outcome<Vec<Duck>> {
    let output = Command::new(program).arg(data).arg(size.to_string()).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let duck = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        Some(Duck { key: words.next()?, id: words.next()?, peck: words.next()? })
    };
    let ducks: Vec<_> = text.lines().filter_map(duck).collect();
    if ducks.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(ducks)
}

fn of_size(root: &Path, size: usize, rows: &mut Vec<String>) -> Outcome<Vec<Measured>> {
    let programs = root.join("target/release");
    let folder = tempfile::TempDir::new_in(root.join("target")).map_err(|e| e.to_string())?;
    let data: PathBuf = folder.path().join("galaxy");
    let since = Instant::now();
    let ducks = fill(&programs.join("beak-fill"), &data, size)?;
    let took = since.elapsed().as_secs_f64();
    rows.push(format!("--- {size} ducklings (made in {took:.0} s)"));
    let since = Instant::now();
    let galaxy = Galaxy::start(&programs.join("beak-local"), &data)?;
    rows.push(format!("ready after {} ms", since.elapsed().as_millis()));
    let base = format!("http://127.0.0.1:{}/beak", galaxy.port);
    let metrics = |_: usize| Request::get(format!("{base}/metrics"), None);
    let one = |n: usize| {
        let duck = &ducks[n % ducks.len()];
        Request::get(format!("{base}/pecks/{}", duck.peck), Some(duck.key.clone()))
    };
    let measured = vec![
        drive("GET /beak/metrics", WHILE, metrics)?,
        drive("GET /beak/pecks/{id}", WHILE, one)?,
    ];
    rows.extend(measured.iter().map(Measured::row));
    let pairs =
        load::pairs(WHILE, &base, &ducks.iter().map(|d| (&*d.key, &*d.id)).collect::<Vec<_>>())?;
    rows.push(format!("peck + approve: {pairs:.0} pairs a second, each commit on disk"));
    if let Some(mebibytes) = galaxy.memory() {
        rows.push(format!("memory: {mebibytes} MiB"));
    }
    Ok(measured)
}
