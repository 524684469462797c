//! Operators of a galaxy that is not running.

use std::path::Path;
use std::sync::Arc;

use beak_api::system::{SystemClock, SystemEntropy};
use beak_core::person::{Email, hex};

use crate::broken;
use crate::data::{DATABASE, Data};
use crate::error::LocalError;
use crate::identity::{Joined, LocalIdentity};

fn open(data: &Path) -> Result<LocalIdentity, LocalError> {
    if !data.join(DATABASE).exists() {
        return Err(LocalError::NoGalaxy(data.to_owned()));
    }
    let data = Data::open(data)?;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    LocalIdentity::new(Arc::new(data.db), clock, entropy).map_err(broken)
}

/// Makes a person an operator. Whether it was none before. The password of a new account is shown
/// before it counts: where `show` fails, nothing is changed, and its error is the inner one.
pub async fn add<E>(
    data: &Path,
    email: &Email,
    show: impl FnOnce(&str) -> Result<(), E>,
) -> Result<Result<bool, E>, LocalError> {
    let identity = open(data)?;
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| LocalError::Broken(error.to_string()))?;
    let password = hex(&random);
    // Nothing else has the folder open, so the answer holds until the account is made.
    if !identity.has_password(email.clone()).await.map_err(broken)?
        && let Err(error) = show(&password)
    {
        return Ok(Err(error));
    }
    let joined = identity.add_operator(email, &password).await.map_err(broken)?;
    Ok(Ok(joined != Joined::Already))
}

/// Makes an operator an ordinary person. Whether it was one.
pub async fn remove(data: &Path, email: &Email) -> Result<bool, LocalError> {
    open(data)?.remove_operator(email).await.map_err(broken)
}

/// Removes a person's second factor and ends the person's tokens. Whether there was one.
pub async fn reset_factor(data: &Path, email: &Email) -> Result<bool, LocalError> {
    open(data)?.reset_factor(email).await.map_err(broken)
}

/// The operators' addresses.
pub fn list(data: &Path) -> Result<Vec<String>, LocalError> {
    open(data)?.operators().map_err(broken)
}
