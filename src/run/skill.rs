//! `spaceduck skill`: check, pack, sign and verify. Files and galaxies are read here; the crate
//! `galaxy-skill` judges them.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use beak_core::OffsetDateTime;
use beak_core::id::DucklingId;
use galaxy_skill::{
    PACK_ENDING, PACK_LIMIT, PublisherKey, SIGNATURE_LIMIT, Skill, Tree, Trust, Verified,
};

use crate::aws::{self, Network};
use crate::cli::{Check, Shared, SkillWish};
use crate::event::{Event, Events, Outcome, Place, Publisher, SkillTold};
use crate::failure::{Excerpt, Failure, Kind, Mistake};
use crate::files::{Access, Target};

mod key;

/// Where it says what a skill may have.
const WRITTEN: &str =
    "docs/skills.md says how a skill is written; `spaceduck skill check` tries it";

pub(super) async fn run(shared: &Shared, wish: &SkillWish, events: &Events) -> Result<(), Failure> {
    let (outcome, next) = match wish {
        SkillWish::Check { folder } => {
            let (skill, tree) = checked(folder, None, events)?;
            events.emit(Event::Skill(told(&skill, &tree)));
            events.emit(Event::Note { text: "It is a Galaxy skill.".into() });
            (Outcome::Told, vec![])
        }
        SkillWish::Pack { folder, out } => {
            (Outcome::Done, pack(shared, folder, out.as_deref(), events)?)
        }
        SkillWish::Key { key } => (Outcome::Told, key::show(shared, key.as_deref(), events)?),
        SkillWish::Sign { pack, certificate, key, out, unnamed } => {
            let key = key::kept(&key::file(key.as_deref())?)?;
            let out = out.clone().unwrap_or_else(|| signature_of(pack));
            let by = Signer { key: &key, unnamed: *unnamed };
            sign(pack, certificate, &by, &super::target(shared, &out)?, events)?;
            (Outcome::Done, vec![])
        }
        SkillWish::Verify(check) => {
            verify(shared, check, events).await?;
            (Outcome::Told, vec![])
        }
    };
    events.emit(Event::Finished { outcome, urls: vec![], next });
    Ok(())
}

/// Reads and checks a folder. Every mistake becomes an event, for programs, and a part of the
/// failure, for people.
fn checked(folder: &Path, out: Option<&Path>, events: &Events) -> Result<(Skill, Tree), Failure> {
    let name = folder_name(folder)?;
    let judge = |tree: Tree| galaxy_skill::check(&name, &tree).map(|skill| (skill, tree));
    let read = Tree::read_beside(folder, out).map(|(tree, left_out)| {
        for path in left_out {
            let text = format!("Not part of the skill: `{path}`.");
            events.emit(Event::Note { text });
        }
        tree
    });
    read.and_then(judge).map_err(|mistakes| {
        let mut failure = Failure::new(Kind::Input, "the skill has mistakes").help(WRITTEN);
        failure.mistakes = mistakes.into_iter().map(|one| place_in(folder, one)).collect();
        for Mistake { message, at, help } in failure.mistakes.clone() {
            let place = at.map(|at| Place { file: at.file, line: at.line, column: at.column });
            events.emit(Event::Mistake { message, place, help });
        }
        failure
    })
}

/// The name of the folder itself, also when it was called `.`.
fn folder_name(folder: &Path) -> Result<String, Failure> {
    let real = fs::canonicalize(folder).map_err(|error| unreadable(folder, &error))?;
    if !real.is_dir() {
        let message = format!("`{}` is not a folder", folder.display());
        return Err(Failure::new(Kind::Input, message).help(
            "pass the folder that contains \
        SKILL.md",
        ));
    }
    Ok(real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

fn place_in(folder: &Path, mistake: galaxy_skill::Mistake) -> Mistake {
    let at = mistake.at.map(|at| Excerpt {
        file: folder.join(at.file).display().to_string(),
        line: at.line,
        column: at.column,
        text: at.text,
        width: at.width,
    });
    Mistake { message: mistake.message, at, help: mistake.help }
}

fn refused(kind: Kind, mistake: galaxy_skill::Mistake) -> Failure {
    Failure::new(kind, mistake.message).help(mistake.help.unwrap_or_else(|| WRITTEN.to_owned()))
}

fn told(skill: &Skill, tree: &Tree) -> Box<SkillTold> {
    Box::new(SkillTold {
        name: skill.name.clone(),
        version: skill.version.clone(),
        tier: skill.tier.word().to_owned(),
        capabilities: skill.capabilities.clone(),
        permissions: skill.permissions.clone(),
        files: tree.count(),
        bytes: tree.size(),
        sha256: None,
        file: None,
        publisher: None,
    })
}

fn pack(
    shared: &Shared,
    folder: &Path,
    out: Option<&Path>,
    events: &Events,
) -> Result<Vec<String>, Failure> {
    let (skill, tree) = checked(folder, out, events)?;
    let bytes = galaxy_skill::pack(&skill.name, &tree).map_err(|m| refused(Kind::Bug, m))?;
    let file = out.map_or_else(
        || PathBuf::from(format!("{}-{}{PACK_ENDING}", skill.name, skill.version)),
        Path::to_owned,
    );
    let target = super::target(shared, &file)?;
    target.write(&bytes, Access::Shared)?;
    super::tell_written(events, &target);
    let mut told = told(&skill, &tree);
    told.sha256 = Some(galaxy_skill::digest(&bytes));
    told.file = Some(file.display().to_string());
    events.emit(Event::Skill(told));
    Ok(vec![format!("`spaceduck skill sign {} --certificate FILE` signs it", file.display())])
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Input, format!("can't read `{}`", file.display()))
        .cause(error.to_string())
        .help("name the right file, and give yourself the right to read it")
}

/// A file of at most so many bytes.
fn read(file: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|open| open.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(file, &error))?;
    if bytes.len() as u64 > limit {
        let message = format!("`{}` has more than {limit} bytes", file.display());
        return Err(Failure::new(Kind::Input, message).help("name the right file"));
    }
    Ok(bytes)
}

fn read_text(file: &Path, limit: u64) -> Result<String, Failure> {
    String::from_utf8(read(file, limit)?).map_err(|_| {
        Failure::new(Kind::Input, format!("`{}` is not text", file.display()))
            .help("name the right file")
    })
}

/// The file beside a pack.
fn signature_of(pack: &Path) -> PathBuf {
    let mut name = pack.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// The certificate by itself, or as an answer of the API has it.
fn certificate(file: &Path) -> Result<String, Failure> {
    let text = read_text(file, SIGNATURE_LIMIT)?;
    let answer: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let within = answer.as_ref().and_then(|answer| answer.get("certificate")?.as_str());
    Ok(within.unwrap_or(&text).trim().to_owned())
}

/// A key, and whether it may sign although the certificate does not name it.
struct Signer<'a> {
    key: &'a PublisherKey,
    unnamed: bool,
}

fn sign(
    file: &Path,
    from: &Path,
    by: &Signer<'_>,
    out: &Target,
    events: &Events,
) -> Result<(), Failure> {
    let key = by.key;
    let pack = read(file, PACK_LIMIT)?;
    #[expect(clippy::disallowed_methods, reason = "skills need no account, and so no ports")]
    let now = OffsetDateTime::now_utc();
    let signed = galaxy_skill::sign(&pack, &certificate(from)?, key, now)
        .map_err(|mistake| refused(Kind::Input, mistake))?;
    if !signed.named && !by.unnamed {
        let message = "the certificate does not name your key, so the signature could not be \
        trusted";
        let help = format!(
            "hatch the publisher with a name that ends in `{}`; or sign with --unnamed, and \
             verifiers need that fingerprint from you",
            key.mark()
        );
        return Err(Failure::new(Kind::Refused, message).help(help));
    }
    out.write(signed.file.as_bytes(), Access::Shared)?;
    let (name, tree) = galaxy_skill::unpack(&pack).map_err(|m| refused(Kind::Bug, m))?;
    let skill = galaxy_skill::check(&name, &tree)
        .map_err(|_| Failure::bug("the signed files are no longer a skill"))?;
    let mut told = told(&skill, &tree);
    told.sha256 = Some(signed.sha256);
    told.file = Some(out.path.display().to_string());
    told.publisher = Some(Publisher {
        duckling_id: signed.claims.duckling_id.to_string(),
        name: signed.name,
        galaxy: galaxy_skill::visible(&signed.claims.issuer),
        cert_id: signed.claims.cert_id.to_string(),
        certificate: "unchecked".into(),
        tier: signed.claims.tier.word().into(),
        key: key.mark(),
        named: signed.named,
    });
    events.emit(Event::Skill(told));
    Ok(())
}

async fn verify(shared: &Shared, check: &Check, events: &Events) -> Result<(), Failure> {
    let network = Network::of(shared.profile.as_deref()).await?;
    let galaxy = check.galaxy.as_deref().map(address).transpose()?;
    let publisher =
        check.publisher.as_deref().map(DucklingId::parse).transpose().map_err(|_| {
            Failure::new(Kind::Usage, "--publisher is not a duckling id")
                .help("write `dkl_` and 26 characters")
        })?;
    if check.publisher_key.as_deref().is_some_and(|mark| !galaxy_skill::is_mark(mark)) {
        return Err(Failure::new(Kind::Usage, "--publisher-key is not a key's fingerprint")
            .help("write `key:` and 43 characters, as `spaceduck skill key` shows it"));
    }
    let pack = if check.skill.is_dir() {
        let tree = Tree::read(&check.skill).map_err(|mistakes| {
            let mut failure =
                Failure::new(Kind::Refused, "the folder contains no skill").help(WRITTEN);
            failure.mistakes = mistakes.into_iter().map(|m| place_in(&check.skill, m)).collect();
            failure
        })?;
        galaxy_skill::pack(&folder_name(&check.skill)?, &tree).map_err(|m| refused(Kind::Bug, m))?
    } else {
        read(&check.skill, PACK_LIMIT)?
    };
    let beside = check.signature.clone().unwrap_or_else(|| signature_of(&check.skill));
    let signature = read_text(&beside, SIGNATURE_LIMIT)
        .map_err(|failure| failure.help("name the signature with --signature"))?;
    let (jwks, online) = match (&check.jwks, &galaxy) {
        (Some(file), _) => (read_text(file, SIGNATURE_LIMIT)?, None),
        (None, Some(galaxy)) => {
            (ask(&network, galaxy, "/beak/jwks.json", None).await?, Some(galaxy))
        }
        (None, None) => return Err(Failure::bug("verify has neither keys nor a galaxy")),
    };
    let keys = galaxy_skill::keys(&jwks).map_err(|mistake| refused(Kind::Input, mistake))?;
    let trust = Trust {
        keys,
        issuer: galaxy.clone(),
        issuers: galaxy_skill::issuers(&jwks),
        publisher,
        key: check.publisher_key.clone(),
    };
    let verified = galaxy_skill::verify(&pack, &signature, &trust)
        .map_err(|mistake| refused(Kind::Refused, mistake))?;
    let state = match online {
        Some(galaxy) => standing(&network, galaxy, &verified.certificate).await?,
        None => "unchecked",
    };
    tell(verified, &pack, state, events)
}

fn tell(found: Verified, pack: &[u8], state: &str, events: &Events) -> Result<(), Failure> {
    let (_, tree) = galaxy_skill::unpack(pack).map_err(|m| refused(Kind::Bug, m))?;
    let mut told = told(&found.skill, &tree);
    told.sha256 = Some(found.sha256);
    told.publisher = Some(Publisher {
        duckling_id: found.claims.duckling_id.to_string(),
        name: found.name,
        galaxy: galaxy_skill::visible(&found.claims.issuer),
        cert_id: found.claims.cert_id.to_string(),
        certificate: state.to_owned(),
        tier: found.claims.tier.word().into(),
        key: found.key,
        named: found.named,
    });
    events.emit(Event::Skill(told));
    let text = match state {
        "valid" => "The signature is valid, and so is the certificate.",
        _ => "The signature is valid; the certificate was not checked against revocation.",
    };
    events.emit(Event::Note { text: text.into() });
    Ok(())
}

/// The base address of a galaxy. Keys received over plain HTTP could be anyone's.
fn address(text: &str) -> Result<String, Failure> {
    let base = text.trim_end_matches('/');
    let base = base.strip_suffix("/beak").unwrap_or(base);
    let local = |host: &str| {
        let host = host.split('/').next().unwrap_or_default();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    };
    let fine = base.starts_with("https://") || base.strip_prefix("http://").is_some_and(local);
    if fine {
        return Ok(base.to_owned());
    }
    Err(Failure::new(Kind::Usage, format!("`{text}` is not the address of a galaxy"))
        .help("write the API's base URL with https://; http:// is for localhost only"))
}

async fn ask(
    network: &Network,
    galaxy: &str,
    path: &str,
    json: Option<String>,
) -> Result<String, Failure> {
    aws::fetch(network, &format!("{galaxy}{path}"), json).await
}

/// Whether the certificate still holds, by the galaxy's own word.
async fn standing(
    network: &Network,
    galaxy: &str,
    certificate: &str,
) -> Result<&'static str, Failure> {
    let body = serde_json::json!({"certificate": certificate}).to_string();
    let text = ask(network, galaxy, "/beak/certificates/verify", Some(body)).await?;
    let answer: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        Failure::new(Kind::Settled, "the galaxy's answer is not JSON")
            .cause(error.to_string())
            .help("check that --galaxy is the base URL of a galaxy's API")
    })?;
    if answer["valid"] == true {
        return Ok("valid");
    }
    let status = answer["status"].as_str().unwrap_or("not one of the galaxy");
    Err(Failure::new(Kind::Refused, format!("the publisher's certificate is {status}"))
        .help("ask the publisher to sign again with the current certificate"))
}
