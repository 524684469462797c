//! Accounts that move in from another galaxy, and those that move out.

use beak_core::Result;
use beak_core::person::Email;

use super::passwords::hash;
use super::{PersonRow, new_account, person};
use crate::db::{PEOPLE, Reading, Span, Writing};

/// A hash of a password that no one knows, for accounts that moved in.
pub(crate) fn unknown_password(random: &[u8; 32]) -> Result<String> {
    hash(random)
}

/// Takes in an account of another galaxy. An account that is here keeps its password.
pub(crate) fn move_in(txn: &Writing, email: &str, operator: bool, password: &str) -> Result<()> {
    let email = Email::parse(email)?;
    if person(txn, &email)?.is_some() {
        return Ok(());
    }
    let (account, password, confirmed) = (new_account()?, password.to_owned(), true);
    let row = PersonRow { account, password, confirmed, operator, code: None };
    txn.put(PEOPLE, email.as_str(), &row)
}

/// Every account: its address, whether that is confirmed, whether it is an operator's. The operator
/// that a local galaxy makes for itself stays with it.
pub(crate) fn people(txn: &Reading) -> Result<Vec<(String, bool, bool)>> {
    let all = Span { from: "", to: "\u{7f}", backwards: false, limit: usize::MAX };
    let mut people = txn.list::<PersonRow>(PEOPLE, &all)?;
    people.retain(|(email, _)| email != crate::OPERATOR);
    Ok(people.into_iter().map(|(email, row)| (email, row.confirmed, row.operator)).collect())
}
