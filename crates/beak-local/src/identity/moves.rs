//! Accounts that move in from another galaxy, and those that move out.

use beak_core::Result;
use beak_core::person::Email;

use super::passwords::hash;
use super::{PersonRow, new_account, person};
use crate::db::{LAST, PEOPLE, Reading, Writing};

/// A hash of a password that no one knows, for accounts that moved in.
pub(crate) fn unknown_password(random: &[u8; 32]) -> Result<String> {
    hash(random)
}

/// Takes in an account of another galaxy, unless it is here: then it keeps its password. Whether
/// it was taken in.
pub(crate) fn move_in(txn: &Writing, email: &str, operator: bool, password: &str) -> Result<bool> {
    let email = Email::parse(email)?;
    if person(txn, &email)?.is_some() {
        return Ok(false);
    }
    let (account, password, confirmed) = (new_account()?, password.to_owned(), true);
    let row = PersonRow { account, password, confirmed, operator, code: None };
    txn.put(PEOPLE, email.as_str(), &row).map(|()| true)
}

/// Takes an account out again that was deleted with its duckling. An operator stays one.
pub(crate) fn move_out(txn: &Writing, email: &str) -> Result<()> {
    match txn.get::<PersonRow>(PEOPLE, email)? {
        Some(row) if !row.operator => txn.remove(PEOPLE, email).map(|_| ()),
        _ => Ok(()),
    }
}

/// Gives every account: its address, whether that is confirmed, whether it is an operator's. The
/// operator that a local galaxy makes for itself stays with it.
pub(crate) fn people(
    txn: &Reading,
    mut give: impl FnMut(String, bool, bool) -> Result<()>,
) -> Result<()> {
    txn.each::<PersonRow>(PEOPLE, ("", LAST), |email, row| {
        if email == crate::OPERATOR {
            return Ok(());
        }
        give(email, row.confirmed, row.operator)
    })
}
