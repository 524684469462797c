//! The Beak's ports on AWS: DynamoDB, Cognito, SES and KMS.

pub mod store;
