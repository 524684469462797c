//! The table of checks: what each is about, how it should be, and the cure.

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name; it never changes.
    pub id: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// How it should be.
    pub should: &'static str,
    /// What to do where it is not so.
    pub cure: &'static str,
}

const fn of(
    id: &'static str,
    title: &'static str,
    should: &'static str,
    cure: &'static str,
) -> Check {
    Check { id, title, should, cure }
}

/// All checks, in the order in which they are told.
pub const CHECKS: &[Check] = &[
    of(
        "function",
        "The Lambda function's code",
        "it lies beside the program, or the program is in a checkout of its sources",
        "unpack the release archive again and keep its files together",
    ),
    of(
        "disk",
        "Room on this machine",
        "there is room for the function's code",
        "make room, or run it from a folder on another disk",
    ),
    of(
        "credentials",
        "AWS credentials",
        "they are accepted, and are not those of the account's root user",
        "make a role or a user for this with the policy that `spaceduck doctor --print-policy` \
         prints",
    ),
    of(
        "credentials-end",
        "How long the credentials last",
        "at least half an hour; a first installation takes some minutes",
        "renew them, for example with `aws sso login`",
    ),
    of(
        "region",
        "The home Region",
        "it is switched on for the account",
        "switch it on under Account, AWS Regions in the console, or choose another one",
    ),
    of(
        "clock",
        "This machine's clock",
        "within a minute of AWS's; five minutes off, AWS refuses every call",
        "set the clock, best by NTP",
    ),
    of(
        "permissions",
        "Permissions",
        "every action of `spaceduck doctor --print-policy` is allowed",
        "attach the policy that `spaceduck doctor --print-policy` prints",
    ),
    of(
        "stacks-quota",
        "Room for stacks",
        "there is room for the stacks that are still to be made",
        "remove unused stacks, or have the quota `Stack count` of CloudFormation raised \
         under Service Quotas",
    ),
    of(
        "distributions-quota",
        "Room for distributions",
        "there is room for a distribution of every site",
        "remove unused distributions, or have the quota `Web distributions per AWS \
         account` raised under Service Quotas in us-east-1",
    ),
    of(
        "headers-quota",
        "Room for response headers policies",
        "there is room for a policy of every site",
        "remove unused policies, or have the quota `Response headers policies per AWS \
         account` raised under Service Quotas in us-east-1",
    ),
    of(
        "concurrency",
        "How many calls are answered at once",
        "100 or more; a new account may have 10",
        "have the quota `Concurrent executions` of Lambda raised under Service Quotas; a galaxy \
         installs without it, and answers 429 when more come at once",
    ),
    of(
        "throttles",
        "How many calls API Gateway lets through",
        "no more than the account's quotas of API Gateway and Lambda carry",
        "lower the setting, or have the quota `Throttle rate` of API Gateway raised under Service \
         Quotas",
    ),
    of(
        "cloudfront-account",
        "Whether the account may make distributions",
        "AWS has let the account make a distribution before",
        "nothing can be asked beforehand. If `install` fails with `Your account must be verified`, \
         open a case in the Support Center (Account and billing) with the words: please verify \
         this account for creating CloudFront distributions. Then run `install` again",
    ),
    of(
        "stacks",
        "The galaxy's stacks",
        "each is settled, or not there yet",
        "run `spaceduck install`: it waits for what is moving and finds a way on from the rest",
    ),
    of(
        "lock",
        "Who else is at work",
        "no run is changing the galaxy",
        "wait until that is done; a dead process's lock is taken over by itself",
    ),
    of(
        "names",
        "Names that are taken",
        "the names that the stacks need are free",
        "remove what has them, or give the galaxy another `name`",
    ),
    of(
        "leftovers",
        "What an earlier installation left",
        "buckets and tables are taken up again with what is in them",
        "to start over, remove them first with `spaceduck teardown`",
    ),
    of(
        "people",
        "Accounts and key of an earlier installation",
        "none is there without its stack: AWS drew its id, so no name leads to it",
        "if `spaceduck plan` shows a stack created around it, `spaceduck install --confirm NAME` \
         takes it over; otherwise a new one is made beside it, and its people can't sign in",
    ),
    of(
        "mail",
        "Mail in the home Region",
        "mail leaves, and the account is in good standing",
        "see the reason under Account dashboard in the SES console; codes of a galaxy without a \
         domain of its own come from Cognito and are not touched by this",
    ),
    of(
        "domains",
        "Your own domains",
        "each is delegated, lets amazon.com issue certificates, and leads nowhere else",
        "see `spaceduck domains`; the galaxy installs without, under the names that AWS gives",
    ),
    of(
        "captcha",
        "Turnstile",
        "site key and secret are known; hatching needs both",
        "make a widget at Cloudflare, put `turnstile.site_key` into galaxy.yaml and set \
         SPACEDUCK_TURNSTILE_SECRET",
    ),
    of(
        "release",
        "This program's version",
        "not older than what is installed",
        "take the newer program, or go back on purpose with `spaceduck rollback`",
    ),
];

/// A check by its name.
///
/// The names are written in this program only, and a test asks for every one of them.
#[must_use]
pub fn check(id: &str) -> &'static Check {
    CHECKS.iter().find(|check| check.id == id).unwrap_or(&CHECKS[0])
}
