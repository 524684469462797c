//! Operators of a galaxy that is not running.

use std::path::Path;
use std::sync::Arc;

use beak_api::system::{SystemClock, SystemEntropy};
use beak_core::person::{Email, hex};

use crate::broken;
use crate::data::Data;
use crate::error::LocalError;
use crate::identity::LocalIdentity;

fn open(data: &Path) -> Result<LocalIdentity, LocalError> {
    if !data.join("galaxy.redb").exists() {
        return Err(LocalError::NoGalaxy(data.to_owned()));
    }
    let data = Data::open(data)?;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    LocalIdentity::new(Arc::new(data.db), clock, entropy).map_err(broken)
}

/// Makes somebody an operator. `None` if it was so before; the password, if an account was made.
pub async fn add(data: &Path, email: &Email) -> Result<Option<Option<String>>, LocalError> {
    let identity = open(data)?;
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| LocalError::Broken(error.to_string()))?;
    let password = hex(&random);
    if identity.add_operator(email, &password).await.map_err(broken)? {
        return Ok(Some(Some(password)));
    }
    let changed = identity.set_operator(email, true).await.map_err(broken)?;
    Ok(changed.then_some(None))
}

/// Makes an operator an ordinary person. Whether it was one.
pub async fn remove(data: &Path, email: &Email) -> Result<bool, LocalError> {
    open(data)?.set_operator(email, false).await.map_err(broken)
}

/// The operators' addresses.
pub fn list(data: &Path) -> Result<Vec<String>, LocalError> {
    open(data)?.operators().map_err(broken)
}
