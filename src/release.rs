//! The record of what is installed, and of what was: it is what a roll-back goes by.
//!
//! It lies in the artifact bucket beside what it names, so that any machine can go back: the
//! function's zip under `lambda/`, the API's template under `blobs/`, the files of the sites under
//! `packs/`, each named by its content and so never changed.
//!
//! A pack holds what a release brought that no release before it had, whichever site it is on: one
//! object for a site instead of one for a file.

use std::collections::BTreeMap;

use galaxy_sites::SiteConfig;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::failure::{Failure, Kind};
use crate::model::Place;
use crate::ports::{Assets, Object};
use crate::render::hex;

mod age;
mod history;
mod look;
mod stored;

pub use age::not_older;
pub use history::{History, Left};
pub use look::{Record, Trouble, look};
pub use stored::{Damage, damage, damage_of, is_intact, read_verified};

/// Where it is written down which release is installed.
pub const CURRENT_KEY: &str = "releases/current.json";

/// Where a rollback that is under way writes which release it puts back: here, with the number of
/// its lock behind it, so that a late call of an earlier run leaves a later one's alone.
pub const INTENT_KEY: &str = "intent/rollback";

/// The key of the intent that is written under a lock.
#[must_use]
pub fn intent_key(lock: Option<u64>) -> String {
    lock.map_or_else(|| INTENT_KEY.to_owned(), |lock| format!("{INTENT_KEY}-{lock}"))
}

/// The lock that an intent was written under, 0 without one; `None` if the key is no intent's.
#[must_use]
pub fn intent_lock(key: &str) -> Option<u64> {
    let rest = key.strip_prefix(INTENT_KEY)?;
    if rest.is_empty() { Some(0) } else { rest.strip_prefix('-')?.parse().ok() }
}

/// Where all records are kept.
pub const PREFIX: &str = "releases/";

/// The version of the record that this program writes. Version 2 had no packs; until version 3 the
/// whole record lay where now [`Pointer`] does.
pub const VERSION: u32 = 4;

/// Which release is installed, in so few words that it costs next to nothing to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// Version of the record.
    pub version: u32,
    /// The release's name, by which its record is found.
    pub id: String,
    /// The version of the program that made it.
    pub release: String,
    /// Site → the digest of its files with their headers.
    pub digests: BTreeMap<String, String>,
    /// The galaxy's facts in the sites' `config.json`.
    pub told: SiteConfig,
    /// Whether the operator's own pages are among them.
    pub own: bool,
    /// Whether another release was being published over this one, so that what visitors get is
    /// unknown.
    pub unsettled: bool,
    /// The number of the lock that it was last written under. A run that was paused and had that
    /// lock's number or an earlier one finds another `ETag` and writes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<u64>,
    /// What leads back from this release; nothing until a version that keeps it has written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
}

impl Pointer {
    /// The one to a release.
    #[must_use]
    pub fn to(manifest: &Manifest) -> Self {
        let digest = |(site, record): (&String, &SiteRecord)| (site.clone(), record.digest.clone());
        Self {
            version: VERSION,
            id: manifest.id.clone(),
            release: manifest.release.clone(),
            digests: manifest.sites.iter().map(digest).collect(),
            told: manifest.told.clone(),
            own: manifest.own,
            unsettled: manifest.unsettled,
            lock: None,
            history: manifest.history.clone(),
        }
    }

    /// Reads one; whatever else lies there is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|pointer: &Self| pointer.version == VERSION)
    }

    /// As an object.
    pub fn to_object(&self) -> Result<Object, Failure> {
        object_of(CURRENT_KEY, serde_json::to_vec_pretty(self))
    }
}

/// What is installed, as it is written down in the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this record.
    pub version: u32,
    /// Its name: the program's version, and what distinguishes it from other builds of that
    /// version.
    pub id: String,
    /// Release number, from 1. It stays with the release, whatever is installed after it.
    pub number: u64,
    /// When it was first installed, in seconds since 1970; unknown of the first ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_at: Option<u64>,
    /// The version of the program that made it.
    pub release: String,
    /// SHA-256 of the function's zip.
    pub code: String,
    /// The zip's architecture, as Lambda spells it.
    pub architecture: String,
    /// The number of the function's version.
    pub function_version: String,
    /// The logical id of that version in the API's stack: a digest of all that it runs with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The API's template: SHA-256 of its text.
    pub template: String,
    /// The digest in the template's output.
    pub template_digest: String,
    /// Site → its files.
    pub sites: BTreeMap<String, SiteRecord>,
    /// Content, by its SHA-256 → where it is kept.
    #[serde(default)]
    pub contents: BTreeMap<String, Spot>,
    /// The galaxy's facts in the sites' `config.json`.
    #[serde(default)]
    pub told: SiteConfig,
    /// Whether the operator's own pages are among them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own: bool,
    /// What [`Pointer::unsettled`] says of it while it is the one that is installed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsettled: bool,
    /// What [`Pointer::history`] says while it is the one that is installed.
    #[serde(skip)]
    pub history: Option<History>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Where a content is in a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// The pack's key.
    pub pack: String,
    /// Its first byte.
    pub at: usize,
    /// How many bytes it has.
    pub length: usize,
}

impl Spot {
    /// The content, where the pack is whole.
    #[must_use]
    pub fn of<'p>(&self, pack: &'p [u8]) -> Option<&'p [u8]> {
        pack.get(self.at..self.at.checked_add(self.length)?)
    }
}

/// The files of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRecord {
    /// The digest of the files with their headers.
    pub digest: String,
    /// Path → the file.
    pub files: BTreeMap<String, FileRecord>,
    /// Paths of the release before that are still there.
    #[serde(default)]
    pub kept: Vec<String>,
}

/// A file of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// SHA-256 of its content.
    pub sha256: String,
    /// MD5 of its content, by which a bucket's listing knows it.
    #[serde(default)]
    pub md5: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
}

impl FileRecord {
    /// Whether its path never means another content.
    #[must_use]
    pub fn is_immutable(&self) -> bool {
        self.cache_control.contains("immutable")
    }

    /// Whether caches must revalidate it every time.
    #[must_use]
    pub fn is_asked_for_anew(&self) -> bool {
        self.cache_control.contains("no-cache")
    }
}

impl Manifest {
    /// Reads a record; one that can't be read counts as none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|m: &Self| (2..=VERSION).contains(&m.version))
    }

    /// Where this release is on record.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.id)
    }

    /// Where the function's zip is.
    #[must_use]
    pub fn code_key(&self) -> String {
        format!("lambda/{}.zip", self.code)
    }

    /// Where a content of this release is kept.
    #[must_use]
    pub fn keeper(&self, sha256: &str) -> String {
        self.contents.get(sha256).map_or_else(|| blob_key(sha256), |spot| spot.pack.clone())
    }

    /// The manifest as an object, without whitespace: it names every file.
    pub fn to_object(&self) -> Result<Object, Failure> {
        object_of(&self.key(), serde_json::to_vec(self))
    }
}

fn object_of(key: &str, json: serde_json::Result<Vec<u8>>) -> Result<Object, Failure> {
    let bytes = json.map_err(|error| {
        Failure::bug("the release can't be written down").cause(error.to_string())
    })?;
    Ok(Object {
        key: key.to_owned(),
        bytes: bytes.into(),
        content_type: "application/json".into(),
        cache_control: "no-store".into(),
    })
}

/// Where the release of that name is on record.
#[must_use]
pub fn key(id: &str) -> String {
    format!("{PREFIX}{id}.json")
}

/// The name of a release: the same parts give the same name.
#[must_use]
pub fn id(release: &str, code: &str, template: &str, sites: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    let digests = sites.iter().flat_map(|(site, digest)| [site.as_str(), digest.as_str()]);
    for part in [code, template].into_iter().chain(digests) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    format!("{release}-{}", &hex(&hash.finalize())[..8])
}

/// What an object is, without its content.
#[must_use]
pub fn file(object: &Object) -> FileRecord {
    FileRecord {
        sha256: hex(&Sha256::digest(&object.bytes)),
        md5: hex(&Md5::digest(&object.bytes)),
        content_type: object.content_type.clone(),
        cache_control: object.cache_control.clone(),
    }
}

/// Which release an artifact bucket says is installed.
pub async fn pointer(assets: &dyn Assets, bucket: &str) -> Result<Option<Pointer>, Failure> {
    let bytes = assets.read(Place::Home, bucket, CURRENT_KEY).await?;
    Ok(bytes.and_then(|bytes| {
        Pointer::parse(&bytes).or_else(|| Manifest::parse(&bytes).map(|whole| Pointer::to(&whole)))
    }))
}

/// The record of the release that an artifact bucket says is installed.
pub async fn current(assets: &dyn Assets, bucket: &str) -> Result<Option<Manifest>, Failure> {
    Ok(current_tagged(assets, bucket).await?.0)
}

/// The same with the pointer's `ETag`, which the next write of the pointer names.
pub async fn current_tagged(
    assets: &dyn Assets,
    bucket: &str,
) -> Result<(Option<Manifest>, Option<String>), Failure> {
    let Some(there) = assets.read_tagged(Place::Home, bucket, CURRENT_KEY).await? else {
        return Ok((None, None));
    };
    let etag = Some(there.etag);
    let Some(pointer) = Pointer::parse(&there.bytes) else {
        return Ok((Manifest::parse(&there.bytes), etag));
    };
    let bytes = assets.read(Place::Home, bucket, &key(&pointer.id)).await?;
    let record = bytes.as_deref().and_then(Manifest::parse);
    let Pointer { unsettled, history, .. } = pointer;
    Ok((record.map(|record| Manifest { unsettled, history, ..record }), etag))
}

/// Writes the pointer over the one that was seen, or over one of an earlier lock.
pub async fn point(
    assets: &dyn Assets,
    bucket: &str,
    pointer: &Pointer,
    seen: &mut Option<String>,
) -> Result<(), Failure> {
    let object = pointer.to_object()?;
    for _ in 0..ATTEMPTS {
        let written = assets.replace(Place::Home, bucket, &object, seen.as_deref()).await?;
        if written.is_some() {
            *seen = written;
            return Ok(());
        }
        let there = assets.read_tagged(Place::Home, bucket, CURRENT_KEY).await?;
        let other = there.as_ref().and_then(|there| Pointer::parse(&there.bytes));
        // A call of a run that has lost its lock may arrive late; it does not count.
        let is_late =
            other.is_some_and(|other| pointer.lock.is_some() && other.lock < pointer.lock);
        if !is_late {
            break;
        }
        *seen = there.map(|there| there.etag);
    }
    Err(Failure::new(Kind::Settled, format!("`{bucket}/{CURRENT_KEY}` was changed meanwhile"))
        .cause("another program has written which release is installed")
        .help("run `spaceduck status`, then the same command again"))
}

/// How often a late write may come in between: a run that has lost its lock has few calls left.
const ATTEMPTS: usize = 4;

/// Where a content is kept.
#[must_use]
pub fn blob_key(sha256: &str) -> String {
    format!("blobs/{sha256}")
}

/// A content as it is kept.
#[must_use]
pub fn blob(bytes: Vec<u8>) -> Object {
    Object {
        key: blob_key(&hex(&Sha256::digest(&bytes))),
        bytes: bytes.into(),
        content_type: "application/octet-stream".into(),
        cache_control: "no-store".into(),
    }
}

/// A pack of contents with their SHA-256, and where each of them is in it.
#[must_use]
pub fn pack(contents: &[(&str, &[u8])]) -> (Object, BTreeMap<String, Spot>) {
    let mut bytes = Vec::with_capacity(contents.iter().map(|(_, bytes)| bytes.len()).sum());
    for (_, content) in contents {
        bytes.extend_from_slice(content);
    }
    let key = format!("packs/{}", hex(&Sha256::digest(&bytes)));
    let mut at = 0;
    let mut spots = BTreeMap::new();
    for (sha256, content) in contents {
        let spot = Spot { pack: key.clone(), at, length: content.len() };
        at += content.len();
        spots.insert((*sha256).to_owned(), spot);
    }
    (Object { key, ..blob(bytes) }, spots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let file = FileRecord {
            sha256: "f".into(),
            md5: "m".into(),
            content_type: "text/html".into(),
            cache_control: "no-cache".into(),
        };
        let files = [("index.html".to_owned(), file)].into();
        Manifest {
            version: VERSION,
            id: "1-abc".into(),
            number: 1,
            installed_at: None,
            release: "1".into(),
            code: "c".into(),
            architecture: "arm64".into(),
            function_version: "1".into(),
            version_id: None,
            template: "t".into(),
            template_digest: "d".into(),
            sites: [(
                "duckgalaxy".to_owned(),
                SiteRecord { digest: "d".into(), files, kept: Vec::new() },
            )]
            .into(),
            contents: BTreeMap::new(),
            told: SiteConfig::default(),
            own: false,
            unsettled: false,
            history: None,
        }
    }

    #[test]
    fn a_record_reads_back_and_an_unknown_one_counts_as_none() {
        let object = manifest().to_object().expect("object");
        assert_eq!(Manifest::parse(&object.bytes), Some(manifest()));
        let later = Manifest { version: VERSION + 1, ..manifest() };
        assert_eq!(Manifest::parse(&later.to_object().expect("object").bytes), None);
        assert_eq!(Pointer::parse(&object.bytes), None, "a record is no pointer");
        assert_eq!(Manifest::parse(b"{"), None);
        assert_eq!(object.key, "releases/1-abc.json");
    }

    #[test]
    fn a_pointer_reads_back_and_tells_what_a_site_is() {
        let pointer = Pointer::to(&Manifest { unsettled: true, ..manifest() });
        let object = pointer.to_object().expect("object");
        assert_eq!(object.key, CURRENT_KEY);
        assert_eq!(Pointer::parse(&object.bytes).as_ref(), Some(&pointer));
        assert_eq!((key(&pointer.id), pointer.unsettled), (manifest().key(), true));
        assert_eq!(pointer.digests["duckgalaxy"], "d");
        assert_eq!(Manifest::parse(&object.bytes), None, "a pointer is no record");
        let later = Pointer { version: VERSION + 1, ..pointer };
        assert_eq!(Pointer::parse(&later.to_object().expect("object").bytes), None);
    }

    #[test]
    fn a_pack_gives_back_what_was_put_into_it() {
        let contents: [(&str, &[u8]); 3] = [("a", b"duck"), ("b", b""), ("c", b"swan")];
        let (object, spots) = pack(&contents);
        for (sha256, content) in contents {
            assert_eq!(spots[sha256].of(&object.bytes), Some(content), "{sha256}");
            assert_eq!(spots[sha256].pack, object.key);
        }
        assert_eq!(spots["c"].of(b"duck"), None, "a pack that is not whole");
        assert_ne!(pack(&contents[..1]).0.key, object.key);
        let known = Manifest { contents: spots, ..manifest() };
        assert_eq!((known.keeper("a"), known.keeper("f")), (object.key, "blobs/f".to_owned()));
    }

    /// What was written before there were packs.
    #[test]
    fn an_older_record_is_read() {
        let mut value = serde_json::to_value(manifest()).expect("JSON");
        value["version"] = 2.into();
        value.as_object_mut().expect("object").remove("contents");
        let site = value["sites"]["duckgalaxy"].as_object_mut().expect("object");
        site.remove("kept");
        let file = site["files"]["index.html"].as_object_mut().expect("object");
        file.remove("md5");
        let read = Manifest::parse(value.to_string().as_bytes()).expect("it can be read");
        assert_eq!((read.version, read.keeper("f").as_str()), (2, "blobs/f"));
    }

    #[test]
    fn an_intent_has_the_number_of_its_lock() {
        for lock in [None, Some(7)] {
            assert_eq!(intent_lock(&intent_key(lock)), Some(lock.unwrap_or_default()));
        }
        for other in
            ["intent/rollback-", "intent/rollback-x", "intent/rollbacks", "releases/1.json"]
        {
            assert_eq!(intent_lock(other), None, "{other}");
        }
    }

    #[test]
    fn whatever_differs_gives_another_name() {
        let sites = |digest: &str| [("duckgalaxy".to_owned(), digest.to_owned())].into();
        let one = id("1", "code", "template", &sites("pages"));
        assert_eq!(one, id("1", "code", "template", &sites("pages")));
        for other in [
            id("1", "other", "template", &sites("pages")),
            id("1", "code", "other", &sites("pages")),
            id("1", "code", "template", &sites("other")),
            id("2", "code", "template", &sites("pages")),
        ] {
            assert_ne!(one, other);
        }
    }
}
