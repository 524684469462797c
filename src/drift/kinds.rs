//! The kinds of findings: each finding is of one of them, and the reference has a page on each.

use super::State;

/// A kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Its name in the reference.
    pub id: &'static str,
    /// The format of its item; words in capitals are placeholders.
    pub item: &'static str,
    /// What is wrong.
    pub state: State,
    /// The command that mends it, or that shows what to do about it; empty where there is nothing
    /// to do.
    pub mends: &'static str,
}

const fn kind(id: &'static str, item: &'static str, state: State, mends: &'static str) -> Kind {
    Kind { id, item, state, mends }
}

pub(super) const REPAIR: &str = "spaceduck repair";
pub(super) const INSTALL: &str = "spaceduck install";
pub(super) const KEEP: &str = "spaceduck repair --keep";
const DOMAINS: &str = "spaceduck domains";
const MAIL: &str = "spaceduck mail";
const DOCTOR: &str = "spaceduck doctor";

pub(super) const STACK_GONE: Kind = kind("stack-missing", "STACK", State::Missing, INSTALL);
pub(super) const STACK_ILL: Kind = kind("stack-changed", "STACK", State::Changed, INSTALL);
pub(super) const STACK_UNPROTECTED: Kind =
    kind("stack-unprotected", "STACK", State::Changed, REPAIR);
pub(super) const RESOURCE_GONE: Kind =
    kind("resource-missing", "STACK.RESOURCE", State::Missing, REPAIR);
pub(super) const RESOURCE_CHANGED: Kind =
    kind("resource-changed", "STACK.RESOURCE", State::Changed, REPAIR);
pub(super) const RESOURCE_UNKNOWN: Kind =
    kind("resource-unchecked", "STACK.RESOURCE", State::Unchecked, "");
pub(super) const RESOURCE_FAILED: Kind =
    kind("resource-failed", "STACK.RESOURCE", State::Unchecked, DOCTOR);
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

pub(super) const STRAY: Kind = kind("stray", "ARN", State::Extra, KEEP);
pub(super) const STRAY_KEY: Kind = kind("stray-key", "ARN", State::Unchecked, KEEP);

pub(super) const DOMAIN_CERTIFICATE: Kind =
    kind("domain-certificate", "domains/FRONT", State::Changed, INSTALL);
pub(super) const DOMAIN_SILENT: Kind =
    kind("domain-silent", "domains/FRONT", State::Changed, DOMAINS);
pub(super) const DOMAIN_RECORD: Kind =
    kind("domain-record", "record/NAME", State::Changed, DOMAINS);

pub(super) const ZONE_RECORD_GONE: Kind =
    kind("zone-record-missing", "records/PART/NAME/TYPE", State::Missing, REPAIR);
pub(super) const ZONE_RECORD_CHANGED: Kind =
    kind("zone-record-changed", "records/PART/NAME/TYPE", State::Changed, KEEP);

pub(super) const MAIL_STOPPED: Kind = kind("mail-stopped", "mail", State::Changed, MAIL);
pub(super) const MAIL_ITEM: Kind = kind("mail-item", "mail/ITEM", State::Changed, MAIL);
pub(super) const MAIL_UNKNOWN: Kind = kind("mail-unchecked", "mail", State::Unchecked, DOCTOR);

pub(super) const ARTIFACTS_GONE: Kind =
    kind("artifacts-missing", "artifacts", State::Missing, REPAIR);
pub(super) const CODE_GONE: Kind =
    kind("code-missing", "artifacts/lambda/KEY", State::Missing, INSTALL);
pub(super) const POINTER_BROKEN: Kind =
    kind("release-unreadable", "artifacts/releases/KEY", State::Changed, REPAIR);
pub(super) const POINTER_LOST: Kind =
    kind("release-lost", "artifacts/releases/KEY", State::Missing, INSTALL);
pub(super) const LOOK_FAILED: Kind = kind("unchecked", "look/AREA", State::Unchecked, DOCTOR);

pub(super) const RECORD_CHANGED: Kind =
    kind("record-changed", "artifacts/KEY", State::Changed, REPAIR);
pub(super) const CODE_CHANGED: Kind =
    kind("code-changed", "artifacts/lambda/KEY", State::Changed, INSTALL);
pub(super) const SECRET_CHANGED: Kind =
    kind("secret-changed", "/GALAXY/turnstile-secret", State::Changed, INSTALL);
pub(super) const SECRET_UNKNOWN: Kind =
    kind("secret-unchecked", "/GALAXY/turnstile-secret", State::Unchecked, INSTALL);
pub(super) const POLICY_ATTACHED: Kind =
    kind("policy-attached", "STACK.RESOURCE/attached/ARN", State::Extra, REPAIR);
pub(super) const POLICY_INLINED: Kind =
    kind("policy-inlined", "STACK.RESOURCE/inline/NAME", State::Extra, REPAIR);
pub(super) const WEIGHTS: Kind =
    kind("alias-weights", "STACK.RESOURCE/weights", State::Extra, REPAIR);
pub(super) const PERMISSION: Kind =
    kind("function-permission", "STACK.RESOURCE/permission/ID", State::Extra, REPAIR);
pub(super) const URL: Kind = kind("function-url", "STACK.RESOURCE/url", State::Extra, REPAIR);
pub(super) const CONCURRENCY: Kind =
    kind("function-concurrency", "STACK.RESOURCE/concurrency", State::Extra, REPAIR);
pub(super) const CLIENT: Kind =
    kind("client-extra", "STACK.RESOURCE/client/ID", State::Extra, REPAIR);
pub(super) const CORS: Kind = kind("bucket-cors", "STACK.RESOURCE/cors", State::Extra, REPAIR);

/// All of them.
pub const KINDS: [Kind; 44] = [
    RECORD_CHANGED,
    CODE_CHANGED,
    SECRET_CHANGED,
    SECRET_UNKNOWN,
    POLICY_ATTACHED,
    POLICY_INLINED,
    WEIGHTS,
    PERMISSION,
    URL,
    CONCURRENCY,
    CLIENT,
    CORS,
    ARTIFACTS_GONE,
    CODE_GONE,
    POINTER_BROKEN,
    POINTER_LOST,
    LOOK_FAILED,
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
    STACK_UNPROTECTED,
    RESOURCE_GONE,
    RESOURCE_CHANGED,
    RESOURCE_UNKNOWN,
    RESOURCE_FAILED,
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
