//! Hashes of passwords, codes and tokens; those of passwords on threads of their own.

use std::cell::RefCell;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use beak_core::person::{Email, OtpCode, hex};
use beak_core::{BeakError, Result};
use sha2::{Digest as _, Sha256};

/// Threads of their own for hashing, as many as there are cores.
///
/// A hash takes 19 MiB. Taken from the allocator for each hash, such pieces stay in its arenas,
/// some of them torn by smaller ones: hundreds of MiB after a hundred hashes. So each of these
/// threads keeps one piece and uses it again.
pub(super) struct Hashers(rayon::ThreadPool);

impl Hashers {
    pub(super) fn new() -> Result<Self> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("hashing-{number}"))
            // The one who waits learns of it: there is no answer.
            .panic_handler(|_| {})
            .build();
        pool.map(Self).map_err(|error| BeakError::Internal(error.to_string()))
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (done, result) = tokio::sync::oneshot::channel();
        self.0.spawn(move || {
            // The caller may have hung up.
            let _ = done.send(work());
        });
        result.await.map_err(|_| BeakError::Internal("a thread that hashes panicked".into()))?
    }
}

thread_local! {
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

fn params() -> Params {
    // The tests of this crate explore thousands of orders of calls; what they test is not the cost.
    #[cfg(test)]
    if let Ok(params) = Params::new(Params::MIN_M_COST, 1, 1, None) {
        return params;
    }
    Params::default()
}

fn digest(
    algorithm: Algorithm,
    version: Version,
    params: Params,
    password: &[u8],
    salt: &[u8],
) -> Result<Output> {
    let blocks = params.block_count();
    let mut out = [0; Output::MAX_LENGTH];
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let out = out.get_mut(..length).ok_or_else(|| unreadable("it is too long"))?;
    let hasher = Argon2::new(algorithm, version, params);
    MEMORY.with_borrow_mut(|memory| {
        memory.resize(blocks, Block::default());
        hasher.hash_password_into_with_memory(password, salt, out, memory).map_err(unreadable)
    })?;
    Output::new(out).map_err(unreadable)
}

/// Hashes on the calling thread: a thread of the pool, or one that hashes once.
pub(super) fn hash(password: &[u8]) -> Result<String> {
    let (algorithm, version, salt) = (Algorithm::Argon2id, Version::V0x13, Salt::generate());
    let digest = digest(algorithm, version, params(), password, &salt)?;
    let hash = PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(&params()).map_err(unreadable)?,
        salt: Some(salt),
        hash: Some(digest),
    };
    Ok(hash.to_string())
}

fn unreadable(error: impl std::fmt::Display) -> BeakError {
    BeakError::Internal(format!("a password hash: {error}"))
}

/// Whether a password is the one that was hashed.
pub(super) fn matches(password: &[u8], kept: &str) -> Result<bool> {
    let kept = PasswordHash::new(kept).map_err(unreadable)?;
    let (Some(salt), Some(hash)) = (kept.salt, kept.hash) else {
        return Err(unreadable("it has no salt or no digest"));
    };
    let algorithm = Algorithm::try_from(kept.algorithm.as_str()).map_err(unreadable)?;
    let version = kept.version.map(Version::try_from).transpose().map_err(unreadable)?;
    let params = Params::try_from(&kept).map_err(unreadable)?;
    // `Output` compares in constant time.
    Ok(hash == digest(algorithm, version.unwrap_or_default(), params, password, &salt)?)
}

pub(super) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

pub(super) fn code_hash(email: &Email, code: &OtpCode) -> String {
    sha256(&format!("{} {}", email.as_str(), code.expose()))
}
