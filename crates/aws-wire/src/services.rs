//! The services, each by the name that its generated crate has behind `aws-sdk-`.

/// How a service takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// JSON 1.1: the operation is in a header, behind this prefix.
    Json(&'static str),
    /// JSON, with the operation in the address.
    RestJson,
    /// A form that names the operation and this version of the API; XML comes back.
    Query(&'static str),
    /// XML, with the operation in the address.
    RestXml,
}

/// A service of AWS.
#[derive(Debug)]
pub struct Service {
    /// The name that settings for one service go by, as in `AWS_ENDPOINT_URL_ROUTE_53`.
    pub id: &'static str,
    /// The name that is in signatures and addresses.
    pub name: &'static str,
    /// Whether it has one address for all Regions.
    pub global: bool,
    /// How it takes calls.
    pub protocol: Protocol,
}

const fn regional(id: &'static str, name: &'static str, protocol: Protocol) -> Service {
    Service { id, name, global: false, protocol }
}

const fn global(id: &'static str, name: &'static str, protocol: Protocol) -> Service {
    Service { id, name, global: true, protocol }
}

/// AWS Certificate Manager.
pub static ACM: Service = regional("ACM", "acm", Protocol::Json("CertificateManager"));
/// Amazon `CloudWatch` Logs.
pub static CLOUDWATCHLOGS: Service =
    regional("CloudWatch Logs", "logs", Protocol::Json("Logs_20140328"));
/// AWS Identity and Access Management.
pub static IAM: Service = global("IAM", "iam", Protocol::Query("2010-05-08"));
/// AWS Key Management Service.
pub static KMS: Service = regional("KMS", "kms", Protocol::Json("TrentService"));
/// AWS Lambda.
pub static LAMBDA: Service = regional("Lambda", "lambda", Protocol::RestJson);
/// Resource Groups Tagging API.
pub static RESOURCEGROUPSTAGGING: Service = regional(
    "Resource Groups Tagging API",
    "tagging",
    Protocol::Json("ResourceGroupsTaggingAPI_20170126"),
);
/// Amazon Route 53.
pub static ROUTE53: Service = global("Route 53", "route53", Protocol::RestXml);
/// Service Quotas.
pub static SERVICEQUOTAS: Service =
    regional("Service Quotas", "servicequotas", Protocol::Json("ServiceQuotasV20190624"));
/// AWS Systems Manager, of which Parameter Store is a part.
pub static SSM: Service = regional("SSM", "ssm", Protocol::Json("AmazonSSM"));

/// All of them, for checks of settings and of this table.
pub static ALL: [&Service; 9] = [
    &ACM,
    &CLOUDWATCHLOGS,
    &IAM,
    &KMS,
    &LAMBDA,
    &RESOURCEGROUPSTAGGING,
    &ROUTE53,
    &SERVICEQUOTAS,
    &SSM,
];
