//! Known failures of a galaxy: what CloudFormation reports, what it means here, and the fix. Pure;
//! the reference of failures is generated from the same table.

use std::time::Duration;

use crate::failure::{Failure, Kind};
use crate::ports::{Origin, Reason};

/// A failure that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub id: &'static str,
    /// The type of resource it hits; empty for any.
    pub kind: &'static str,
    /// What its reason has in it, in lower case; one of these is enough.
    pub says: &'static [&'static str],
    /// What it means here.
    pub means: &'static str,
    /// The fix.
    pub cure: &'static str,
}

/// All of them; the first that fits counts.
pub const KNOWN: &[Known] = &[
    Known {
        id: "cloudfront-unverified",
        kind: "AWS::CloudFront::Distribution",
        says: &["account must be verified"],
        means: "AWS lets no new account make distributions before it has looked at the account",
        cure: "open a case with AWS Support, type “Account and billing”, service CloudFront: \
               “please verify this account for CloudFront”; it takes a day or so. Then run the \
               same command again",
    },
    Known {
        id: "alias-taken",
        kind: "AWS::CloudFront::Distribution",
        says: &["cnamealreadyexists", "one or more of the cnames", "already associated"],
        means: "another distribution, perhaps in another account, already answers for this domain",
        cure: "take the domain off that distribution, or choose another one in galaxy.yaml; the \
        site stays available under its CloudFront name",
    },
    Known {
        id: "certificate-not-issued",
        kind: "AWS::CloudFront::Distribution",
        says: &["invalidviewercertificate", "certificate doesn't exist", "isn't valid"],
        means: "CloudFront takes only certificates that were issued, in us-east-1",
        cure: "wait until the certificate is issued, then run the same command again",
    },
    Known {
        id: "certificate-forbidden",
        kind: "AWS::CertificateManager::Certificate",
        says: &["caa"],
        means: "a CAA record of the domain forbids Amazon to issue certificates for it",
        cure: "allow `amazon.com` in the domain's CAA record, or take the record away",
    },
    Known {
        id: "reserved-concurrency",
        kind: "AWS::Lambda::Function",
        says: &["unreservedconcurrentexecution", "reservedconcurrentexecutions"],
        means: "a new account may run only ten functions at once and can't reserve any of them",
        cure: "ask for more under Service Quotas, Lambda, “Concurrent executions”",
    },
    Known {
        id: "code-missing",
        kind: "AWS::Lambda::Function",
        says: &["nosuchkey", "error occurred while getobject", "s3 error code"],
        means: "the function's code is no longer in the artifact bucket",
        cure: "run `spaceduck install` again: it uploads the code again",
    },
    Known {
        id: "role-not-ready",
        kind: "",
        says: &[
            "cannot be assumed",
            "role defined for the function",
            "sts:assumerole",
            "does not have permissions to call",
        ],
        means: "a role that was just made is not yet known to every part of AWS",
        cure: "run the same command again in a minute",
    },
    Known {
        id: "name-not-free-yet",
        kind: "",
        says: &[
            "queuedeletedrecently",
            "wait 60 seconds",
            "conflicting conditional operation",
            "is being deleted",
        ],
        means: "AWS is still removing the resource that had this name before",
        cure: "run the same command again in two minutes",
    },
    Known {
        id: "bucket-taken",
        kind: "AWS::S3::Bucket",
        says: &["already exists", "bucketalreadyexists", "bucketalreadyownedbyyou"],
        means: "a bucket of that name is there, and no stack of this galaxy made it",
        cure: "remove or rename it, or give the galaxy another `name` in galaxy.yaml",
    },
    Known {
        id: "bucket-not-empty",
        kind: "AWS::S3::Bucket",
        says: &["not empty", "bucketnotempty"],
        means: "something was written into the bucket while it was being removed",
        cure: "run `spaceduck teardown` again: it empties the bucket first",
    },
    Known {
        id: "table-protected",
        kind: "AWS::DynamoDB::Table",
        says: &["deletion protection", "deletionprotection"],
        means: "the table's deletion protection was switched on again",
        cure: "run `spaceduck teardown` again: it switches it off first",
    },
    Known {
        id: "pool-protected",
        kind: "AWS::Cognito::UserPool",
        says: &["deletion protection", "deletionprotection"],
        means: "the user pool's deletion protection was switched on again",
        cure: "run `spaceduck teardown` again: it switches it off first",
    },
    Known {
        id: "pool-frozen",
        kind: "AWS::Cognito::UserPool",
        says: &["updates are not allowed", "cannot modify", "invalid schema"],
        means: "Cognito never changes what a user pool was made with",
        cure: "restore the previous galaxy.yaml; no account was touched",
    },
    Known {
        id: "key-kind",
        kind: "AWS::KMS::Key",
        says: &["keyspec", "unsupported", "not supported"],
        means: "this Region's KMS does not make Ed25519 keys",
        cure: "choose another `region` in galaxy.yaml; us-east-1 and eu-central-1 have them",
    },
    Known {
        id: "identity-taken",
        kind: "AWS::SES::EmailIdentity",
        says: &["already exist"],
        means: "this account already sends mail for that domain, and did so before this galaxy",
        cure: "keep it: `spaceduck mail` uses an identity that is there and never removes it",
    },
    Known {
        id: "name-taken",
        kind: "",
        says: &["already exists", "alreadyexists"],
        means: "something of that name is there, and no stack of this galaxy made it",
        cure: "`spaceduck doctor` says what it is; remove it, or give the galaxy another `name`",
    },
    Known {
        id: "quota",
        kind: "",
        says: &["limitexceeded", "limit exceeded", "quota", "maximum number"],
        means: "the account has no room for one more of these",
        cure: "remove an unused one, or request more under Service Quotas",
    },
    Known {
        id: "permission",
        kind: "",
        says: &["not authorized", "accessdenied", "access denied", "is not authorized to perform"],
        means: "the role that CloudFormation works with, or you, may not do this",
        cure: "`spaceduck doctor` lists every missing permission at once; a policy of your \
               organisation may forbid it, too",
    },
    Known {
        id: "validation",
        kind: "",
        says: &["aws::earlyvalidation"],
        means: "CloudFormation checked the stack before it changed anything, and refused it",
        cure: "fix what the reason names, then run the same command again",
    },
    Known {
        id: "hook",
        kind: "",
        says: &["hook(s)", "hook failed", "proactive control"],
        means: "a rule of your organisation refuses this resource",
        cure: "show the reason to the administrator of your AWS organisation",
    },
    Known {
        id: "throttled",
        kind: "",
        says: &["throttl", "rate exceeded", "too many requests"],
        means: "AWS was asked too much at once by everybody in this account",
        cure: "run the same command again in a few minutes",
    },
    Known {
        id: "aws-unwell",
        kind: "",
        says: &["internal failure", "internalfailure", "service unavailable", "internal error"],
        means: "a part of AWS did not work for a moment",
        cure: "run the same command again; see the AWS Health Dashboard for details",
    },
];

/// Where a failure is worth one more try, and after how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// After this time.
    After(Duration),
    /// After this time, if a role or its policy has only just been changed.
    IfRoleIsNew(Duration),
}

/// How long a new role or policy is given to reach every part of AWS.
/// Source: "Troubleshoot IAM", AWS IAM User Guide: changes are not always visible at once.
const ROLE_SPREADS: Duration = Duration::from_secs(30);

/// How long the name of a deleted queue stays taken, and a margin.
/// Source: `DeleteQueue`, Amazon SQS API Reference.
const NAME_RESTS: Duration = Duration::from_secs(65);

impl Known {
    /// Whether a retry a little later may well succeed.
    #[must_use]
    pub fn again(&self) -> Option<Again> {
        match self.id {
            "role-not-ready" => Some(Again::After(ROLE_SPREADS)),
            "permission" => Some(Again::IfRoleIsNew(ROLE_SPREADS)),
            "name-not-free-yet" => Some(Again::After(NAME_RESTS)),
            _ => None,
        }
    }

    /// Whether only AWS can end it, while everything that does not need this resource can go on.
    #[must_use]
    pub fn waits_for_aws(&self) -> bool {
        self.id == "cloudfront-unverified"
    }
}

/// The known failure that matches a resource's reason.
#[must_use]
pub fn known(kind: &str, reason: &str) -> Option<&'static Known> {
    let reason = reason.to_lowercase();
    let fits = |known: &&Known| {
        (known.kind.is_empty() || known.kind == kind)
            && known.says.iter().any(|part| reason.contains(part))
    };
    KNOWN.iter().find(fits)
}

/// The known failure behind a reason. Only a hook is reported as a hook.
#[must_use]
pub fn behind(reason: &Reason) -> Option<&'static Known> {
    let named = |id: &str| KNOWN.iter().find(|known| known.id == id);
    let found = known(&reason.kind, &reason.text);
    match reason.origin {
        Origin::Hook => named("hook"),
        Origin::Validation => found.filter(|known| known.id != "hook").or(named("validation")),
        Origin::Resource | Origin::Stack => found,
    }
}

/// Adds the causes to a failure: every reason, what the first known one means, and its fix.
#[must_use]
pub fn explain(failure: Failure, reasons: &[Reason]) -> Failure {
    let said: Vec<String> = reasons.iter().map(Reason::to_string).collect();
    let Some(known) = reasons.iter().find_map(behind) else {
        return if said.is_empty() { failure } else { failure.cause(said.join("\n  ")) };
    };
    let mut failure =
        failure.cause(format!("{}\n  {}", known.means, said.join("\n  "))).help(known.cure);
    if known.waits_for_aws() {
        failure.kind = Kind::Waiting;
    }
    failure
}

/// Adds that the reasons themselves could not be read, and why.
#[must_use]
pub fn unread(mut failure: Failure, why: &Failure) -> Failure {
    let detail = why.cause.as_deref().unwrap_or_else(|| why.message());
    let note = format!("CloudFormation's detailed reasons could not be read: {detail}");
    failure.cause = Some(match failure.cause.take().filter(|cause| !cause.is_empty()) {
        Some(cause) => format!("{cause}\n  {note}"),
        None => note,
    });
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(kind: &str, reason: &str) -> &'static str {
        known(kind, reason).map_or("", |known| known.id)
    }

    #[test]
    fn what_aws_says_is_understood() {
        // Each reason as people have met it.
        for (kind, reason, wanted) in [
            (
                "AWS::CloudFront::Distribution",
                "Access denied for operation 'AWS::CloudFront::Distribution: Your account must be \
                 verified before you can add new CloudFront resources.",
                "cloudfront-unverified",
            ),
            (
                "AWS::CloudFront::Distribution",
                "Resource handler returned message: \"Invalid request provided: \
                 AWS::CloudFront::Distribution: One or more of the CNAMEs you provided are already \
                 associated with a different resource. (Service: CloudFront, Status Code: 409)\"",
                "alias-taken",
            ),
            (
                "AWS::Lambda::Function",
                "Specified ReservedConcurrentExecutions for function decreases account's \
                 UnreservedConcurrentExecution below its minimum value of [10].",
                "reserved-concurrency",
            ),
            ("AWS::S3::Bucket", "pond-artifacts already exists", "bucket-taken"),
            ("AWS::S3::Bucket", "The bucket you tried to delete is not empty", "bucket-not-empty"),
            (
                "AWS::SES::ConfigurationSet",
                "Resource of type 'AWS::SES::ConfigurationSet' with identifier 'pond' already \
                 exists.",
                "name-taken",
            ),
            (
                "AWS::IAM::Role",
                "User: arn:aws:iam::1:user/x is not authorized to perform: iam:CreateRole",
                "permission",
            ),
            ("AWS::Logs::LogGroup", "Rate exceeded (Service: CloudWatchLogs)", "throttled"),
            ("AWS::Logs::LogGroup", "something that nobody has seen before", ""),
            (
                "AWS::SQS::Queue",
                "You must wait 60 seconds after deleting a queue before you can create another \
                 with the same name. (Service: Sqs, QueueDeletedRecently)",
                "name-not-free-yet",
            ),
            (
                "AWS::Lambda::EventInvokeConfig",
                "The function's execution role does not have permissions to call SendMessage on \
                 arn:aws:sqs:eu-central-1:1:q",
                "role-not-ready",
            ),
            ("", "The following hook(s) failed: [Acme::Guard::Hook]", "hook"),
            ("", "The following hook(s)/validation failed: [Acme::Guard::Hook].", "hook"),
            (
                "",
                "The following hook(s)/validation failed: \
                 [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early Validation \
                 errors, use the DescribeEvents API for detailed failure information.",
                "validation",
            ),
            ("AWS::Events::Rule", "The webhook target is unknown", ""),
        ] {
            assert_eq!(id(kind, reason), wanted, "{reason}");
        }
    }

    #[test]
    fn every_known_failure_is_whole_and_can_be_reached() {
        for known in KNOWN {
            assert!(!known.says.is_empty() && !known.cure.is_empty(), "{}", known.id);
            for part in known.says {
                assert_eq!(*part, part.to_lowercase(), "{}", known.id);
            }
            let kind = if known.kind.is_empty() { "AWS::Some::Thing" } else { known.kind };
            let first = known.says.first().copied().unwrap_or_default();
            assert_eq!(id(kind, first), known.id);
        }
    }
    #[test]
    fn only_a_hook_is_told_as_a_hook() {
        let reason = |origin, text: &str| Reason {
            origin,
            resource: "Topic".into(),
            kind: "AWS::SNS::Topic".into(),
            text: text.into(),
        };
        let id = |reason: &Reason| behind(reason).map_or("", |known| known.id);
        assert_eq!(id(&reason(Origin::Hook, "Topics need a key")), "hook");
        assert_eq!(id(&reason(Origin::Validation, "extraneous key [Hook]")), "validation");
        assert_eq!(id(&reason(Origin::Validation, "hook failed")), "validation");
        let taken = "Resource of type 'AWS::SNS::Topic' with identifier 'pond' already exists.";
        assert_eq!(id(&reason(Origin::Validation, taken)), "name-taken");
        assert_eq!(id(&reason(Origin::Resource, "Topics need a key")), "");
    }

    #[test]
    fn reasons_that_can_not_be_read_are_not_swallowed() {
        let failure = Failure::new(Kind::Settled, "no").cause("FAILED");
        let why = Failure::new(Kind::Access, "a permission is missing").cause("AccessDenied: x");
        let cause = unread(failure, &why).cause.expect("a cause");
        assert!(cause.contains("FAILED") && cause.contains("AccessDenied: x"), "{cause}");
    }
}
