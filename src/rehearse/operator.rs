//! Rights of the person who runs the installer: each method of a port makes the calls that its
//! adapter for AWS makes, and the account in memory answers them by the caller's policies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Account;
use super::rights::refusal;
use crate::failure::{Failure, Kind};
use crate::iam::{self, Decision, Request};
use crate::model::GalaxyName;
use crate::policy::{self, CALLS, Condition, On, Statement, Subject};

/// The caller's policies, and the galaxy they are for.
#[derive(Clone)]
pub(super) struct Operator {
    galaxy: GalaxyName,
    pub(super) documents: Vec<Value>,
    /// The refusal of each method that was called before, if it is refused.
    known: BTreeMap<&'static str, Option<String>>,
}

/// A stack that is made under a role takes the right to hand that role over as well.
const WITH_A_ROLE: &str = "Stacks::create with a role";

/// The operations of [`CALLS`] that a method of a port makes, with what they are about.
///
/// Operations that an adapter makes only after an odd answer count too: a caller who lacks one is
/// refused from the start here, and halfway in AWS.
pub const ASKED: &[(&str, &[(&str, On)])] = &[
    ("Stacks::find", &[("describe_stacks", On::Stacks)]),
    ("Stacks::template", &[("get_template", On::Stacks)]),
    ("Stacks::create", &[("create_stack", On::Stacks)]),
    (WITH_A_ROLE, &[]),
    ("Stacks::propose", &[("create_change_set", On::Stacks), ("describe_change_set", On::Stacks)]),
    (
        "Stacks::import",
        &[
            ("create_change_set", On::Stacks),
            ("describe_change_set", On::Stacks),
            ("execute_change_set", On::Stacks),
        ],
    ),
    ("Stacks::apply", &[("execute_change_set", On::Stacks)]),
    ("Stacks::discard", &[("delete_change_set", On::Stacks)]),
    ("Stacks::protect", &[("update_termination_protection", On::Stacks)]),
    (
        "Stacks::recover",
        &[("rollback_stack", On::Stacks), ("continue_update_rollback", On::Stacks)],
    ),
    (
        "Stacks::drift",
        &[
            ("detect_stack_drift", On::Stacks),
            ("detect_stack_drift", On::Anything),
            ("describe_stack_drift_detection_status", On::Anything),
            ("describe_stack_resource_drifts", On::Stacks),
        ],
    ),
    ("Stacks::resources", &[("list_stack_resources", On::Stacks)]),
    ("Stacks::delete", &[("delete_stack", On::Stacks)]),
    ("Stacks::reasons", &[("describe_events", On::Stacks)]),
    ("Stacks::retire", &[("list_change_sets", On::Stacks)]),
    ("Stacks::events", &[("describe_stack_events", On::Stacks)]),
    ("Assets::has_bucket", &[("head_bucket", On::Buckets)]),
    ("Assets::has", &[("head_object", On::Objects)]),
    ("Assets::read", &[("get_object", On::Objects)]),
    ("Assets::look", &[("head_object", On::Objects)]),
    ("Assets::write", &[("put_object", On::Objects)]),
    ("Assets::read_tagged", &[("get_object", On::Objects)]),
    ("Assets::replace", &[("put_object", On::Objects)]),
    ("Assets::keys", &[("list_objects_v2", On::Buckets)]),
    ("Assets::listing", &[("list_objects_v2", On::Buckets)]),
    ("Assets::list", &[("list_objects_v2", On::Buckets)]),
    ("Assets::remove", &[("delete_objects", On::Objects)]),
    (
        "Assets::remove_bucket",
        &[
            ("list_object_versions", On::Buckets),
            ("delete_objects", On::Objects),
            ("delete_bucket", On::Buckets),
        ],
    ),
    ("Delivery::deployed", &[("get_distribution", On::Distributions)]),
    ("Delivery::turn", &[("create_invalidation", On::Distributions)]),
    ("Functions::check", &[("invoke", On::Function)]),
    ("Functions::live", &[("get_function_configuration", On::Function)]),
    ("Functions::point", &[("update_alias", On::Function)]),
    ("Secrets::read", &[("get_parameter", On::Parameters)]),
    ("Secrets::write", &[("put_parameter", On::Parameters)]),
    ("Secrets::remove", &[("delete_parameter", On::Parameters)]),
    ("Notes::get", &[("get_parameter", On::Parameters)]),
    ("Notes::put_new", &[("put_parameter", On::Parameters)]),
    ("Notes::put", &[("put_parameter", On::Parameters)]),
    ("Notes::remove", &[("delete_parameter", On::Parameters)]),
    ("Notes::entry", &[("get_parameter", On::Parameters)]),
    ("Registry::get", &[("get_parameter", On::Galaxies)]),
    ("Registry::create", &[("put_parameter", On::Registry)]),
    ("Registry::put", &[("put_parameter", On::Registry)]),
    ("Registry::remove", &[("delete_parameter", On::Registry)]),
    ("Registry::list", &[("get_parameters_by_path", On::Galaxies)]),
    ("Registry::now", &[("get_parameter", On::Galaxies)]),
    ("Marks::bucket", &[("get_bucket_tagging", On::Buckets)]),
    ("Marks::table", &[("describe_table", On::Tables), ("list_tags_of_resource", On::Tables)]),
    ("Marks::parameter", &[("list_tags_for_resource", On::Parameters)]),
    ("Marks::pool", &[("describe_user_pool", On::UserPool)]),
    ("Marks::key", &[("describe_key", On::Keys), ("list_resource_tags", On::Keys)]),
    ("Marks::create_parameter", &[("put_parameter", On::Parameters)]),
    ("Marks::members", &[("list_stack_resources", On::Stacks)]),
    (
        "People::add",
        &[
            ("admin_get_user", On::UserPool),
            ("admin_create_user", On::UserPool),
            ("admin_set_user_password", On::UserPool),
            ("admin_update_user_attributes", On::UserPool),
            ("admin_add_user_to_group", On::UserPool),
            ("get_item", On::Tables),
            ("batch_write_item", On::Tables),
            ("update_item", On::Tables),
        ],
    ),
    (
        "People::reset_factor",
        &[("update_item", On::Tables), ("admin_user_global_sign_out", On::UserPool)],
    ),
    (
        "People::remove",
        &[
            ("update_item", On::Tables),
            ("admin_remove_user_from_group", On::UserPool),
            ("admin_user_global_sign_out", On::UserPool),
        ],
    ),
    ("People::operators", &[("list_users_in_group", On::UserPool)]),
    ("Records::has_table", &[("describe_table", On::Tables)]),
    ("Records::is_recoverable", &[("describe_continuous_backups", On::Tables)]),
    ("Records::items", &[("scan", On::Tables)]),
    ("Records::since", &[("query", On::Tables)]),
    ("Records::named", &[("batch_get_item", On::Tables)]),
    ("Records::put", &[("batch_write_item", On::Tables)]),
    ("Records::remove_table", &[("update_table", On::Tables), ("delete_table", On::Tables)]),
    ("Records::accounts", &[("list_users", On::UserPool), ("list_users_in_group", On::UserPool)]),
    (
        "Records::admit",
        &[("admin_create_user", On::UserPool), ("admin_add_user_to_group", On::UserPool)],
    ),
    ("Inventory::galaxies", &[("get_resources", On::Anything)]),
    ("Inventory::tagged", &[("get_resources", On::Anything)]),
    ("Logs::lines", &[("filter_log_events", On::Logs)]),
    (
        "Inspection::role",
        &[("list_attached_role_policies", On::Roles), ("list_role_policies", On::Roles)],
    ),
    (
        "Inspection::function",
        &[
            ("get_alias", On::Function),
            ("get_policy", On::Function),
            ("list_function_url_configs", On::Function),
            ("get_function_concurrency", On::Function),
        ],
    ),
    ("Inspection::clients", &[("list_user_pool_clients", On::UserPool)]),
    ("Inspection::cors", &[("get_bucket_cors", On::Buckets)]),
    (
        "Inspection::remove",
        &[
            ("detach_role_policy", On::Roles),
            ("delete_role_policy", On::Roles),
            ("remove_permission", On::Function),
            ("delete_function_url_config", On::Function),
            ("delete_function_concurrency", On::Function),
            ("delete_user_pool_client", On::UserPool),
            ("delete_bucket_cors", On::Buckets),
        ],
    ),
    (
        "Preflight::denied",
        &[("get_role", On::Principals), ("simulate_principal_policy", On::Principals)],
    ),
    (
        "Preflight::is_taken",
        &[
            ("describe_log_groups", On::Anything),
            ("get_delivery_source", On::DeliverySources),
            ("get_delivery_destination", On::DeliveryDestinations),
            ("list_aliases", On::Anything),
            ("describe_function", On::EdgeFunctions),
            ("list_policies", On::Anything),
            ("list_origin_access_controls", On::Anything),
            ("list_response_headers_policies", On::Anything),
        ],
    ),
    (
        "Preflight::usage",
        &[
            ("describe_account_limits", On::Anything),
            ("list_stacks", On::Anything),
            ("list_distributions", On::Anything),
            ("get_service_quota", On::Quotas),
            ("get_account_settings", On::Anything),
        ],
    ),
    ("Evidence::history", &[("describe_stack_events", On::Stacks)]),
    ("Evidence::denied_to", &[("simulate_principal_policy", On::Principals)]),
    ("Evidence::trust", &[("get_role", On::Principals)]),
    ("Mail::account", &[("get_account", On::Anything)]),
    ("Mail::identity", &[("get_email_identity", On::Identities)]),
    (
        "Mail::clear_default_set",
        &[("put_email_identity_configuration_set_attributes", On::Identities)],
    ),
    ("Mail::remove_identity", &[("delete_email_identity", On::Identities)]),
    ("Mail::create_sender_role", &[("create_service_linked_role", On::SenderRole)]),
    (
        "Mail::set",
        &[
            ("get_configuration_set", On::ConfigurationSets),
            ("get_configuration_set_event_destinations", On::ConfigurationSets),
        ],
    ),
    ("Mail::apply", &[("put_account_details", On::Anything)]),
    ("Mail::invite", &[("create_email_identity", On::Identities)]),
    ("Mail::play", &[("send_email", On::Identities), ("send_email", On::ConfigurationSets)]),
    ("Mail::written", &[("get_item", On::Tables)]),
    (
        "Certificates::ours",
        &[
            ("list_certificates", On::Anything),
            ("list_tags_for_certificate", On::Certificates),
            ("describe_certificate", On::OwnCertificates),
        ],
    ),
    (
        "Certificates::request",
        &[("request_certificate", On::Anything), ("request_certificate", On::Certificates)],
    ),
    ("Certificates::remove", &[("delete_certificate", On::OwnCertificates)]),
    (
        "Zones::holding",
        &[("list_hosted_zones", On::Anything), ("get_hosted_zone", On::HostedZones)],
    ),
    ("Zones::sets", &[("list_resource_record_sets", On::HostedZones)]),
    ("Zones::change", &[("change_resource_record_sets", On::HostedRecords)]),
];

/// What calls of a method ask IAM for a galaxy.
fn requests(method: &str, subject: Subject) -> Vec<Request> {
    let asked = ASKED.iter().find(|(of, _)| *of == method).map_or(&[][..], |(_, asked)| *asked);
    let statements = policy::statements(subject);
    let mut all = Vec::new();
    if method == WITH_A_ROLE {
        let passed = |statement: &&Statement| statement.on == On::HandOver;
        all.extend(statements.iter().filter(passed).flat_map(|s| demands(s, &["iam:PassRole"])));
    }
    for (operation, on) in asked {
        let Some(statement) = statements.iter().find(|statement| statement.on == *on) else {
            continue;
        };
        let calls = CALLS.iter().filter(|call| call.operation == *operation && call.on == *on);
        all.extend(calls.flat_map(|call| demands(statement, call.actions)));
    }
    all
}

/// A request for each action on each resource of a statement.
fn demands(statement: &Statement, actions: &[&str]) -> Vec<Request> {
    let conditions = statement.condition.iter().flat_map(Condition::allowed);
    let context: iam::Context = conditions.map(|(key, values)| (key.to_owned(), values)).collect();
    let each =
        actions.iter().flat_map(|action| statement.resources.iter().map(move |r| (action, r)));
    each.map(|(action, resource)| Request {
        action: (*action).to_owned(),
        resource: resource.replace('*', "x"),
        context: context.clone(),
    })
    .collect()
}

impl Account {
    /// Gives the caller these policies for a galaxy and no others; until then everything is
    /// allowed.
    pub fn permit(&self, galaxy: &GalaxyName, documents: Vec<Value>) {
        let known = BTreeMap::new();
        self.state().operator = Some(Operator { galaxy: galaxy.clone(), documents, known });
    }

    /// Fails as AWS does where the caller lacks a right that a method of a port takes.
    pub(super) fn may(&self, method: &'static str) -> Result<(), Failure> {
        let mut state = self.state();
        let Some(operator) = &mut state.operator else { return Ok(()) };
        let Operator { galaxy, documents, known } = operator;
        let refused = known.entry(method).or_insert_with(|| {
            let subject = Subject { name: galaxy, account: &self.id, region: &self.home };
            let denied = |request: &Request| iam::decide(documents, request) != Decision::Allowed;
            let request = requests(method, subject).into_iter().find(denied)?;
            Some(refusal(&request, "operator"))
        });
        match refused {
            Some(reason) => Err(Failure::new(Kind::Access, "a permission is missing")
                .cause(reason.clone())
                .help("allow the action, then run the command again")),
            None => Ok(()),
        }
    }
}
