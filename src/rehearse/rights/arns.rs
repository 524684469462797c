//! What an action of a handler is asked on. Names are those in the properties; ids that AWS draws
//! are made up.

use super::{Scene, boundary_arn, context, fits, text};
use crate::iam::Request;
use crate::yaml::Node;

/// A resource that a handler works with.
struct Thing<'a> {
    kind: &'a str,
    id: &'a str,
    properties: &'a Node,
    scene: &'a Scene,
}

impl Thing<'_> {
    fn name(&self, key: &str) -> String {
        text(self.properties.get(key), self.scene).unwrap_or_default()
    }

    fn local(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.scene.region, self.scene.account)
    }

    /// A name as `CloudFormation` draws it.
    fn drawn(&self, id: &str) -> String {
        format!("{}-{id}-1A2B3C4D5E6F", self.scene.stack)
    }

    fn edge(&self, rest: &str) -> String {
        format!("arn:aws:cloudfront::{}:{rest}", self.scene.account)
    }

    fn iam(&self, verb: &str) -> String {
        let account = &self.scene.account;
        if verb == "CreateServiceLinkedRole" {
            let service = linked_service(self.kind);
            return format!(
                "arn:aws:iam::{account}:role/aws-service-role/{service}/AWSServiceRole"
            );
        }
        match self.kind {
            "AWS::IAM::ManagedPolicy" => boundary_arn(self.scene),
            "AWS::IAM::Role" => {
                format!("arn:aws:iam::{account}:role/spaceduck/{}", self.drawn(self.id))
            }
            _ => format!("arn:aws:iam::{account}:role/spaceduck/{}", self.drawn("FunctionRole")),
        }
    }

    fn s3(&self) -> String {
        let Scene { galaxy, account, home, region, stack, .. } = self.scene;
        match self.kind {
            "AWS::Lambda::Function" => {
                format!("arn:aws:s3:::{galaxy}-artifacts-{account}-{home}-an/lambda/code.zip")
            }
            // It names its bucket by reference.
            "AWS::S3::BucketPolicy" => {
                let part = stack.strip_prefix(&format!("{galaxy}-site-")).unwrap_or("artifacts");
                format!("arn:aws:s3:::{galaxy}-{part}-{account}-{region}-an")
            }
            _ => format!("arn:aws:s3:::{}", self.name("BucketName")),
        }
    }

    fn api_gateway(&self, verb: &str) -> String {
        let rest = match self.kind {
            "AWS::ApiGatewayV2::DomainName" | "AWS::ApiGatewayV2::ApiMapping" => {
                format!("domainnames/{}", self.name("DomainName"))
            }
            "AWS::ApiGatewayV2::Api" if verb == "POST" => "apis".to_owned(),
            _ => "apis/a1b2c3d4e5/stages".to_owned(),
        };
        format!("arn:aws:apigateway:{}::/{rest}", self.scene.region)
    }

    fn cloud_front(&self) -> String {
        match self.kind {
            "AWS::CloudFront::Function" => self.edge(&format!("function/{}", self.name("Name"))),
            "AWS::CloudFront::OriginAccessControl" => self.edge("origin-access-control/E1A2B3C4D5"),
            "AWS::CloudFront::ResponseHeadersPolicy" => self.edge("response-headers-policy/1a2b3c"),
            _ => self.edge("distribution/E1A2B3C4D5E6F7"),
        }
    }

    fn logs(&self, verb: &str) -> String {
        let rest = match self.kind {
            "AWS::Logs::LogGroup" => {
                let tags = ["TagResource", "UntagResource", "ListTagsForResource"].contains(&verb);
                format!("log-group:{}{}", self.name("LogGroupName"), if tags { "" } else { ":*" })
            }
            "AWS::Logs::DeliverySource" => format!("delivery-source:{}", self.name("Name")),
            "AWS::Logs::DeliveryDestination" => {
                format!("delivery-destination:{}", self.name("Name"))
            }
            _ => "delivery:AbCdEfGhIjKlMnOp".to_owned(),
        };
        self.local("logs", &rest)
    }

    fn ses(&self) -> String {
        let rest = match self.kind {
            "AWS::SES::EmailIdentity" => format!("identity/{}", self.name("EmailIdentity")),
            "AWS::SES::ConfigurationSet" => format!("configuration-set/{}", self.name("Name")),
            _ => format!("configuration-set/{}-tx", self.scene.galaxy),
        };
        self.local("ses", &rest)
    }

    fn arn(&self, action: &str) -> String {
        if knows_no_resource(action) {
            return "*".to_owned();
        }
        let (service, verb) = action.split_once(':').unwrap_or_default();
        match service {
            "iam" => self.iam(verb),
            "s3" => self.s3(),
            "dynamodb" => self.local(service, &format!("table/{}", self.name("TableName"))),
            "lambda" => self.local(service, &format!("function:{}-beak", self.scene.galaxy)),
            "apigateway" => self.api_gateway(verb),
            "cognito-idp" => self.local(service, "userpool/eu-central-1_AbCdEfGhI"),
            "ses" => self.ses(),
            "events" => self.local(service, &format!("rule/{}", self.name("Name"))),
            "sqs" => self.local(service, &self.drawn("MailDeadLetters")),
            "sns" => self.local(service, &self.drawn("AlarmTopic")),
            // A parameter's name begins with a slash, and its ARN has no second one.
            "ssm" => self.local(service, &format!("parameter{}", self.name("Name"))),
            "cloudwatch" => self.local(service, &format!("alarm:{}", self.name("AlarmName"))),
            "kms" if self.kind == "AWS::KMS::Alias" => self.local(service, &self.name("AliasName")),
            "kms" => self.local(service, "key/11111111-2222-3333-4444-555555555555"),
            "cloudfront" => self.cloud_front(),
            "wafv2" => self.local(service, &format!("global/webacl/{}/1a2b3c", self.name("Name"))),
            "logs" => self.logs(verb),
            _ => "*".to_owned(),
        }
    }
}

/// What IAM is asked when a handler of a resource calls an action.
#[must_use]
pub fn request(kind: &str, id: &str, properties: &Node, action: &str, scene: &Scene) -> Request {
    let resource = Thing { kind, id, properties, scene }.arn(action);
    Request { action: action.to_owned(), resource, context: context(kind, properties, scene) }
}

/// Actions that know no resources, or that are asked on a whole list.
/// Source: "Actions, resources, and condition keys for AWS services", Service Authorization
/// Reference.
fn knows_no_resource(action: &str) -> bool {
    const WHOLE: [&str; 15] = [
        "cloudwatch:DescribeAlarms",
        "cognito-idp:CreateUserPool",
        "cognito-idp:ListUserPools",
        "kms:CreateKey",
        "kms:ListAliases",
        "kms:ListKeys",
        "logs:*LogDeliver*",
        "logs:Describe*",
        "logs:PutResourcePolicy",
        "ses:DescribeConfigurationSet",
        "sns:GetSubscriptionAttributes",
        "sns:SetSubscriptionAttributes",
        "sns:Unsubscribe",
        "s3:ListAllMyBuckets",
        "ssm:DescribeParameters",
    ];
    const LISTS: [&str; 8] = [
        "cloudfront:List*s",
        "cloudfront:ListResponseHeadersPolicies",
        "dynamodb:ListTables",
        "events:ListRules",
        "lambda:ListFunctions",
        "s*:List*s",
        "iam:ListRoles",
        "wafv2:listWebACLs",
    ];
    let indexed = action == "logs:DescribeIndexPolicies";
    let own = ["sns:ListSubscriptionsByTopic", "sqs:ListQueueTags"].contains(&action);
    let lists = || LISTS.iter().any(|pattern| fits(pattern, action));
    !indexed && !own && (WHOLE.iter().any(|pattern| fits(pattern, action)) || lists())
}

pub(super) fn linked_service(kind: &str) -> &'static str {
    if kind.starts_with("AWS::Cognito::") {
        "email.cognito-idp.amazonaws.com"
    } else {
        "ops.apigateway.amazonaws.com"
    }
}
