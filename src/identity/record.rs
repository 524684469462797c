//! The galaxy's record: an entry of the registry in us-east-1 that names what the galaxy owns.
//!
//! An entry holds 4,096 bytes (standard parameters, AWS Systems Manager User Guide). A longer
//! record is an object in the artifact bucket, and the entry has its digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{GALAXIES, Subject, Thing};
use crate::catalog;
use crate::failure::{Failure, Kind};
use crate::model::{AccountId, GalaxyName, Place, Region, Stack};
use crate::ports::{Object, World};
use crate::render::hex;

/// The version of the record that this program writes.
pub const VERSION: u32 = 1;

/// How many bytes an entry holds.
const LIMIT: usize = 4_096;

/// How many runs are remembered whose creations may still appear.
const RUNS: usize = 4;

/// The proof that a resource needs besides its ARN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The tag `spaceduck:id`, or AWS's own word that a stack on record made it.
    #[default]
    Id,
    /// The tag `spaceduck:install`: it was there before there were records.
    Install,
    /// A person typed the galaxy's name for it: a parameter from before parameters had tags.
    Named,
    /// `CloudFormation` listed it when its stack was deleted, and it has no tags.
    Listed,
    /// A person typed its name to adopt it.
    Typed,
}

/// A resource on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Held {
    /// Its ARN, with `CloudFormation`'s UUID where it is a stack.
    pub arn: String,
    /// The other proof.
    pub mark: Mark,
}

/// As it is written: most things are an ARN alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Plain(String),
    Marked { arn: String, mark: Mark },
}

impl From<Written> for Held {
    fn from(written: Written) -> Self {
        match written {
            Written::Plain(arn) => Self { arn, mark: Mark::Id },
            Written::Marked { arn, mark } => Self { arn, mark },
        }
    }
}

impl From<Held> for Written {
    fn from(held: Held) -> Self {
        match held.mark {
            Mark::Id => Self::Plain(held.arn),
            mark => Self::Marked { arn: held.arn, mark },
        }
    }
}

/// A galaxy's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of its form.
    pub version: u32,
    /// The galaxy's id: 26 characters of Crockford's Base32, drawn at the first installation.
    pub id: String,
    /// The galaxy's name.
    pub name: String,
    /// The account.
    pub account: String,
    /// The home Region.
    pub home: String,
    /// When it was made, in seconds since 1970 by the service's clock.
    pub created_at: u64,
    /// Runs that were about to create stacks. A stack whose creation carries the token of one is
    /// the galaxy's, even if the run ended before it could write the stack's ARN down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
    /// What the galaxy owns, by [`Thing`].
    #[serde(default)]
    pub things: BTreeMap<String, Held>,
    /// Stacks that it owned: what they retained names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
    /// Where the rest is, if it did not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<Rest>,
}

/// A record in the artifact bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rest {
    key: String,
    sha256: String,
}

impl Record {
    /// The record of a galaxy that does not exist yet.
    pub fn new(subject: &Subject, created_at: u64) -> Result<Self, Failure> {
        Ok(Self {
            version: VERSION,
            id: random(16)?,
            name: subject.galaxy.to_string(),
            account: subject.account.to_string(),
            home: subject.home.to_string(),
            created_at,
            runs: Vec::new(),
            things: BTreeMap::new(),
            former: Vec::new(),
            rest: None,
        })
    }

    /// A resource on record.
    #[must_use]
    pub fn held(&self, thing: &Thing) -> Option<&Held> {
        self.things.get(&thing.to_string())
    }

    /// Records a resource. A stack that replaces another one makes that a former one.
    pub fn hold(&mut self, thing: &Thing, arn: String, mark: Mark) {
        let key = thing.to_string();
        if let (Some(before), Thing::Stack(_)) = (self.things.get(&key), thing)
            && before.arn != arn
            && !self.former.contains(&before.arn)
        {
            self.former.push(before.arn.clone());
        }
        self.things.insert(key, Held { arn, mark });
    }

    /// Notes that a run is about to create stacks.
    pub fn expect(&mut self, run: &str) {
        if !self.runs.iter().any(|known| known == run) {
            self.runs.push(run.to_owned());
            let surplus = self.runs.len().saturating_sub(RUNS);
            self.runs.drain(..surplus);
        }
    }

    /// Whether a stack of this ARN is or was the galaxy's.
    #[must_use]
    pub fn knows_stack(&self, arn: &str) -> bool {
        let stacks = self.things.iter().filter(|(key, _)| key.starts_with("stack:"));
        stacks.map(|(_, held)| held.arn.as_str()).any(|known| known == arn)
            || self.former.iter().any(|known| known == arn)
    }

    /// Reads an entry's text.
    pub fn parse(galaxy: &GalaxyName, text: &str) -> Result<Self, Failure> {
        let garbled = |cause: String| {
            let message = format!("the record of the galaxy `{galaxy}` can't be read");
            Failure::new(Kind::Refused, message).cause(cause).help(format!(
                "nothing was changed. Parameter Store in us-east-1 keeps earlier versions of \
                 `{}`: put the last good one back",
                entry_path(galaxy)
            ))
        };
        let form: serde_json::Value =
            serde_json::from_str(text).map_err(|error| garbled(error.to_string()))?;
        let version = form.get("version").and_then(serde_json::Value::as_u64);
        if version.is_some_and(|version| version > u64::from(VERSION)) {
            let message = format!("a newer spaceduck wrote the record of the galaxy `{galaxy}`");
            return Err(Failure::new(Kind::Refused, message)
                .help("nothing was changed; install a newer spaceduck and run the command again"));
        }
        let record: Self =
            serde_json::from_value(form).map_err(|error| garbled(error.to_string()))?;
        if record.name != galaxy.as_str() || record.id.len() != 26 {
            return Err(garbled(format!(
                "it names the galaxy `{}`, id `{}`",
                record.name, record.id
            )));
        }
        Ok(record)
    }

    fn text(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::bug(error.to_string()))
    }

    /// The artifact bucket.
    fn bucket(&self) -> Option<String> {
        let (galaxy, account) = (GalaxyName::parse(&self.name), AccountId::parse(&self.account));
        let home = Region::parse(&self.home);
        catalog::bucket(Stack::Bootstrap, &galaxy.ok()?, &account.ok()?, &home.ok()?)
    }

    /// The entry's text and, if the record does not fit, the object with all of it.
    fn written(&self) -> Result<(String, Option<Object>), Failure> {
        let whole = self.text()?;
        if whole.len() <= LIMIT {
            return Ok((whole, None));
        }
        let sha256 = hex(&Sha256::digest(&whole));
        let key = format!("identity/{sha256}.json");
        let object = Object {
            key: key.clone(),
            bytes: whole.into(),
            content_type: "application/json".into(),
            cache_control: "no-store".into(),
        };
        let bootstrap = Thing::Stack(Stack::Bootstrap).to_string();
        let bucket = Thing::Bucket(Stack::Bootstrap).to_string();
        let mut short =
            Self { former: Vec::new(), rest: Some(Rest { key, sha256 }), ..self.clone() };
        short.things.retain(|thing, _| *thing == bootstrap || *thing == bucket);
        Ok((short.text()?, Some(object)))
    }
}

/// The registry's path of a galaxy's record.
#[must_use]
pub fn entry_path(galaxy: &GalaxyName) -> String {
    format!("{GALAXIES}/{galaxy}/record")
}

/// Reads a galaxy's record; `None` if it has none.
pub async fn load(world: &World, galaxy: &GalaxyName) -> Result<Option<Record>, Failure> {
    let Some(entry) = world.registry.get(&entry_path(galaxy)).await? else { return Ok(None) };
    let record = Record::parse(galaxy, &entry.text)?;
    let (Some(rest), Some(bucket)) = (&record.rest, record.bucket()) else {
        return Ok(Some(record));
    };
    let bytes = world.assets.read(Place::Home, &bucket, &rest.key).await?;
    let lost = |why: &str| {
        let message = format!("the record of the galaxy `{galaxy}` is incomplete");
        Failure::new(Kind::Refused, message)
            .cause(format!("`{}` in the bucket `{bucket}` {why}", rest.key))
            .help("nothing was changed; restore that object from its earlier version")
    };
    let bytes = bytes.ok_or_else(|| lost("is missing"))?;
    if hex(&Sha256::digest(&bytes)) != rest.sha256 {
        return Err(lost("is not what was written"));
    }
    let whole = Record::parse(galaxy, &String::from_utf8_lossy(&bytes))?;
    Ok(Some(whole))
}

/// Writes a galaxy's record over the one that is there.
pub async fn store(world: &World, galaxy: &GalaxyName, record: &Record) -> Result<(), Failure> {
    let (text, object) = record.written()?;
    if let (Some(object), Some(bucket)) = (object, record.bucket()) {
        world.assets.write(Place::Home, &bucket, &object).await?;
    }
    world.registry.put(&entry_path(galaxy), &text).await
}

/// Creates a galaxy's record. `false` if it has one already.
pub(super) async fn create(
    world: &World,
    galaxy: &GalaxyName,
    record: &Record,
) -> Result<bool, Failure> {
    let (text, object) = record.written()?;
    if let (Some(object), Some(bucket)) = (object, record.bucket()) {
        world.assets.write(Place::Home, &bucket, &object).await?;
    }
    world.registry.create(&entry_path(galaxy), &text).await
}

/// Random bytes as Crockford's Base32, which has no letters that look like digits.
pub(super) fn random(bytes: usize) -> Result<String, Failure> {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut drawn = vec![0; bytes];
    getrandom::fill(&mut drawn).map_err(|error| Failure::bug(error.to_string()))?;
    let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0);
    for byte in drawn {
        held = (held << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(held >> bits) as usize & 31]));
        }
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(held << (5 - bits)) as usize & 31]));
    }
    Ok(text)
}
