//! Events of `spaceduck mail`.

use serde::Serialize;

/// The state of the account's mail at Amazon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// In one word, such as `never_asked`, `pending` or `granted`.
    pub stage: String,
    /// In a few words.
    pub title: String,
    /// What it means.
    pub meaning: String,
    /// What to do now, in order.
    pub now: Vec<String>,
    /// What to avoid.
    pub avoid: Vec<String>,
    /// How long it usually takes until something changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<String>,
    /// Facts about it, such as the quota and the number of the case.
    pub facts: Vec<String>,
}

/// An item of the checklist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its number, from 1.
    pub number: u8,
    /// Its name.
    pub item: String,
    /// The condition that has to hold.
    pub title: String,
    /// `done`, `waiting`, `wrong` or `unseen`.
    pub state: String,
    /// Whether the program looked by itself; else only a person can answer.
    pub checked: bool,
    /// More about a finished item, or why it could not be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Who is waited for: `you`, `amazon`, or another item by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whom: Option<String>,
    /// For what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Since when, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// How long it usually takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<String>,
    /// What is wrong now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// How it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub should: Option<String>,
    /// Where to change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A wanted record, and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Its full name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Its name inside the zone, as most panels want it.
    pub host: String,
    /// `CNAME`, `ALIAS`, `MX` or `TXT`.
    pub kind: String,
    /// What it says.
    pub value: String,
    /// Seconds that others may keep it.
    pub ttl: u32,
    /// Its purpose.
    pub purpose: String,
    /// Who sets it: `spaceduck`, in Route 53, or `you`.
    pub by: String,
    /// `right`, `missing`, `wrong` or `unseen`.
    pub state: String,
    /// What is wrong, and the fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Which servers were asked, and which of them did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
}

/// The chances of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chances {
    /// Points out of 100.
    pub points: u8,
    /// In words.
    pub words: String,
    /// What is known to be refused and still so.
    pub open: Vec<String>,
    /// What the draft does not say, and what would have to be seen for it.
    pub left_out: Vec<String>,
}

/// What would be sent, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// The website.
    pub website: String,
    /// What sort of mail.
    pub mail_type: String,
    /// The language that Amazon answers in.
    pub language: String,
    /// Other recipients of the outcome.
    pub contacts: Vec<String>,
    /// The text.
    pub text: String,
}
