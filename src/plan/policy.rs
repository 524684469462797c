//! Which changes of a change set are refused unless the person names the resource.

use std::collections::BTreeSet;

use crate::model::Stack;
use crate::ports::{Change, ChangeAction};

/// Types that hold what a person can't get back, or whose id other people have written down.
const PROTECTED: [&str; 8] = [
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Cognito::UserPool",
    "AWS::S3::Bucket",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudFront::Distribution",
    "AWS::SES::EmailIdentity",
];

/// Whether policy refuses a change: replacing or removing what is protected, unless the person
/// has named it as `STACK.RESOURCE`.
#[must_use]
pub fn refuses(stack: Stack, change: &Change, named: &BTreeSet<String>) -> bool {
    let destroys = matches!(change.action, ChangeAction::Replace | ChangeAction::Remove);
    let protected = PROTECTED.contains(&change.kind.as_str());
    destroys && protected && !named.contains(&format!("{stack}.{}", change.resource))
}
