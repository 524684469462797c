//! The kinds of findings: each finding is of one of them, and the reference has a page on each.

use super::State;

/// A kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name in the reference.
    pub id: &'static str,
    /// How its item is spelled; words in capitals stand for names.
    pub item: &'static str,
    /// What is wrong.
    pub state: State,
    /// The command that mends it; nothing where there is nothing to mend.
    pub mends: &'static str,
}

const fn kind(id: &'static str, item: &'static str, state: State, mends: &'static str) -> Kind {
    Kind { id, item, state, mends }
}

const REPAIR: &str = "spaceduck repair";
const INSTALL: &str = "spaceduck install";

pub(super) const STACK_GONE: Kind = kind("stack-missing", "STACK", State::Missing, INSTALL);
pub(super) const STACK_ILL: Kind = kind("stack-changed", "STACK", State::Changed, INSTALL);
pub(super) const RESOURCE_GONE: Kind =
    kind("resource-missing", "STACK.RESOURCE", State::Missing, REPAIR);
pub(super) const RESOURCE_CHANGED: Kind =
    kind("resource-changed", "STACK.RESOURCE", State::Changed, REPAIR);
pub(super) const RESOURCE_UNKNOWN: Kind =
    kind("resource-unchecked", "STACK.RESOURCE", State::Unchecked, "");
pub(super) const FUNCTION_GONE: Kind = kind("function-missing", "function", State::Missing, REPAIR);
pub(super) const FUNCTION_CHANGED: Kind =
    kind("function-changed", "function", State::Changed, REPAIR);
pub(super) const BUCKET_GONE: Kind = kind("bucket-missing", "SITE", State::Missing, INSTALL);
pub(super) const PAGE_GONE: Kind = kind("page-missing", "SITE/PAGE", State::Missing, REPAIR);
pub(super) const PAGE_CHANGED: Kind = kind("page-changed", "SITE/PAGE", State::Changed, REPAIR);
pub(super) const PAGE_EXTRA: Kind = kind("page-extra", "SITE/PAGE", State::Extra, REPAIR);
pub(super) const RECORD_GONE: Kind =
    kind("record-missing", "artifacts/KEY", State::Missing, REPAIR);
pub(super) const HOSTS_GONE: Kind =
    kind("hostnames-missing", "/GALAXY/turnstile-hostnames", State::Missing, REPAIR);
pub(super) const HOSTS_CHANGED: Kind =
    kind("hostnames-changed", "/GALAXY/turnstile-hostnames", State::Changed, REPAIR);
pub(super) const SECRET_GONE: Kind =
    kind("secret-missing", "/GALAXY/turnstile-secret", State::Missing, INSTALL);

pub(super) const STRAY: Kind = kind("stray", "ARN", State::Extra, "");
pub(super) const STRAY_KEY: Kind = kind("stray-key", "ARN", State::Unchecked, "");

pub(super) const DOMAIN_CERTIFICATE: Kind =
    kind("domain-certificate", "domains/FRONT", State::Changed, INSTALL);
pub(super) const DOMAIN_SILENT: Kind = kind("domain-silent", "domains/FRONT", State::Changed, "");
pub(super) const DOMAIN_RECORD: Kind = kind("domain-record", "record/NAME", State::Changed, "");

pub(super) const ZONE_RECORD_GONE: Kind =
    kind("zone-record-missing", "records/PART/NAME/TYPE", State::Missing, REPAIR);
pub(super) const ZONE_RECORD_CHANGED: Kind =
    kind("zone-record-changed", "records/PART/NAME/TYPE", State::Changed, "");

pub(super) const MAIL_STOPPED: Kind = kind("mail-stopped", "mail", State::Changed, "");
pub(super) const MAIL_ITEM: Kind = kind("mail-item", "mail/ITEM", State::Changed, "");
pub(super) const MAIL_UNKNOWN: Kind = kind("mail-unchecked", "mail", State::Unchecked, "");

/// All of them.
pub const KINDS: [Kind; 25] = [
    STRAY,
    STRAY_KEY,
    DOMAIN_CERTIFICATE,
    DOMAIN_SILENT,
    DOMAIN_RECORD,
    ZONE_RECORD_GONE,
    ZONE_RECORD_CHANGED,
    MAIL_STOPPED,
    MAIL_ITEM,
    MAIL_UNKNOWN,
    STACK_GONE,
    STACK_ILL,
    RESOURCE_GONE,
    RESOURCE_CHANGED,
    RESOURCE_UNKNOWN,
    FUNCTION_GONE,
    FUNCTION_CHANGED,
    BUCKET_GONE,
    PAGE_GONE,
    PAGE_CHANGED,
    PAGE_EXTRA,
    RECORD_GONE,
    HOSTS_GONE,
    HOSTS_CHANGED,
    SECRET_GONE,
];
