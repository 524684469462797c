//! The Beak on AWS: DynamoDB, Cognito, SES and KMS behind one Lambda.
