//! The data folder: everything that a local galaxy keeps, and who may read it.
//!
//! ```text
//! galaxy.redb       the database
//! certificate.key   the key that signs birth certificates (mode 600)
//! token.key         what people's tokens are sealed with (mode 600); without it all sign in again
//! factor.key        what second factors are sealed with (mode 600)
//! operator.txt      the first operator's address and password (mode 600)
//! ```

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use beak_api::jws::{Signer, kid};
use beak_api::system::SystemClock;
use beak_core::ports::{Clock as _, PublicKey, Sealing, SealingUse};
use beak_core::sealed::HomeSecret;
use beak_core::{BeakError, Result};
use ed25519_dalek::{Signer as _, SigningKey};

use crate::db::Db;
use crate::error::LocalError;
use crate::store::{accounts, millis};

/// The database's file.
pub(crate) const DATABASE: &str = "galaxy.redb";

/// How many bytes of the database are in memory during a move.
const LEAN_CACHE: usize = 64 << 20;

/// What a galaxy signs and seals with.
pub(crate) struct Keys {
    pub(crate) signer: FileSigner,
    pub(crate) sealing: FileSealing,
}

/// An open data folder.
pub(crate) struct Data {
    folder: PathBuf,
    pub(crate) db: Db,
}

impl Data {
    /// Opens the folder or makes it, readable by its owner only. Fails if another process has it.
    pub(crate) fn open(folder: &Path) -> std::result::Result<Self, LocalError> {
        Self::open_with(folder, None)
    }

    /// The same for a move, which reads every page once: a small cache is as fast.
    pub(crate) fn open_lean(folder: &Path) -> std::result::Result<Self, LocalError> {
        Self::open_with(folder, Some(LEAN_CACHE))
    }

    fn open_with(folder: &Path, cache: Option<usize>) -> std::result::Result<Self, LocalError> {
        let unusable = |error: io::Error| LocalError::Folder(folder.to_owned(), error.to_string());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
        let path = folder.join(DATABASE);
        // Whatever the folder is: the file holds hashes of passwords, and codes.
        keep_private(&path).map_err(unusable)?;
        let db = Db::open(&path, cache).map_err(|error| match error {
            redb::Error::DatabaseAlreadyOpen => LocalError::InUse(folder.to_owned()),
            // redb says so of a file that is none of its own.
            redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                LocalError::Damaged(path.clone(), error.to_string())
            }
            redb::Error::Io(error) => unusable(error),
            other => LocalError::Damaged(path.clone(), other.to_string()),
        })?;
        let now = millis(SystemClock.now());
        db.write_now(|txn| accounts::upgrade(txn, now)).map_err(|error| {
            let why = error.cause().map_or_else(|| error.to_string(), str::to_owned);
            LocalError::Damaged(path, why)
        })?;
        Ok(Self { folder: folder.to_owned(), db })
    }

    /// The signing key; made on the first start.
    pub(crate) fn signer(&self) -> std::result::Result<FileSigner, LocalError> {
        Ok(FileSigner(SigningKey::from_bytes(&self.key("certificate.key")?)))
    }

    /// All keys of the folder; each is made on the first start.
    pub(crate) fn keys(&self) -> std::result::Result<Keys, LocalError> {
        let secret = |name| Ok(HomeSecret::new(self.key(name)?.to_vec()));
        let sealing = FileSealing { tokens: secret("token.key")?, factors: secret("factor.key")? };
        Ok(Keys { signer: self.signer()?, sealing })
    }

    /// A key of the folder, made by the first call.
    fn key(&self, name: &str) -> std::result::Result<[u8; 32], LocalError> {
        let path = self.folder.join(name);
        let damaged = |why: &str| LocalError::Damaged(path.clone(), why.to_owned());
        match fs::read_to_string(&path) {
            Ok(text) => from_hex(text.trim()).ok_or_else(|| damaged("not 64 hex digits")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(|error| damaged(&error.to_string()))?;
                let text = format!("{}\n", beak_core::person::hex(&bytes));
                write_private(&path, &text)
                    .map_err(|e| LocalError::Folder(path.clone(), e.to_string()))?;
                Ok(bytes)
            }
            Err(error) => Err(LocalError::Folder(path.clone(), error.to_string())),
        }
    }

    /// The public half of the signing key.
    pub(crate) fn public_key(&self) -> std::result::Result<PublicKey, LocalError> {
        let bytes = self.signer()?.0.verifying_key().to_bytes();
        Ok(PublicKey { kid: kid(&bytes), bytes })
    }

    /// Where the first operator's password is written down.
    pub(crate) fn operator_file(&self) -> PathBuf {
        self.folder.join("operator.txt")
    }
}

/// Makes a file that only its owner may read, or makes such a one of the one that is there.
fn keep_private(path: &Path) -> io::Result<()> {
    let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Writes a whole file that only its owner may read, or none.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

pub(crate) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Signs with the key in the folder.
pub(crate) struct FileSigner(SigningKey);

#[async_trait]
impl Signer for FileSigner {
    async fn public_key(&self) -> Result<[u8; 32]> {
        Ok(self.0.verifying_key().to_bytes())
    }

    async fn sign(&self, bytes: &[u8]) -> Result<[u8; 64]> {
        self.0
            .try_sign(bytes)
            .map(|signature| signature.to_bytes())
            .map_err(|error| BeakError::Internal(error.to_string()))
    }
}

/// The secrets in the folder that sealing keys come from.
pub(crate) struct FileSealing {
    tokens: HomeSecret,
    factors: HomeSecret,
}

#[async_trait]
impl Sealing for FileSealing {
    async fn secret(&self, of: SealingUse) -> Result<HomeSecret> {
        Ok(match of {
            SealingUse::Tokens => self.tokens.clone(),
            SealingUse::Factors => self.factors.clone(),
        })
    }
}
