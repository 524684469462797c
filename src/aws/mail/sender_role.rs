//! The service-linked role by which Cognito sends through SES.
//!
//! Created in the caller's name: Cognito would do so at the update of the user pool, with the
//! rights of `CloudFormation`'s role, and the type's update handler does not list that action.
//! Sources: "Email settings for Amazon Cognito user pools" and "Using service-linked roles for
//! Amazon Cognito", Amazon Cognito Developer Guide.

use aws_wire::{Call, Client};

use crate::aws::error::{code, message, translate};
use crate::aws::iam;
use crate::failure::Failure;

/// The service that assumes the role.
const SERVICE: &str = "email.cognito-idp.amazonaws.com";
/// What IAM calls the role.
const ROLE: &str = "AWSServiceRoleForAmazonCognitoIdpEmailService";

/// Creates the role, unless the account has it.
pub(super) async fn create(client: &Client) -> Result<(), Failure> {
    let asked = Call::form("CreateServiceLinkedRole").with("AWSServiceName", SERVICE);
    let Err(error) = client.tell(asked).await else { return Ok(()) };
    // The only sign that one exists already; the code is that of any invalid parameter.
    if code(&error) == Some("InvalidInput") && message(&error).contains("has been taken") {
        return Ok(());
    }
    // Rights are checked first: a caller who may not create it may still find it there.
    if code(&error) == Some("AccessDenied") && iam::role(client, ROLE).await.is_ok() {
        return Ok(());
    }
    let doing = "creating the service-linked role by which Cognito sends through SES";
    let failure = translate(doing, None, &error);
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::replay::script;
    use crate::failure::Kind;

    fn refused(code: &str, message: &str) -> String {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}\
             </Message></Error></ErrorResponse>"
        )
    }

    fn created() -> String {
        "<CreateServiceLinkedRoleResponse><CreateServiceLinkedRoleResult/>\
         </CreateServiceLinkedRoleResponse>"
            .into()
    }

    fn role() -> String {
        format!(
            "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>{ROLE}</RoleName>\
             <RoleId>AROA</RoleId><Arn>arn:aws:iam::111122223333:role/{ROLE}</Arn>\
             <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult>\
             </GetRoleResponse>"
        )
    }

    /// Whether it succeeded, and the requests that were made.
    async fn run(answers: &[(u16, String)]) -> (Result<(), Failure>, Vec<String>) {
        let (config, script) = script(answers);
        let result = create(&Client::new(&aws_wire::IAM, &config)).await;
        (result, script.operations())
    }

    #[tokio::test]
    async fn a_role_that_is_there_already_is_fine() {
        let taken =
            format!("Service role name {ROLE} has been taken in this account, please try another.");
        for answer in [(200, created()), (400, refused("InvalidInput", &taken))] {
            let (result, asked) = run(&[answer]).await;
            assert!(result.is_ok(), "{result:?}");
            assert_eq!(asked, ["CreateServiceLinkedRole"]);
        }
    }

    #[tokio::test]
    async fn without_the_right_to_create_it_the_role_is_looked_for() {
        let denied = (403, refused("AccessDenied", "not authorized"));
        let (result, _) = run(&[denied.clone(), (200, role())]).await;
        assert!(result.is_ok(), "{result:?}");
        let (result, asked) = run(&[denied, (404, refused("NoSuchEntity", "none"))]).await;
        assert_eq!(result.map_err(|failure| failure.kind), Err(Kind::Access));
        assert_eq!(asked, ["CreateServiceLinkedRole", "GetRole"]);
    }

    #[tokio::test]
    async fn any_other_bad_input_is_a_failure() {
        let (result, _) = run(&[(400, refused("InvalidInput", "no such service"))]).await;
        assert!(result.is_err());
    }
}
