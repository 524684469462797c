//! The table of calls: every operation in `aws/` with the actions that it takes.
//!
//! Source of the actions: "Actions, resources, and condition keys for AWS services", Service
//! Authorization Reference. A test holds the table to the code.

use super::{Call, On};

const fn call(
    service: &'static str,
    operation: &'static str,
    actions: &'static [&'static str],
    on: On,
) -> Call {
    Call { service, operation, actions, on, spare: false }
}

/// A call without which less is known or done for the person, and nothing fails.
const fn look(
    service: &'static str,
    operation: &'static str,
    actions: &'static [&'static str],
    on: On,
) -> Call {
    Call { service, operation, actions, on, spare: true }
}

const CF: &str = "cloudformation";
const FRONT: &str = "cloudfront";
const LOGS: &str = "cloudwatchlogs";
const POOLS: &str = "cognitoidentityprovider";
const TABLES: &str = "dynamodb";
const LAMBDA: &str = "lambda";
const ROUTES: &str = "route53";

/// Every call.
pub const CALLS: &[Call] = &[
    call("sts", "get_caller_identity", &[], On::Anything),
    // For a profile with `role_arn`: its user's rights decide, before the galaxy's policy counts.
    call("sts", "assume_role", &[], On::Anything),
    call(CF, "continue_update_rollback", &["cloudformation:ContinueUpdateRollback"], On::Stacks),
    call(CF, "create_change_set", &["cloudformation:CreateChangeSet"], On::Stacks),
    // Tags given at the creation are an action of their own.
    call(
        CF,
        "create_stack",
        &["cloudformation:CreateStack", "cloudformation:TagResource"],
        On::Stacks,
    ),
    call(CF, "delete_change_set", &["cloudformation:DeleteChangeSet"], On::Stacks),
    call(CF, "delete_stack", &["cloudformation:DeleteStack"], On::Stacks),
    look(CF, "describe_account_limits", &["cloudformation:DescribeAccountLimits"], On::Anything),
    call(CF, "describe_change_set", &["cloudformation:DescribeChangeSet"], On::Stacks),
    call(
        CF,
        "describe_stack_drift_detection_status",
        &["cloudformation:DescribeStackDriftDetectionStatus"],
        On::Anything,
    ),
    // What early validations and hooks refused is only in the newer of the two.
    look(CF, "describe_events", &["cloudformation:DescribeEvents"], On::Stacks),
    call(CF, "describe_stack_events", &["cloudformation:DescribeStackEvents"], On::Stacks),
    call(
        CF,
        "describe_stack_resource_drifts",
        &["cloudformation:DescribeStackResourceDrifts"],
        On::Stacks,
    ),
    call(CF, "describe_stacks", &["cloudformation:DescribeStacks"], On::Stacks),
    // Asking for the drift of a stack asks for that of each of its resources.
    call(
        CF,
        "detect_stack_drift",
        &["cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift"],
        On::Stacks,
    ),
    // Drift of a type from the registry needs its settings.
    // Source: "Detect drift on an entire CloudFormation stack", User Guide.
    call(
        CF,
        "detect_stack_drift",
        &["cloudformation:BatchDescribeTypeConfigurations"],
        On::Anything,
    ),
    call(CF, "execute_change_set", &["cloudformation:ExecuteChangeSet"], On::Stacks),
    call(CF, "get_template", &["cloudformation:GetTemplate"], On::Stacks),
    call(CF, "list_change_sets", &["cloudformation:ListChangeSets"], On::Stacks),
    call(CF, "list_stack_resources", &["cloudformation:ListStackResources"], On::Stacks),
    look(CF, "list_stacks", &["cloudformation:ListStacks"], On::Anything),
    call(CF, "rollback_stack", &["cloudformation:RollbackStack"], On::Stacks),
    call(
        CF,
        "update_termination_protection",
        &["cloudformation:UpdateTerminationProtection"],
        On::Stacks,
    ),
    call("s3", "delete_bucket", &["s3:DeleteBucket"], On::Buckets),
    call("s3", "delete_objects", &["s3:DeleteObject", "s3:DeleteObjectVersion"], On::Objects),
    call("s3", "get_bucket_tagging", &["s3:GetBucketTagging"], On::Buckets),
    call("s3", "get_object", &["s3:GetObject"], On::Objects),
    call("s3", "head_bucket", &["s3:ListBucket"], On::Buckets),
    call("s3", "head_object", &["s3:GetObject"], On::Objects),
    call("s3", "list_object_versions", &["s3:ListBucketVersions"], On::Buckets),
    call("s3", "list_objects_v2", &["s3:ListBucket"], On::Buckets),
    call("s3", "put_object", &["s3:PutObject"], On::Objects),
    call(FRONT, "create_invalidation", &["cloudfront:CreateInvalidation"], On::Distributions),
    look(FRONT, "describe_function", &["cloudfront:DescribeFunction"], On::EdgeFunctions),
    call(FRONT, "get_distribution", &["cloudfront:GetDistribution"], On::Distributions),
    look(FRONT, "list_distributions", &["cloudfront:ListDistributions"], On::Anything),
    look(
        FRONT,
        "list_origin_access_controls",
        &["cloudfront:ListOriginAccessControls"],
        On::Anything,
    ),
    look(
        FRONT,
        "list_response_headers_policies",
        &["cloudfront:ListResponseHeadersPolicies"],
        On::Anything,
    ),
    look(LAMBDA, "get_account_settings", &["lambda:GetAccountSettings"], On::Anything),
    call(LAMBDA, "get_function_configuration", &["lambda:GetFunctionConfiguration"], On::Function),
    call(LAMBDA, "invoke", &["lambda:InvokeFunction"], On::Function),
    call(LAMBDA, "update_alias", &["lambda:UpdateAlias"], On::Function),
    call(POOLS, "admin_add_user_to_group", &["cognito-idp:AdminAddUserToGroup"], On::UserPool),
    call(POOLS, "admin_create_user", &["cognito-idp:AdminCreateUser"], On::UserPool),
    call(POOLS, "admin_get_user", &["cognito-idp:AdminGetUser"], On::UserPool),
    call(
        POOLS,
        "admin_remove_user_from_group",
        &["cognito-idp:AdminRemoveUserFromGroup"],
        On::UserPool,
    ),
    call(POOLS, "admin_set_user_password", &["cognito-idp:AdminSetUserPassword"], On::UserPool),
    call(
        POOLS,
        "admin_update_user_attributes",
        &["cognito-idp:AdminUpdateUserAttributes"],
        On::UserPool,
    ),
    call(
        POOLS,
        "admin_user_global_sign_out",
        &["cognito-idp:AdminUserGlobalSignOut"],
        On::UserPool,
    ),
    call(POOLS, "describe_user_pool", &["cognito-idp:DescribeUserPool"], On::UserPool),
    call(POOLS, "list_users", &["cognito-idp:ListUsers"], On::UserPool),
    call(POOLS, "list_users_in_group", &["cognito-idp:ListUsersInGroup"], On::UserPool),
    call(TABLES, "batch_get_item", &["dynamodb:BatchGetItem"], On::Tables),
    call(TABLES, "batch_write_item", &["dynamodb:BatchWriteItem"], On::Tables),
    call(
        TABLES,
        "describe_continuous_backups",
        &["dynamodb:DescribeContinuousBackups"],
        On::Tables,
    ),
    call(TABLES, "delete_table", &["dynamodb:DeleteTable"], On::Tables),
    call(TABLES, "update_table", &["dynamodb:UpdateTable"], On::Tables),
    call(TABLES, "describe_table", &["dynamodb:DescribeTable"], On::Tables),
    call(TABLES, "list_tags_of_resource", &["dynamodb:ListTagsOfResource"], On::Tables),
    call(TABLES, "get_item", &["dynamodb:GetItem"], On::Tables),
    call(TABLES, "query", &["dynamodb:Query"], On::Tables),
    call(TABLES, "scan", &["dynamodb:Scan"], On::Tables),
    call(TABLES, "update_item", &["dynamodb:UpdateItem"], On::Tables),
    call("ssm", "delete_parameter", &["ssm:DeleteParameter"], On::Parameters),
    call("ssm", "get_parameter", &["ssm:GetParameter"], On::Parameters),
    call("ssm", "list_tags_for_resource", &["ssm:ListTagsForResource"], On::Parameters),
    // Tags given at the creation are an action of their own.
    call("ssm", "put_parameter", &["ssm:PutParameter", "ssm:AddTagsToResource"], On::Parameters),
    call("ssm", "delete_parameter", &["ssm:DeleteParameter"], On::Registry),
    call("ssm", "get_parameter", &["ssm:GetParameter"], On::Galaxies),
    call("ssm", "get_parameters_by_path", &["ssm:GetParametersByPath"], On::Galaxies),
    call("ssm", "put_parameter", &["ssm:PutParameter"], On::Registry),
    call("resourcegroupstagging", "get_resources", &["tag:GetResources"], On::Anything),
    look(LOGS, "describe_log_groups", &["logs:DescribeLogGroups"], On::Anything),
    call(LOGS, "filter_log_events", &["logs:FilterLogEvents"], On::Logs),
    look(
        LOGS,
        "get_delivery_destination",
        &["logs:GetDeliveryDestination"],
        On::DeliveryDestinations,
    ),
    look(LOGS, "get_delivery_source", &["logs:GetDeliverySource"], On::DeliverySources),
    look("iam", "list_policies", &["iam:ListPolicies"], On::Anything),
    // What was added beside the templates, and taking it away again.
    look("iam", "list_attached_role_policies", &["iam:ListAttachedRolePolicies"], On::Roles),
    look("iam", "list_role_policies", &["iam:ListRolePolicies"], On::Roles),
    look("iam", "detach_role_policy", &["iam:DetachRolePolicy"], On::Roles),
    look("iam", "delete_role_policy", &["iam:DeleteRolePolicy"], On::Roles),
    call(LAMBDA, "get_alias", &["lambda:GetAlias"], On::Function),
    look(LAMBDA, "get_policy", &["lambda:GetPolicy"], On::Function),
    look(LAMBDA, "list_function_url_configs", &["lambda:ListFunctionUrlConfigs"], On::Function),
    look(LAMBDA, "get_function_concurrency", &["lambda:GetFunctionConcurrency"], On::Function),
    look(LAMBDA, "remove_permission", &["lambda:RemovePermission"], On::Function),
    look(LAMBDA, "delete_function_url_config", &["lambda:DeleteFunctionUrlConfig"], On::Function),
    look(
        LAMBDA,
        "delete_function_concurrency",
        &["lambda:DeleteFunctionConcurrency"],
        On::Function,
    ),
    look(POOLS, "list_user_pool_clients", &["cognito-idp:ListUserPoolClients"], On::UserPool),
    look(POOLS, "delete_user_pool_client", &["cognito-idp:DeleteUserPoolClient"], On::UserPool),
    look("s3", "get_bucket_cors", &["s3:GetBucketCORS"], On::Buckets),
    look("s3", "delete_bucket_cors", &["s3:PutBucketCORS"], On::Buckets),
    call("kms", "describe_key", &["kms:DescribeKey"], On::Keys),
    call("kms", "list_resource_tags", &["kms:ListResourceTags"], On::Keys),
    look("kms", "list_aliases", &["kms:ListAliases"], On::Anything),
    call("sesv2", "get_account", &["ses:GetAccount"], On::Anything),
    call("sesv2", "get_configuration_set", &["ses:GetConfigurationSet"], On::ConfigurationSets),
    call("sesv2", "create_email_identity", &["ses:CreateEmailIdentity"], On::Identities),
    call(
        "sesv2",
        "get_configuration_set_event_destinations",
        &["ses:GetConfigurationSetEventDestinations"],
        On::ConfigurationSets,
    ),
    call("sesv2", "delete_email_identity", &["ses:DeleteEmailIdentity"], On::Identities),
    call("sesv2", "get_email_identity", &["ses:GetEmailIdentity"], On::Identities),
    call("sesv2", "put_account_details", &["ses:PutAccountDetails"], On::Anything),
    call(
        "sesv2",
        "put_email_identity_configuration_set_attributes",
        &["ses:PutEmailIdentityConfigurationSetAttributes"],
        On::Identities,
    ),
    // Both the sender and the set that the mail leaves by are asked about.
    call("sesv2", "send_email", &["ses:SendEmail"], On::Identities),
    call("sesv2", "send_email", &["ses:SendEmail"], On::ConfigurationSets),
    call("acm", "delete_certificate", &["acm:DeleteCertificate"], On::OwnCertificates),
    call("acm", "describe_certificate", &["acm:DescribeCertificate"], On::OwnCertificates),
    call("acm", "list_certificates", &["acm:ListCertificates"], On::Anything),
    call("acm", "list_tags_for_certificate", &["acm:ListTagsForCertificate"], On::Certificates),
    // A certificate has no ARN before it is asked for, and its tag is an action of its own.
    call("acm", "request_certificate", &["acm:RequestCertificate"], On::Anything),
    call("acm", "request_certificate", &["acm:AddTagsToCertificate"], On::Certificates),
    // Where Route 53 is closed to us, records are the person's, and all else goes on.
    look(
        ROUTES,
        "change_resource_record_sets",
        &["route53:ChangeResourceRecordSets"],
        On::HostedRecords,
    ),
    look(ROUTES, "get_hosted_zone", &["route53:GetHostedZone"], On::HostedZones),
    look(ROUTES, "list_hosted_zones", &["route53:ListHostedZones"], On::Anything),
    look(ROUTES, "list_resource_record_sets", &["route53:ListResourceRecordSets"], On::HostedZones),
    // Only when codes move to SES; the account may have the role already.
    look("iam", "create_service_linked_role", &["iam:CreateServiceLinkedRole"], On::SenderRole),
    look("iam", "get_role", &["iam:GetRole"], On::Principals),
    look("iam", "simulate_principal_policy", &["iam:SimulatePrincipalPolicy"], On::Principals),
    look("servicequotas", "get_service_quota", &["servicequotas:GetServiceQuota"], On::Quotas),
];

/// What `CloudFormation` does in the caller's name: the first stack, with bucket, bucket policy and
/// role, and handing that role over for all others.
/// Source: the handlers' permissions in the resource types' schemas, without the properties that
/// `templates/bootstrap.yaml` does not use.
pub const CREATED_IN_OUR_NAME: &[(On, &[&str])] = &[
    (On::HandOver, &["iam:PassRole"]),
    (
        On::StackRole,
        &[
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:ListRoleTags",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
            "iam:UpdateRoleDescription",
        ],
    ),
    (
        On::Boundary,
        &[
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:ListEntitiesForPolicy",
            "iam:ListPolicyVersions",
        ],
    ),
    (
        On::ArtifactBucket,
        &[
            "s3:CreateBucket",
            "s3:DeleteBucketPolicy",
            "s3:GetAccelerateConfiguration",
            "s3:GetAnalyticsConfiguration",
            "s3:GetBucketAbac",
            "s3:GetBucketAcl",
            "s3:GetBucketCORS",
            "s3:GetBucketLogging",
            "s3:GetBucketMetadataTableConfiguration",
            "s3:GetBucketNotification",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetBucketWebsite",
            "s3:GetEncryptionConfiguration",
            "s3:GetIntelligentTieringConfiguration",
            "s3:GetInventoryConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetMetricsConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:ListTagsForResource",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:TagResource",
            "s3:UntagResource",
        ],
    ),
];
