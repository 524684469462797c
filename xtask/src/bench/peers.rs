//! A galaxy that is installed, and nothing to do: how long it takes us to find that out, and how
//! long it takes the programs that people would otherwise use, on the same stacks of the same
//! emulated AWS in one run.
//!
//! The peers come from their registries into `target/bench`; Terraform, which none of them has, is
//! measured where it is on the PATH, with its provider's folder in `TF_PLUGIN_DIR`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_cloud::Cloud;

use super::median;
use crate::{Outcome, cargo, run, say};

/// How often each is run; the median counts.
const RUNS: usize = 3;

const AWS_CLI: &str = "awscli==1.46.3";
const SAM: &str = "aws-sam-cli==1.170.0";
/// The tag `latest` names another program of the same name.
const CDK: &str = "aws-cdk@2.1148.1";

/// A stack as the account has it.
struct Stack {
    name: String,
    region: &'static str,
    template: PathBuf,
    parameters: Vec<String>,
}

/// Rows of the comparison.
pub(crate) fn compare(root: &Path) -> Outcome<Vec<String>> {
    cargo(root, &["build", "--release", "--locked", "-p", "spaceduck"])?;
    let tools = fetch(root)?;
    let folder = tempfile::TempDir::new_in(root.join("target")).map_err(|e| e.to_string())?;
    let here = folder.path();
    // The emulator knows no log deliveries.
    write(&here.join("galaxy.yaml"), "logs:\n  site_access: false\n")?;
    let cloud = Cloud::start();
    // As a release has it: with the function's zip beside it there is nothing to build.
    let program = here.join("spaceduck");
    let zip = beak_package::build(root).map_err(|error| error.to_string())?;
    let copy = |from: &Path, to: &Path| std::fs::copy(from, to).map_err(|e| e.to_string());
    copy(&zip, &here.join(beak_package::FILE_NAME))?;
    copy(&root.join("target/release/spaceduck"), &program)?;
    let ours = |arguments: &[&str]| {
        let mut command = with(&cloud, here, &program);
        command.args(arguments).args(["--yes", "--json"]);
        command.env("SPACEDUCK_CONNECT_TO", cloud.address());
        command
    };
    measure(ours(&["install"]))?;
    let mut rows = Vec::new();
    let (plan, _) = repeat(|| Ok(vec![ours(&["plan"])]))?;
    let (install, memory) = repeat(|| Ok(vec![ours(&["install"])]))?;
    rows.push(row("spaceduck plan", plan, plan));
    rows.push(format!("{}; {memory} MiB at most", row("spaceduck install", install, install)));
    rows.push(rehearsed(ours(&["install", "--rehearse"]))?);
    let stacks = stacks(&cloud, here, &tools)?;
    let slower = plan.max(install);
    let aws = || Ok(stacks.iter().map(|stack| aws_deploy(&cloud, here, &tools, stack)).collect());
    rows.push(row("aws cloudformation deploy", repeat(aws)?.0, slower));
    let sam = || Ok(stacks.iter().map(|stack| sam_deploy(&cloud, here, &tools, stack)).collect());
    rows.push(row("sam deploy", repeat(sam)?.0, slower));
    let assembly = cdk_assembly(root, here, &stacks)?;
    let cdk = || Ok(vec![cdk_deploy(&cloud, here, &tools, &assembly)]);
    rows.push(row("cdk deploy", repeat(cdk)?.0, slower));
    rows.push(terraform(&cloud, here, &stacks, slower)?);
    Ok(rows)
}

/// A rehearsed installation, in which a minute passes in a second, beside what it was to take.
fn rehearsed(mut install: Command) -> Outcome<String> {
    let since = Instant::now();
    let output = install.output().map_err(|error| error.to_string())?;
    let took = since.elapsed().as_secs_f64() * 60.0;
    let said = String::from_utf8_lossy(&output.stdout);
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let planned = lines.filter(|line| line["type"] == "planned").find_map(|line| {
        let seconds = |name: &str| line["times"][name].as_f64();
        Some((seconds("all")?, seconds("one_stack")?, seconds("one_by_one")?))
    });
    let (all, one_stack, one_by_one) =
        planned.filter(|_| output.status.success()).ok_or_else(|| said.clone().into_owned())?;
    let more = (took / all - 1.0) * 100.0;
    Ok(format!(
        "rehearsed install: {took:.0} s, {more:+.1} % of its longest chain, {all:.0} s; as one \
         stack {one_stack:.0} s, one after the other {one_by_one:.0} s"
    ))
}

fn row(name: &str, took: Duration, ours: Duration) -> String {
    let times = took.as_secs_f64() / ours.as_secs_f64();
    format!("{name}, nothing to do: {:.2} s, {times:.1} times ours", took.as_secs_f64())
}

/// Where the peers are.
struct Tools {
    venv: PathBuf,
    node: PathBuf,
}

fn fetch(root: &Path) -> Outcome<Tools> {
    let folder = root.join("target/bench");
    let tools = Tools { venv: folder.join("venv"), node: folder.join("node") };
    if !tools.venv.join("bin/sam").exists() {
        say("fetching the programs to compare with into target/bench");
        run(Command::new("python3").args(["-m", "venv"]).arg(&tools.venv))?;
        let mut pip = Command::new(tools.venv.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check", AWS_CLI, SAM]))?;
    }
    if !tools.node.join("node_modules/.bin/cdk").exists() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&tools.node);
        run(npm.arg(CDK))?;
    }
    Ok(tools)
}

pub(super) fn with(cloud: &Cloud, here: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(here).envs(cloud.environment());
    command.env("AWS_DEFAULT_REGION", "eu-central-1");
    // No telemetry from a benchmark.
    command.envs([("SAM_CLI_TELEMETRY", "0"), ("CDK_DISABLE_CLI_TELEMETRY", "true")]);
    command
}

/// The median of the whole, and the most memory that any of it took, in MiB.
fn repeat(commands: impl Fn() -> Outcome<Vec<Command>>) -> Outcome<(Duration, u64)> {
    let (mut times, mut most) = (Vec::new(), 0);
    for _ in 0..RUNS {
        let since = Instant::now();
        for command in commands()? {
            most = most.max(measure(command)?);
        }
        times.push(since.elapsed());
    }
    Ok((median(times), most))
}

/// Runs a program to its end; returns its peak memory in MiB, as Linux reports it.
pub(super) fn measure(mut command: Command) -> Outcome<u64> {
    let name = command.get_program().display().to_string();
    let log = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let clone = || log.reopen().map_err(|error| error.to_string());
    command.stdin(Stdio::null()).stdout(clone()?).stderr(clone()?);
    let mut child = command.spawn().map_err(|error| format!("`{name}`: {error}"))?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let status = loop {
        let status = std::fs::read_to_string(&status_file).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(kib.unwrap_or_default() / 1024);
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        #[expect(clippy::disallowed_methods, reason = "it samples memory")]
        std::thread::sleep(Duration::from_millis(2));
    };
    if status.success() {
        return Ok(most);
    }
    let said = std::fs::read_to_string(log.path()).unwrap_or_default();
    Err(format!("`{name}` ended with {status}: {said}"))
}

fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// The stacks as the account has them, written down for the peers.
fn stacks(cloud: &Cloud, here: &Path, tools: &Tools) -> Outcome<Vec<Stack>> {
    let ask = |region: &str, arguments: &[&str]| -> Outcome<Value> {
        let mut aws = with(cloud, here, &tools.venv.join("bin/aws"));
        aws.args(["--region", region, "--output", "json", "cloudformation"]).args(arguments);
        let output = aws.output().map_err(|error| error.to_string())?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mut found = Vec::new();
    for region in ["eu-central-1", "us-east-1"] {
        let described = ask(region, &["describe-stacks"])?;
        for stack in described["Stacks"].as_array().into_iter().flatten() {
            let name = stack["StackName"].as_str().unwrap_or_default().to_owned();
            let body = ask(region, &["get-template", "--stack-name", &name])?;
            let template = here.join(format!("{name}.yaml"));
            let text = body["TemplateBody"].as_str().map(str::to_owned);
            write(&template, &text.unwrap_or_else(|| body["TemplateBody"].to_string()))?;
            let of = |parameter: &Value| {
                let text = |field: &str| parameter[field].as_str().unwrap_or_default().to_owned();
                format!("{}={}", text("ParameterKey"), text("ParameterValue"))
            };
            let parameters = stack["Parameters"].as_array().into_iter().flatten().map(of).collect();
            found.push(Stack { name, region, template, parameters });
        }
    }
    if found.len() < 10 {
        return Err(format!("only {} stacks to compare with", found.len()));
    }
    Ok(found)
}

fn deploy(mut command: Command, stack: &Stack) -> Command {
    command.arg("--stack-name").arg(&stack.name).args(["--region", stack.region]);
    command.args(["--capabilities", "CAPABILITY_NAMED_IAM", "--no-fail-on-empty-changeset"]);
    // SAM takes no empty value; every empty one here is the default, too.
    let told = stack.parameters.iter().filter(|pair| !pair.ends_with('='));
    let told: Vec<&String> = told.collect();
    if !told.is_empty() {
        command.arg("--parameter-overrides").args(told);
    }
    command
}

fn aws_deploy(cloud: &Cloud, here: &Path, tools: &Tools, stack: &Stack) -> Command {
    let mut aws = with(cloud, here, &tools.venv.join("bin/aws"));
    aws.args(["cloudformation", "deploy", "--template-file"]).arg(&stack.template);
    deploy(aws, stack)
}

fn sam_deploy(cloud: &Cloud, here: &Path, tools: &Tools, stack: &Stack) -> Command {
    let mut sam = with(cloud, here, &tools.venv.join("bin/sam"));
    sam.args(["deploy", "--no-confirm-changeset", "--template-file"]).arg(&stack.template);
    deploy(sam, stack)
}

/// What `cdk synth` would have made, without a program of theirs to write.
fn cdk_assembly(root: &Path, here: &Path, stacks: &[Stack]) -> Outcome<PathBuf> {
    let folder = here.join("cdk.out");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut artifacts = serde_json::Map::new();
    for stack in stacks {
        let file = format!("{}.template.json", stack.name);
        write(&folder.join(&file), &as_json(root, &stack.template)?)?;
        let pair = |text: &String| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            (key.to_owned(), Value::from(value))
        };
        let parameters: serde_json::Map<_, _> = stack.parameters.iter().map(pair).collect();
        let artifact = json!({
            "type": "aws:cloudformation:stack",
            "environment": format!("aws://{}/{}", test_cloud::ACCOUNT, stack.region),
            "properties": {"templateFile": file, "parameters": parameters, "stackName": stack.name},
        });
        artifacts.insert(stack.name.clone(), artifact);
    }
    let manifest = json!({"version": "36.0.0", "artifacts": artifacts}).to_string();
    write(&folder.join("manifest.json"), &manifest)?;
    Ok(folder)
}

/// A template without the short forms of YAML, which is the only one that CDK reads.
fn as_json(root: &Path, template: &Path) -> Outcome<String> {
    let script = "import json, sys; from cfnlint.decode import cfn_yaml; \
                  print(json.dumps(cfn_yaml.load(sys.argv[1])))";
    let mut python = Command::new(root.join(".venv/bin/python"));
    let output = python.args(["-c", script]).arg(template).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = if output.status.success() { output.stdout } else { output.stderr };
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

fn cdk_deploy(cloud: &Cloud, here: &Path, tools: &Tools, assembly: &Path) -> Command {
    let mut cdk = with(cloud, here, &tools.node.join("node_modules/.bin/cdk"));
    cdk.args(["deploy", "--all", "--require-approval", "never", "--no-version-reporting", "--app"]);
    cdk.arg(assembly);
    cdk
}

/// The same stacks as resources of Terraform, imported by applying them once.
#[expect(clippy::disallowed_methods, reason = "a chore of developers")]
fn terraform(cloud: &Cloud, here: &Path, stacks: &[Stack], ours: Duration) -> Outcome<String> {
    let plugins = std::env::var_os("TF_PLUGIN_DIR");
    let there = Command::new("terraform").arg("version").output().is_ok();
    let Some(plugins) = plugins.filter(|_| there) else {
        return Ok("terraform plan: not measured, it is not here".into());
    };
    let folder = here.join("terraform");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    write(&folder.join("main.tf"), &configuration(cloud, stacks))?;
    let terraform = |arguments: &[&str]| {
        let mut command = with(cloud, &folder, Path::new("terraform"));
        command.env("TF_CLI_CONFIG_FILE", "").args(arguments);
        command
    };
    let mut init = terraform(&["init", "-no-color"]);
    init.arg(format!("-plugin-dir={}", plugins.display()));
    measure(init)?;
    for stack in stacks {
        let address = format!("aws_cloudformation_stack.{}", stack.name);
        measure(terraform(&["import", "-no-color", &address, &stack.name]))?;
    }
    let (took, _) = repeat(|| Ok(vec![terraform(&["plan", "-no-color", "-input=false"])]))?;
    Ok(row("terraform plan", took, ours))
}

fn configuration(cloud: &Cloud, stacks: &[Stack]) -> String {
    let endpoint = cloud.url();
    let provider = |alias: &str, region: &str| {
        format!(
            "provider \"aws\" {{\n{alias}  region = \"{region}\"\n  skip_credentials_validation = \
             true\n  skip_requesting_account_id = true\n  endpoints {{\n    cloudformation = \
             \"{endpoint}\"\n    sts = \"{endpoint}\"\n  }}\n}}\n"
        )
    };
    let mut text = provider("", "eu-central-1");
    text.push_str(&provider("  alias = \"edge\"\n", "us-east-1"));
    for stack in stacks {
        let edge = if stack.region == "us-east-1" { "  provider = aws.edge\n" } else { "" };
        let one = |pair: &String| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("    {key} = \"{value}\"\n")
        };
        let parameters: String = stack.parameters.iter().map(one).collect();
        let Stack { name, template, .. } = stack;
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "resource \"aws_cloudformation_stack\" \"{name}\" {{\n{edge}  name = \"{name}\"\n  \
             capabilities = [\"CAPABILITY_NAMED_IAM\"]\n  template_body = file(\"{}\")\n  \
             parameters = {{\n{parameters}  }}\n}}\n",
            template.display()
        );
    }
    text
}
