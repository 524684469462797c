//! How AWS gives properties back: in a form of its own, whatever the template said. A template in
//! another form counts as changed for ever.

use crate::ports::DriftState;
use crate::yaml::Node;

/// A property that is given back in another form: its path, as declared, as given back.
type Difference = (String, String, String);

/// What a service makes of a value.
#[derive(Clone, Copy)]
enum Form {
    /// An ARN of a log group without `:*` at its end.
    WithoutStar,
    /// A list of objects in the order of this number in them; drift compares by position.
    InOrderOf(&'static str),
    /// A list of texts in alphabetical order.
    Sorted,
    /// A list of HTTP methods in `CloudFront`'s own order.
    Methods,
    /// A list of texts in lower case.
    Lowercase,
}

/// As `get-distribution` lists them, in the many exports of it that are public.
const METHODS: [&str; 7] = ["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"];

/// Type, path and form; behind it who has seen it on an account.
const FORMS: [(&str, &[&str], Form); 10] = [
    // aws/aws-cdk#38796
    ("AWS::ApiGatewayV2::Stage", &["AccessLogSettings", "DestinationArn"], Form::WithoutStar),
    // go-to-k/cdk-real-drift#1458; aws-cloudformation/cloudformation-coverage-roadmap#1369 for the
    // comparison by position.
    (
        "AWS::CloudFront::Distribution",
        &["DistributionConfig", "CustomErrorResponses"],
        Form::InOrderOf("ErrorCode"),
    ),
    // go-to-k/cdk-real-drift sorts every list of HTTP methods: AWS gives them in another order.
    (
        "AWS::CloudFront::Distribution",
        &["DistributionConfig", "DefaultCacheBehavior", "AllowedMethods"],
        Form::Methods,
    ),
    (
        "AWS::CloudFront::Distribution",
        &["DistributionConfig", "DefaultCacheBehavior", "CachedMethods"],
        Form::Methods,
    ),
    // go-to-k/cdk-real-drift, "CASE_INSENSITIVE_ARRAY_PATHS", seen on an account.
    ("AWS::ApiGatewayV2::Api", &["CorsConfiguration", "AllowHeaders"], Form::Lowercase),
    ("AWS::ApiGatewayV2::Api", &["CorsConfiguration", "ExposeHeaders"], Form::Lowercase),
    // go-to-k/cdk-real-drift, "UNORDERED_ARRAY_PROPS", seen on an account.
    ("AWS::Cognito::UserPoolClient", &["ExplicitAuthFlows"], Form::Sorted),
    ("AWS::Cognito::UserPoolClient", &["ReadAttributes"], Form::Sorted),
    ("AWS::Cognito::UserPoolClient", &["WriteAttributes"], Form::Sorted),
    ("AWS::Cognito::UserPool", &["EnabledMfas"], Form::Sorted),
];

/// The comparison of an unchanged resource with its template.
pub(super) fn state(kind: &str, resource: &Node) -> DriftState {
    let Some(properties) = resource.get("Properties") else { return DriftState::InSync };
    let of_it = FORMS.iter().filter(|(of, _, _)| *of == kind);
    let differences: Vec<Difference> = of_it
        .filter_map(|(_, path, form)| {
            let declared = path.iter().try_fold(properties, |node, step| node.get(step))?;
            let (declared, kept) = form.of(declared)?;
            (declared != kept).then(|| (format!("/{}", path.join("/")), declared, kept))
        })
        .collect();
    if differences.is_empty() { DriftState::InSync } else { DriftState::Modified(differences) }
}

impl Form {
    /// A value as it was declared, and as it is given back; nothing where it is another sort of
    /// value.
    fn of(self, declared: &Node) -> Option<(String, String)> {
        match self {
            Self::WithoutStar => {
                let declared = match declared {
                    Node::Call(name, target) if name == "GetAtt" => {
                        let target = target.text().filter(|target| target.ends_with(".Arn"))?;
                        format!("arn:aws:logs:{target}:*")
                    }
                    Node::Call(_, text) => text.text()?.to_owned(),
                    node => node.text()?.to_owned(),
                };
                let kept = declared.strip_suffix(":*").unwrap_or(&declared).to_owned();
                Some((declared, kept))
            }
            Self::InOrderOf(key) => {
                let Node::List(items) = declared else { return None };
                let number = |item: &Node| match item.get(key) {
                    Some(Node::Int(number)) => *number,
                    _ => 0,
                };
                let declared: Vec<i64> = items.iter().map(number).collect();
                let mut kept = declared.clone();
                kept.sort_unstable();
                Some((format!("{declared:?}"), format!("{kept:?}")))
            }
            Self::Sorted | Self::Methods | Self::Lowercase => {
                let Node::List(items) = declared else { return None };
                let declared: Vec<&str> = items.iter().filter_map(Node::text).collect();
                let mut kept: Vec<String> =
                    declared.iter().map(|text| (*text).to_owned()).collect();
                match self {
                    Self::Methods => kept.sort_by_key(|one| METHODS.iter().position(|m| m == one)),
                    Self::Lowercase => kept = kept.iter().map(|text| text.to_lowercase()).collect(),
                    _ => kept.sort_unstable(),
                }
                Some((format!("{declared:?}"), format!("{kept:?}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, properties: &str) -> DriftState {
        state(kind, &Node::parse(properties).expect("a resource"))
    }

    #[test]
    fn a_stage_keeps_the_log_group_without_its_star() {
        let stage = |arn: &str| {
            let text = format!("Properties:\n  AccessLogSettings:\n    DestinationArn: {arn}\n");
            of("AWS::ApiGatewayV2::Stage", &text)
        };
        assert!(matches!(stage("!GetAtt ApiLogs.Arn"), DriftState::Modified(_)));
        assert!(matches!(stage("arn:aws:logs:r:1:log-group:g:*"), DriftState::Modified(_)));
        assert_eq!(stage("!Sub 'arn:aws:logs:r:1:log-group:${ApiLogs}'"), DriftState::InSync);
    }

    #[test]
    fn a_distribution_sorts_its_error_responses() {
        let distribution = |codes: [i64; 2]| {
            let each = codes.map(|code| format!("      - ErrorCode: {code}\n"));
            let text = format!(
                "Properties:\n  DistributionConfig:\n    CustomErrorResponses:\n{}{}",
                each[0], each[1]
            );
            of("AWS::CloudFront::Distribution", &text)
        };
        assert!(matches!(distribution([404, 403]), DriftState::Modified(_)));
        assert_eq!(distribution([403, 404]), DriftState::InSync);
    }

    #[test]
    fn lists_come_back_in_the_order_and_case_of_the_service() {
        for (kind, properties, is_kept) in [
            ("AWS::Cognito::UserPoolClient", "ExplicitAuthFlows: [A, B]", true),
            ("AWS::Cognito::UserPoolClient", "ExplicitAuthFlows: [B, A]", false),
            ("AWS::ApiGatewayV2::Api", "CorsConfiguration: {AllowHeaders: [x-a, b]}", true),
            ("AWS::ApiGatewayV2::Api", "CorsConfiguration: {AllowHeaders: [X-A]}", false),
            (
                "AWS::CloudFront::Distribution",
                "DistributionConfig: {DefaultCacheBehavior: {AllowedMethods: [HEAD, GET]}}",
                true,
            ),
            (
                "AWS::CloudFront::Distribution",
                "DistributionConfig: {DefaultCacheBehavior: {CachedMethods: [GET, HEAD]}}",
                false,
            ),
        ] {
            let state = of(kind, &format!("Properties:\n  {properties}\n"));
            assert_eq!(state == DriftState::InSync, is_kept, "{kind} {properties}: {state:?}");
        }
    }

    /// What the templates send is in AWS's own form already.
    #[test]
    fn the_templates_are_in_the_form_that_comes_back() {
        for stack in crate::model::Stack::all() {
            let template = crate::catalog::template(stack);
            let root = Node::parse(template).expect("a template");
            for (id, resource) in root.get("Resources").expect("resources").entries() {
                let kind = resource.get("Type").and_then(Node::text).unwrap_or_default();
                assert_eq!(state(kind, resource), DriftState::InSync, "{stack}.{id}");
            }
        }
    }
}
